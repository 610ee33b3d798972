"""The gateway with every metric in use: over a scripted upstream and a scripted HTTP API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from gateway.config import DeadlineSettings, GatewaySettings
from gateway.summaries.part_draft import DRAFTS
from gateway.upstream_settings import HttpUpstreamSettings
from tests.fakes.cluster import Cluster
from tests.fakes.gateway_calls import THOUGHT, body, stream, stream_in_reasoning
from tests.fakes.scripted_api import ScriptedApi
from tests.fakes.scripted_upstream import scripted_upstream

SAMPLES = {
    ("streams_started", ""): 3,
    ("streams_ended", "completed"): 1,
    ("streams_ended", "failed"): 1,
    ("streams_ended", "cancelled"): 1,
    ("tokens", "reasoning"): 2,
    ("tokens", "response"): 1,
    ("summary_parts", "extract"): 2,
    ("ungrounded_summaries", ""): DRAFTS,
    ("summary_failures", "rejected"): DRAFTS,
    ("upstream_retries", ""): 2,
    ("first_event_seconds_count", ""): 3,
    ("first_reasoning_seconds_count", ""): 3,
    ("first_response_seconds_count", ""): 1,
    ("answer_hold_seconds_count", ""): 1,
    ("stream_seconds_count", ""): 3,
    ("buffer_characters_count", ""): 3,
}
"""The samples after one call of `some_streams`, by name and tag; of a histogram, its number of observations."""
SUMMARIES = {("tokens", "summary"): (9, 15), ("summary_prompt_tokens", "no"): (21, 35)}
"""The least and the most of samples that depend on timing: a failing stream may cut off the summary of its prompt."""
METRICS = {
    "frames_total",
    "frame_items_total",
    "loop_lag_seconds_count",
    *(name for name, _ in (*SAMPLES, *SUMMARIES)),
}
"""The names of all metrics of the gateway, without their prefix."""


@asynccontextmanager
async def metered_gateway(cluster: Cluster, name: str) -> AsyncIterator[str]:
    """Deploy the gateway as the application `name`, and yield its URL."""
    from ray import serve

    import graph

    async with ScriptedApi() as api:
        apis = (HttpUpstreamSettings(url=api.url, models=("deepseek-r1",)),)
        settings = GatewaySettings(deadlines=DeadlineSettings(reasoning_summary=20), http_upstreams=apis)
        # No summary may mention 1999, since no prompt and no reasoning does: each one is rejected as ungrounded.
        upstreams = {"qwen": scripted_upstream("It was in 1999.")}
        await asyncio.to_thread(serve.run, graph.connect(settings, upstreams), name=name, route_prefix=f"/{name}")
        yield cluster.url(f"/{name}")


async def some_streams(http: httpx.AsyncClient, url: str) -> None:
    """Ask for four streams: one that the API refuses, one that completes, one that fails, and one that is cancelled."""
    await http.post(f"{url}/v1/reasoning", json=body({"status": 503}, model="deepseek-r1", prompt_summary=False))
    await stream(http, url, body(*THOUGHT))
    await stream(http, url, body("<think>So", {"fail": "it broke"}))
    async with stream_in_reasoning(http, url, body("<think>So", {"hang": True})):
        pass

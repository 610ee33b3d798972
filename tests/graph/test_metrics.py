"""What Prometheus sees of streams over the real graph: Ray's own metrics endpoint is asked."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
from prometheus_client.parser import text_string_to_metric_families

from gateway.config import DeadlineSettings, GatewaySettings, HttpUpstreamSettings
from tests.conftest import Cluster
from tests.fakes.scripted_api import ScriptedApi
from tests.fakes.scripted_upstream import ScriptedUpstream
from tests.graph.test_graph import THOUGHT, body, stream

MODELS = {("qwen2.5-coder-0.5b-instruct", "qwen"), ("deepseek-r1", "http")}
TAGS = ("outcome", "kind", "written_by", "called")
LOOKS = 120
"""Half a second apart: Ray tells its endpoint every second or two."""


@asynccontextmanager
async def deployed(cluster: Cluster, name: str) -> AsyncIterator[str]:
    """The url of the graph over a scripted upstream and over a scripted API."""
    from ray import serve

    import graph

    upstream = serve.deployment(**graph.STREAMS, ray_actor_options={"num_cpus": 0.1})(ScriptedUpstream)
    async with ScriptedApi() as api:
        apis = (HttpUpstreamSettings(url=api.url, models=("deepseek-r1",)),)
        settings = GatewaySettings(deadlines=DeadlineSettings(reasoning_summary=20), http_upstreams=apis)
        # No part of a summary may say 1999, for no trace here does.
        upstreams = {"qwen": upstream.bind("It was in 1999.")}
        await asyncio.to_thread(serve.run, graph.connect(settings, upstreams), name=name, route_prefix=f"/{name}")
        yield cluster.url(f"/{name}")


async def samples(http: httpx.AsyncClient, cluster: Cluster) -> Mapping[tuple[str, str], float]:
    """The gateway's counts, by name and by the tag that tells them apart; those of histograms are how many."""
    found: dict[tuple[str, str], float] = {}
    for family in text_string_to_metric_families((await http.get(cluster.metrics)).text):
        for sample in family.samples:
            own = sample.name.startswith("ray_gateway_") and sample.labels.get("application") == "metered"
            if own and sample.name.endswith(("_total", "_count")):
                if (called := sample.labels.get("called")) is None:
                    assert (sample.labels["model"], sample.labels["upstream"]) in MODELS
                elif called != "StreamParser":  # of the calls for summaries, some are given up
                    continue
                tag = next((sample.labels[tag] for tag in TAGS if tag in sample.labels), "")
                name = sample.name.removeprefix("ray_gateway_").removesuffix("_total")
                found[name, tag] = found.get((name, tag), 0) + sample.value
    return found


EXPECTED = {
    ("streams_started", ""): 3,
    ("streams_ended", "completed"): 1,
    ("streams_ended", "failed"): 1,
    ("streams_ended", "cancelled"): 1,
    ("tokens", "reasoning"): 2,
    ("tokens", "response"): 1,
    ("summary_parts", "extract"): 2,
    ("ungrounded_summaries", ""): 2,
    ("upstream_retries", ""): 2,
    ("first_event_seconds_count", ""): 3,
    ("first_reasoning_seconds_count", ""): 3,
    ("first_response_seconds_count", ""): 1,
    ("answer_hold_seconds_count", ""): 1,
    ("stream_seconds_count", ""): 3,
    ("buffer_characters_count", ""): 3,
}
"""Of `some_streams`."""
EXPORTED = {"frames_total", "frame_items_total", *(name for name, _ in EXPECTED)}


async def some_streams(http: httpx.AsyncClient, url: str) -> None:
    """One that is whole, one that fails while it thinks, one whose client leaves then; and one that no API begins."""
    await http.post(f"{url}/v1/reasoning", json=body({"status": 503}, model="deepseek-r1", prompt_summary=False))
    await stream(http, url, body(*THOUGHT))
    await stream(http, url, body("<think>So", {"fail": "it broke"}))
    async with http.stream("POST", f"{url}/v1/reasoning", json=body("<think>So", {"hang": True})) as leaving:
        chunks = leaving.aiter_bytes()
        while b"reasoning.delta" not in await anext(chunks):
            pass


async def test_every_stream_is_counted_and_measured(http: httpx.AsyncClient, cluster: Cluster) -> None:
    async with deployed(cluster, "metered") as url:
        await some_streams(http, url)
        for _ in range(LOOKS):
            seen = {**await samples(http, cluster)}
            frames, items = (seen.pop((name, "StreamParser"), 0) for name in ("frames", "frame_items"))
            if seen == EXPECTED:
                break
            await asyncio.sleep(0.5)
    assert seen == EXPECTED
    # Three streams, and what they say joined as it happened to come.
    assert 3 <= frames <= items <= 12

"""Real APIs behind the gateway: their requests are accepted, and their streams are split into the same texts.

A model's words depend on the processor and on what else it computes, so an answer is never asked for twice. The bytes
of one answer are recorded and played to the gateway instead, cut in several ways.
"""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from bench import peers
from engine.harness import END, EXAMPLE, START
from engine.model_files import model_folder
from gateway.config import EMBEDDED_NAME, GatewaySettings, HttpUpstreamSettings
from tests.fakes.cluster import Cluster
from tests.fakes.gateway_calls import WITHOUT_SUMMARIES, stream
from tests.fakes.native_events import assert_legal, joined, only
from tests.fakes.scripted_api import ScriptedApi

FORM = f"You always answer in this form:\n{START}\nOkay, the user asks ...\n{END}\n\nThe answer."
"""A plain API does not begin the model's turn for it; with this and the example a Qwen mostly thinks all the same."""
BODY: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": FORM},
        *EXAMPLE,
        {"role": "user", "content": "Which is longer, a mile or a kilometre?"},
    ],
    "temperature": 0,
    "max_tokens": 120,
}
LIVE_TOKENS = 16
"""Tokens of the answer that comes from the API itself: enough to see that it takes the gateway's requests."""
RECORDED = "recorded"
"""The model's name at the API that plays the recording."""
CUTS = (7, 64, 1_000_000)
"""Bytes of an HTTP chunk in which the recording is played."""


@pytest.fixture
def transformers_serve(tmp_path: Path) -> Iterator[str]:
    log = tmp_path / "transformers.log"
    with peers.transformers_serve(log) as url:
        yield url
        print(log.read_text(errors="replace"))


async def test_transformers_serve(http: httpx.AsyncClient, cluster: Cluster, transformers_serve: str) -> None:
    await assert_same_texts(http, cluster, transformers_serve, model=str(model_folder("embedded")))


async def test_the_qwen_as_a_plain_api(http: httpx.AsyncClient, cluster: Cluster, url: str) -> None:
    await assert_same_texts(http, cluster, f"{url}/upstream/v1")


@pytest.mark.vllm
async def test_vllm(http: httpx.AsyncClient, cluster: Cluster) -> None:
    await assert_same_texts(http, cluster, os.environ["VLLM_URL"])


async def assert_same_texts(http: httpx.AsyncClient, cluster: Cluster, api: str, model: str = EMBEDDED_NAME) -> None:
    async with ScriptedApi() as player, gateway(cluster, {api: model, player.url: RECORDED}) as url:
        live = await stream(http, url, {**BODY, **WITHOUT_SUMMARIES, "model": model, "max_tokens": LIVE_TOKENS})
        assert_legal(live)
        assert live[-1]["type"] == "stream.completed"
        assert joined(live, "reasoning.delta") + joined(live, "response.delta")
        recording = await record(http, api, {**BODY, "model": model})
        for size in CUTS:
            script = json.dumps([{"bytes": size}, {"raw": recording}, {"done": False}])
            body = {"messages": [{"role": "user", "content": script}], "model": RECORDED, **WITHOUT_SUMMARIES}
            events = await stream(http, url, body)
            assert_legal(events)
            texts = joined(events, "reasoning.delta"), joined(events, "response.delta")
            assert (texts, only(events, "stream.completed")["finish_reason"]) == split(recording)


async def record(http: httpx.AsyncClient, api: str, body: dict[str, Any]) -> str:
    """Return the whole stream that the API answers with, as it comes."""
    async with http.stream("POST", f"{api}/chat/completions", json={**body, "stream": True}) as response:
        response.raise_for_status()
        return "".join([text async for text in response.aiter_text()])


def split(recording: str) -> tuple[tuple[str, str], str]:
    """Return reasoning and response, and the finish reason, as they can be read off the whole stream.

    Reasoning has fields of its own, or it is the marked block that the text begins with, without the newlines beside
    the markers. A block that does not end is reasoning up to the end.
    """
    data = [line.removeprefix("data: ") for line in recording.splitlines() if line.startswith("data: {")]
    choices = [choice for chunk in map(json.loads, data) for choice in chunk["choices"]]
    reasoning, content = (
        "".join(choice["delta"].get(field) or "" for choice in choices) for field in ("reasoning_content", "content")
    )
    (finish_reason,) = {choice["finish_reason"] for choice in choices if choice.get("finish_reason")}
    block = re.fullmatch(rf"\s*{START}\n*(.*?)(?:\n*{END}\n*(.*)|\n*)", content, re.DOTALL)
    if reasoning or not block:
        return (reasoning, content), finish_reason
    return (block[1], block[2] or ""), finish_reason


@asynccontextmanager
async def gateway(cluster: Cluster, models: dict[str, str]) -> AsyncIterator[str]:
    """Yield the address of a gateway in front of APIs with one model each."""
    from ray import serve

    import graph

    name = f"peer-{urlsplit(next(iter(models))).port}"
    upstreams = tuple(HttpUpstreamSettings(url=api, models=(model,)) for api, model in models.items())
    application = graph.build(GatewaySettings(upstream=None, http_upstreams=upstreams))
    await asyncio.to_thread(serve.run, application, name=name, route_prefix=f"/{name}")
    try:
        yield cluster.url(f"/{name}")
    finally:
        await asyncio.to_thread(serve.delete, name)

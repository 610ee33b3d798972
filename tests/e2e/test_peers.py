"""Real APIs behind the gateway: their requests are accepted, and their streams are split into the same texts.

A model's words depend on the processor and on what else it computes, so an answer is never asked for twice. The bytes
of one answer are recorded and played to the gateway instead, cut in several ways.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bench import peers
from bench.peers import SMALL_NAME
from cluster.local import free_port
from engine.embedded import SMALL
from engine.harness.prompts import CLOSING, END, OPENED, START
from engine.model_files import model_folder
from gateway.config import GatewaySettings
from gateway.upstream_settings import HttpUpstreamSettings
from tests.fakes.cluster import Cluster
from tests.fakes.gateway_calls import WITHOUT_SUMMARIES, stream
from tests.fakes.native_events import assert_legal, joined, only
from tests.fakes.scripted_api import ScriptedApi

FORM = f"You always answer in this form:\n{START}\nOkay, the user asks ...\n{END}\n\nThe answer."
"""A plain API does not begin the model's turn for it; with this and the example a Qwen mostly thinks all the same."""
EXAMPLE = (
    {"role": "user", "content": "Which is heavier, two kilos of feathers or one kilo of iron?"},
    {
        "role": "assistant",
        "content": f"{OPENED}Okay, the user asks which of two things is heavier. A kilo is a kilo, and two are more"
        f" than one. So the feathers are heavier.{CLOSING}Two kilos of feathers are heavier.",
    },
)
BODY: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": FORM},
        *EXAMPLE,
        {"role": "user", "content": "Which is longer, a mile or a kilometre?"},
    ],
    "temperature": 0,
    "max_tokens": 80,
}
LIVE_TOKENS = 4
"""Tokens of the answer that comes from the API itself: enough to see that it takes the gateway's requests."""
RECORDED = "recorded"
"""The model's name at the API that plays the recording."""
CUTS = (7, 64, 1_000_000)
"""Bytes of an HTTP chunk in which the recording is played."""


@dataclass(frozen=True)
class Front:
    """A gateway in front of all peers: its `url`, and the ports at which transformers and the player have to serve."""

    url: str
    transformers_port: int
    player_port: int


@pytest.fixture(scope="module")
def front(cluster: Cluster) -> Iterator[Front]:
    """Deploy one gateway for all peers, before they are there: deploying one takes longer than a peer's answer."""
    from ray import serve

    import graph

    transformers_port, player_port = free_port(), free_port()
    apis = {
        f"http://127.0.0.1:{transformers_port}/v1": str(model_folder(SMALL)),
        os.environ.get("VLLM_URL", f"{cluster.url()}/upstream/v1"): SMALL_NAME,  # vLLM's name for it too
        f"http://127.0.0.1:{player_port}/v1": RECORDED,
    }
    upstreams = tuple(HttpUpstreamSettings(url=api, models=(model,)) for api, model in apis.items())
    application = graph.build(GatewaySettings(upstream=None, http_upstreams=upstreams))
    serve.run(application, name="peers", route_prefix="/peers")
    yield Front(cluster.url("/peers"), transformers_port, player_port)
    serve.delete("peers", _blocking=False)


@pytest.mark.peers
async def test_transformers_serve(http: httpx.AsyncClient, front: Front, tmp_path: Path) -> None:
    log = tmp_path / "transformers.log"
    with peers.transformers_serve(log, front.transformers_port, SMALL) as api:
        await assert_same_texts(http, front, api, str(model_folder(SMALL)))
    print(log.read_text(errors="replace"))


async def test_the_qwen_as_a_plain_api(http: httpx.AsyncClient, front: Front, url: str) -> None:
    await assert_same_texts(http, front, f"{url}/upstream/v1", SMALL_NAME)


@pytest.mark.vllm
async def test_vllm(http: httpx.AsyncClient, front: Front) -> None:
    await assert_same_texts(http, front, os.environ["VLLM_URL"], SMALL_NAME)


async def assert_same_texts(http: httpx.AsyncClient, front: Front, api: str, model: str) -> None:
    live = await stream(http, front.url, {**BODY, **WITHOUT_SUMMARIES, "model": model, "max_tokens": LIVE_TOKENS})
    assert_legal(live)
    assert live[-1]["type"] == "stream.completed"
    assert joined(live, "reasoning.delta") + joined(live, "response.delta")
    recording = await record(http, api, {**BODY, "model": model})
    async with ScriptedApi(front.player_port):
        for size in CUTS:
            script = json.dumps([{"bytes": size}, {"raw": recording}, {"done": False}])
            body = {"messages": [{"role": "user", "content": script}], "model": RECORDED, **WITHOUT_SUMMARIES}
            events = await stream(http, front.url, body)
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

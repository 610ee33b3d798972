"""The gateway says what real APIs say: at temperature 0 the reasoning and the response that they give raw."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from httpx_sse import aconnect_sse

from bench import peers
from engine.harness import END, EXAMPLE, START
from engine.model_files import model_folder
from gateway.config import EMBEDDED_NAME, GatewaySettings, HttpUpstreamSettings
from tests.e2e.test_qwen import only, stream, text
from tests.fakes.cluster import Cluster

FORM = f"You always answer in this form:\n{START}\nOkay, the user asks ...\n{END}\n\nThe answer."
"""Over a plain API nothing begins the model's turn for it; with this and the example it thinks all the same."""
QUESTION = "Which is longer, a mile or a kilometre?"
ASKED: dict[str, Any] = {
    "messages": [{"role": "system", "content": FORM}, *EXAMPLE, {"role": "user", "content": QUESTION}],
    "temperature": 0,
    "max_tokens": 120,
}
QUIET = {"prompt_summary": False, "reasoning": {"summary": "none"}}


@pytest.fixture
def transformers_serve(tmp_path: Path) -> Iterator[str]:
    log = tmp_path / "transformers.log"
    with peers.transformers_serve(log) as url:
        yield url
        print(log.read_text(errors="replace"))


async def test_transformers_serve(http: httpx.AsyncClient, cluster: Cluster, transformers_serve: str) -> None:
    await assert_same(http, cluster, transformers_serve, model=str(model_folder("embedded")))


async def test_the_qwen_as_a_plain_api(http: httpx.AsyncClient, cluster: Cluster, url: str) -> None:
    await assert_same(http, cluster, f"{url}/upstream/v1")


@pytest.mark.vllm
async def test_vllm(http: httpx.AsyncClient, cluster: Cluster) -> None:
    await assert_same(http, cluster, os.environ["VLLM_URL"])


async def assert_same(http: httpx.AsyncClient, cluster: Cluster, api: str, model: str = EMBEDDED_NAME) -> None:
    asked = {**ASKED, "model": model}
    # Its prompt's KV blocks stay, and change the shapes that later answers are computed in: both are to find them.
    await deltas(http, api, {**asked, "max_tokens": 1})
    reasoning, response = split(await deltas(http, api, asked))
    assert reasoning
    assert response
    events = await stream(http, gateway(cluster, api, model), {**asked, **QUIET})
    assert text(events, "reasoning.delta") == reasoning
    assert text(events, "response.delta") == response
    assert only(events, "stream.completed")["finish_reason"] == "stop"


async def deltas(http: httpx.AsyncClient, api: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the API's own answer."""
    async with aconnect_sse(http, "POST", f"{api}/chat/completions", json={**asked, "stream": True}) as source:
        source.response.raise_for_status()
        chunks = [json.loads(event.data) async for event in source.aiter_sse() if event.data != "[DONE]"]
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def split(deltas: list[dict[str, Any]]) -> tuple[str, str]:
    """Reasoning and response: in fields as they are, in marked text without the newlines beside the markers."""
    fields = ("reasoning_content", "content")
    reasoning, content = ("".join(delta.get(field) or "" for delta in deltas) for field in fields)
    if reasoning:
        return reasoning, content
    before, marked = content.split(START)
    thought, answer = marked.split(END)
    assert not before
    return thought.strip("\n"), answer.lstrip("\n")


def gateway(cluster: Cluster, api: str, model: str) -> str:
    """The address of a gateway in front of the API."""
    from ray import serve

    import graph

    name = f"peer-{urlsplit(api).port}"
    upstream = HttpUpstreamSettings(url=api, models=(model,))
    settings = GatewaySettings(upstream=None, http_upstreams=(upstream,))
    serve.run(graph.build(settings), name=name, route_prefix=f"/{name}")
    return cluster.url(f"/{name}")

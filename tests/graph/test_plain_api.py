"""The plain API on real Serve in front of another application's upstream, and the gateway in front of the plain API."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse

from gateway.config import GatewaySettings, HttpUpstreamSettings, PlainApiSettings
from tests.conftest import Cluster
from tests.graph.scripted_upstream import ScriptedUpstream
from tests.graph.test_graph import THOUGHT, bare, body, stream
from tests.graph.test_http_upstream import QUIET, WHOLE

MODEL = "deepseek-r1"


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    from ray import serve

    import graph

    upstream = serve.deployment(**graph.STREAMS, ray_actor_options={"num_cpus": 0.1})(ScriptedUpstream).bind()
    serve.run(graph.connect(GatewaySettings(), {"qwen": upstream}), name="plain-qwen", route_prefix="/plain-qwen")
    settings = PlainApiSettings(application="plain-qwen", deployment="ScriptedUpstream", model=MODEL)
    serve.run(graph.build_upstream_api(settings), name="plain", route_prefix="/plain")
    return cluster.url("/plain/v1")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


async def chunks(http: httpx.AsyncClient, url: str, asked: dict[str, Any]) -> list[Any]:
    async with aconnect_sse(http, "POST", f"{url}/chat/completions", json=asked) as source:
        source.response.raise_for_status()
        events = [event.data async for event in source.aiter_sse()]
    return [event if event == "[DONE]" else json.loads(event) for event in events]


async def test_the_text_comes_as_the_model_marks_it(http: httpx.AsyncClient, url: str) -> None:
    asked = body(*THOUGHT, stream=True, stream_options={"include_usage": True}, model=MODEL)
    got = await chunks(http, url, asked)
    deltas = [chunk["choices"][0]["delta"] for chunk in got[:-2]]
    assert deltas == [{"role": "assistant", "content": THOUGHT[0]}, *({"content": text} for text in THOUGHT[1:]), {}]
    assert [chunk["choices"][0]["finish_reason"] for chunk in got[:-2]] == [None] * 4 + ["stop"]
    assert got[-2]["usage"]["completion_tokens"] == 3
    assert got[-1] == "[DONE]"


async def test_a_whole_completion(http: httpx.AsyncClient, url: str) -> None:
    answer = (await http.post(f"{url}/chat/completions", json=body(*THOUGHT))).json()
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "".join(THOUGHT)}
    assert [model["id"] for model in (await http.get(f"{url}/models")).json()["data"]] == [MODEL]


@pytest.mark.parametrize(
    ("asked", "status", "param"),
    [
        ({"wish": 1}, 400, "wish"),
        ({"n": 2}, 400, "n"),
        ({"max_completion_tokens": 0}, 400, "max_completion_tokens"),
        ({"reasoning": {"budget": 1}}, 400, "reasoning"),
        ({"model": "gpt-9"}, 404, "model"),
    ],
)
async def test_a_bad_request_is_refused(
    http: httpx.AsyncClient, url: str, asked: dict[str, Any], status: int, param: str
) -> None:
    response = await http.post(f"{url}/chat/completions", json=body("a", **asked))
    assert (response.status_code, response.json()["error"]["param"]) == (status, param)


async def test_an_error_in_mid_stream(http: httpx.AsyncClient, url: str) -> None:
    got = await chunks(http, url, body("So", {"fail": "it broke"}, stream=True))
    assert got[0]["choices"][0]["delta"]["content"] == "So"
    assert got[1]["error"]["message"] == "it broke"
    assert len(got) == 2


async def test_a_client_that_leaves_stops_the_generation(http: httpx.AsyncClient, url: str) -> None:
    health = url.replace("/plain/v1", "/plain-qwen/health")
    asked = body("So", {"hang": True}, stream=True)
    async with http.stream("POST", f"{url}/chat/completions", json=asked) as response:
        pieces = response.aiter_bytes()
        await anext(pieces)
        assert (await http.get(health)).json()["running"] == 1
    left = time.monotonic()
    while (await http.get(health)).json()["running"]:
        assert time.monotonic() - left < 1


async def test_the_gateway_pointed_at_it_by_url_gives_the_same(
    http: httpx.AsyncClient, url: str, cluster: Cluster
) -> None:
    from ray import serve

    import graph

    upstream = HttpUpstreamSettings(url=url, models=(MODEL,))
    settings = GatewaySettings(upstream=None, http_upstreams=(upstream,))
    serve.run(graph.build(settings), name="pointed", route_prefix="/pointed")
    events = await stream(http, cluster.url("/pointed"), body(*THOUGHT, **QUIET))
    assert bare(events) == WHOLE

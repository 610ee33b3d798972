"""A full gateway: streams beyond its limits are told so at once, and everything else is answered."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from gateway.config import GatewaySettings, LimitSettings
from tests.fakes.cluster import Cluster
from tests.fakes.gateway_calls import (
    THOUGHT,
    THOUGHT_WITHOUT_SUMMARIES,
    WITHOUT_SUMMARIES,
    body,
    stream,
    stream_in_reasoning,
    types_and_texts,
    until_running,
)
from tests.fakes.scripted_upstream import scripted_upstream

SILENT = body("<think>So", {"hang": True}, **WITHOUT_SUMMARIES)
FULL = "the gateway has as many streams as it takes; try again shortly"
PARSER_FULL = "the gateway is at capacity; try again shortly"
ONE_CLIENT = "too many concurrent streams (limit 2 for each client); wait for one to end"


@pytest.fixture
async def other() -> AsyncIterator[httpx.AsyncClient]:
    """A client at another of this machine's addresses."""
    transport = httpx.AsyncHTTPTransport(local_address="127.0.0.2")
    async with httpx.AsyncClient(transport=transport, timeout=30) as client:
        yield client


def deployed(cluster: Cluster, name: str, **limits: int) -> Iterator[str]:
    """Deploy the graph over a scripted upstream with these limits as the application `name`, and yield its URL."""
    from ray import serve

    import graph

    settings = GatewaySettings(limits=LimitSettings(**limits))
    upstream = scripted_upstream(name=f"ScriptedUpstream-{name}")
    serve.run(graph.connect(settings, {"qwen": upstream}), name=name, route_prefix=f"/{name}")
    yield cluster.url(f"/{name}")
    serve.delete(name, _blocking=False)


@pytest.fixture(scope="module")
def small(cluster: Cluster) -> Iterator[str]:
    yield from deployed(cluster, "small", streams_per_replica=3, streams_per_client=2)


@pytest.fixture(scope="module")
def small_parser(cluster: Cluster) -> Iterator[str]:
    yield from deployed(cluster, "small-parser", calls=2)


def told(answer: httpx.Response) -> tuple[Any, ...]:
    """Return the status of a refusal, when to come back, and its code and message."""
    error = answer.json()["error"]
    return answer.status_code, answer.headers["retry-after"], error["code"], error["message"]


@pytest.mark.parametrize("route", ["reasoning", "chat/completions", "responses"])
async def test_streams_beyond_the_limits_are_told_so_and_everything_else_is_answered(
    http: httpx.AsyncClient, other: httpx.AsyncClient, small: str, route: str
) -> None:
    async with AsyncExitStack() as streams:
        for client in (http, http, other):
            await streams.enter_async_context(stream_in_reasoning(client, small, SILENT))
        refused = [told(await client.post(f"{small}/v1/{route}", json=SILENT)) for client in (http, other)]
        answered = [await http.get(f"{small}/{path}") for path in ("health", "v1/models")]
    assert refused == [(429, "2", "rate_limit_exceeded", ONE_CLIENT), (503, "2", "overloaded", FULL)]
    assert [answer.status_code for answer in answered] == [200, 200]
    assert answered[0].json() == {"status": "ok", "running": 3}
    await until_running(0, http, small)
    events = await stream(http, small, body(*THOUGHT, **WITHOUT_SUMMARIES))
    assert types_and_texts(events) == THOUGHT_WITHOUT_SUMMARIES


async def test_streams_beyond_the_calls_of_a_parser_are_told_so_and_the_gateway_is_healthy(
    http: httpx.AsyncClient, small_parser: str
) -> None:
    async with AsyncExitStack() as streams:
        for _ in range(2):
            await streams.enter_async_context(stream_in_reasoning(http, small_parser, SILENT))
        refused = await http.post(f"{small_parser}/v1/reasoning", json=SILENT)
        healthy = await http.get(f"{small_parser}/health")
    assert told(refused) == (503, "2", "overloaded", PARSER_FULL)
    assert (healthy.status_code, healthy.json()) == (200, {"status": "ok", "running": 2})
    await until_running(0, http, small_parser)

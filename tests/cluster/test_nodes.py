"""The graph on several nodes: where the Qwen lands, how deployments grow, and what a redeploy or a lost node breaks."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse

from gateway.config import GatewaySettings, UpstreamSettings
from tests.cluster.conftest import Nodes, scaled, until
from tests.conftest import Cluster
from tests.graph.test_graph import stream

pytestmark = pytest.mark.cluster

DEPLOYMENTS = {"Ingress", "StreamParser", "Summarizer", "QwenUpstream"}
LAST = {"stream.completed", "stream.failed"}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=120, limits=httpx.Limits(max_connections=None)) as client:
        yield client


def asked(tokens: int) -> dict[str, Any]:
    """A stream of as many tokens, half of them reasoning: the model ends none by itself."""
    messages = [{"role": "user", "content": "How many days are there in three weeks?"}]
    return {"messages": messages, "max_tokens": tokens, "reasoning": {"budget": tokens // 2}}


class Stream:
    """A stream that runs beside the test."""

    def __init__(self, http: httpx.AsyncClient, url: str, tokens: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.task = asyncio.create_task(self._read(http, url, tokens))

    def reasons(self) -> bool:
        return any(event["type"] == "reasoning.delta" for event in self.events)

    async def _read(self, http: httpx.AsyncClient, url: str, tokens: int) -> None:
        async with aconnect_sse(http, "POST", f"{url}/v1/reasoning", json=asked(tokens)) as source:
            source.response.raise_for_status()
            async for event in source.aiter_sse():
                self.events.append(json.loads(event.data))


async def started(http: httpx.AsyncClient, url: str, count: int, tokens: int) -> list[Stream]:
    """As many streams, all in the midst of their reasoning."""
    streams = [Stream(http, url, tokens) for _ in range(count)]
    await until(lambda: all(one.reasons() for one in streams))
    assert not any(one.task.done() for one in streams)
    return streams


def ended(events: list[dict[str, Any]]) -> str:
    """The type of the one last event; no event before it is missing."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    (last,) = [event["type"] for event in events if event["type"] in LAST]
    assert last == events[-1]["type"]
    return str(last)


async def test_the_qwen_lands_on_the_node_with_a_gpu_and_nowhere_else(
    nodes: Nodes, deployed: dict[str, Any], http: httpx.AsyncClient
) -> None:
    scaled(deployed, {"min_replicas": 2, "max_replicas": 2}, "QwenUpstream")
    nodes.deploy(deployed)
    await until(lambda: len(nodes.replicas("QwenUpstream")) == 2)
    assert {node for _, node in nodes.replicas("QwenUpstream")} == {nodes.gpu}
    assert ended(await stream(http, nodes.url, asked(20))) == "stream.completed"


@pytest.mark.usefixtures("deployed")
async def test_a_node_with_a_replica_serves_the_api_too(nodes: Nodes, http: httpx.AsyncClient) -> None:
    url = nodes.urls[nodes.gpu]
    await until(lambda: serves(url))
    assert ended(await stream(http, url, asked(20))) == "stream.completed"


def serves(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False


async def test_where_there_is_no_gpu_the_qwen_runs_on_the_cpu(
    cluster: Cluster, tiny: dict[str, Any], http: httpx.AsyncClient
) -> None:
    import ray
    from ray import serve

    import graph

    assert "GPU" not in ray.cluster_resources()  # type: ignore[no-untyped-call]
    settings = GatewaySettings(upstream=UpstreamSettings(**tiny))
    serve.run(graph.build(settings), name="cpu", route_prefix="/cpu")
    assert ended(await stream(http, cluster.url("/cpu"), asked(20))) == "stream.completed"
    serve.delete("cpu", _blocking=False)


async def test_a_lost_node_fails_its_own_streams_once_each_and_no_other(
    nodes: Nodes, deployed: dict[str, Any], http: httpx.AsyncClient
) -> None:
    lost = await asyncio.to_thread(nodes.add, num_cpus=4, num_gpus=1)
    scaled(deployed, {"min_replicas": 3, "max_replicas": 3}, "QwenUpstream")
    nodes.deploy(deployed)
    await until(lambda: len(nodes.replicas("QwenUpstream")) == 3)
    assert {node for _, node in nodes.replicas("QwenUpstream")} == {nodes.gpu, lost}

    streams = await started(http, nodes.url, 18, tokens=300)
    await asyncio.to_thread(nodes.remove, lost)
    at_once = await asyncio.gather(*(stream(http, nodes.url, asked(20)) for _ in range(6)))
    await until(lambda: len(nodes.replicas("QwenUpstream")) == 2)  # now everybody knows
    after = await asyncio.gather(*(stream(http, nodes.url, asked(20)) for _ in range(6)))
    assert [ended(events) for events in after] == ["stream.completed"] * 6

    await asyncio.gather(*(one.task for one in streams))
    begun = [*at_once, *(one.events for one in streams)]
    broken = [events[-1]["error"] for events in begun if ended(events) == "stream.failed"]
    assert 1 <= len(broken) < len(streams)
    assert {(error["stage"], error["retryable"]) for error in broken} == {("upstream", True)}


async def test_every_deployment_grows_with_the_load_and_shrinks_again(
    nodes: Nodes, deployed: dict[str, Any], http: httpx.AsyncClient
) -> None:
    quick = {"max_replicas": 2, "upscale_delay_s": 0, "downscale_delay_s": 2, "look_back_period_s": 2}
    scaled(deployed, {**quick, "metrics_interval_s": 0.5, "target_ongoing_requests": 4})
    scaled(deployed, {**quick, "metrics_interval_s": 0.5, "target_ongoing_requests": 1}, "Summarizer")
    nodes.deploy(deployed)
    grown, shrunk = asyncio.Event(), asyncio.Event()
    ends: Counter[str] = Counter()

    async def client(end: asyncio.Event) -> None:
        while not end.is_set():
            ends[ended(await stream(http, nodes.url, asked(100)))] += 1

    clients = [asyncio.create_task(client(end)) for end in [shrunk, *[grown] * 15]]
    await until(lambda: all(len(nodes.replicas(name)) == 2 for name in DEPLOYMENTS))
    grown.set()
    await until(lambda: set(nodes.count().values()) == {1})
    shrunk.set()
    await asyncio.gather(*clients)
    assert set(ends) == {"stream.completed"}


async def test_a_redeploy_under_thirty_streams_drops_none(
    nodes: Nodes, deployed: dict[str, Any], http: httpx.AsyncClient
) -> None:
    old = {name: nodes.replicas(name) for name in DEPLOYMENTS}
    streams = await started(http, nodes.url, 30, tokens=1200)
    deployed["applications"][0]["args"]["deadlines"]["prompt_summary"] = 6
    await asyncio.to_thread(nodes.deploy, deployed)
    await until(lambda: all(nodes.replicas(name) and not nodes.replicas(name) & old[name] for name in DEPLOYMENTS))
    assert not all(one.task.done() for one in streams)  # the old replicas still have what they began
    assert ended(await stream(http, nodes.url, asked(20))) == "stream.completed"
    await asyncio.gather(*(one.task for one in streams))
    assert [ended(one.events) for one in streams] == ["stream.completed"] * 30

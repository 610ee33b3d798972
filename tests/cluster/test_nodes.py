"""The graph on several nodes: placement of the Qwen, autoscaling, redeployment, and the loss of a node."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse

from gateway.config import GatewaySettings
from gateway.upstream_settings import UpstreamSettings
from tests.fakes.cluster import Cluster
from tests.fakes.gateway_calls import stream
from tests.fakes.nodes import Nodes, set_scaling
from tests.fakes.polling import until

pytestmark = pytest.mark.cluster

DEPLOYMENTS = {"Ingress", "StreamParser", "Summarizer", "QwenUpstream"}
LAST = {"stream.completed", "stream.failed"}


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=120, limits=httpx.Limits(max_connections=None)) as client:
        yield client


def request(tokens: int) -> dict[str, Any]:
    """Return a request for a stream of exactly `tokens` tokens, half of them reasoning: the model never stops."""
    messages = [{"role": "user", "content": "How many days are there in three weeks?"}]
    return {"messages": messages, "max_tokens": tokens, "reasoning": {"budget": tokens // 2}}


class Stream:
    """A stream that is read in a task of its own."""

    def __init__(self, http: httpx.AsyncClient, url: str, tokens: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.task = asyncio.create_task(self._read(http, url, tokens))

    def reasons(self) -> bool:
        return any(event["type"] == "reasoning.delta" for event in self.events)

    async def _read(self, http: httpx.AsyncClient, url: str, tokens: int) -> None:
        async with aconnect_sse(http, "POST", f"{url}/v1/reasoning", json=request(tokens)) as source:
            source.response.raise_for_status()
            async for event in source.aiter_sse():
                self.events.append(json.loads(event.data))


async def started(http: httpx.AsyncClient, url: str, count: int, tokens: int) -> list[Stream]:
    """Start `count` streams, and return them when all have begun and none has ended."""
    streams = [Stream(http, url, tokens) for _ in range(count)]
    await until(lambda: all(one.reasons() for one in streams))
    assert not any(one.task.done() for one in streams)
    return streams


def ended(events: list[dict[str, Any]]) -> str:
    """Return the type of the last event. Assert that it is the only one of its kind, and that no event is missing."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    (last,) = [event["type"] for event in events if event["type"] in LAST]
    assert last == events[-1]["type"]
    return str(last)


async def test_the_qwen_runs_only_on_the_node_with_a_gpu(
    nodes: Nodes, deployed: dict[str, Any], http: httpx.AsyncClient
) -> None:
    set_scaling(deployed, {"min_replicas": 2, "max_replicas": 2}, "QwenUpstream")
    nodes.deploy(deployed)
    await until(lambda: len(nodes.replicas("QwenUpstream")) == 2)
    assert {node for _, node in nodes.replicas("QwenUpstream")} == {nodes.gpu}
    assert ended(await stream(http, nodes.url, request(20))) == "stream.completed"


@pytest.mark.usefixtures("deployed")
async def test_every_node_with_a_replica_serves_the_api(nodes: Nodes, http: httpx.AsyncClient) -> None:
    url = nodes.urls[nodes.gpu]
    await until(lambda: serves(url))
    assert ended(await stream(http, url, request(20))) == "stream.completed"


def serves(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").is_success
    except httpx.TransportError:
        return False


async def test_the_qwen_runs_on_the_cpu_if_the_cluster_has_no_gpu(
    cluster: Cluster, tiny: dict[str, Any], http: httpx.AsyncClient
) -> None:
    import ray
    from ray import serve

    import graph

    assert "GPU" not in ray.cluster_resources()  # type: ignore[no-untyped-call]
    settings = GatewaySettings(upstream=UpstreamSettings(**tiny))
    serve.run(graph.build(settings), name="cpu", route_prefix="/cpu")
    assert ended(await stream(http, cluster.url("/cpu"), request(20))) == "stream.completed"
    serve.delete("cpu", _blocking=False)


async def test_the_loss_of_a_node_fails_only_the_streams_on_it(
    nodes: Nodes, deployed: dict[str, Any], http: httpx.AsyncClient
) -> None:
    lost = await asyncio.to_thread(nodes.add, num_cpus=4, num_gpus=1)
    set_scaling(deployed, {"min_replicas": 3, "max_replicas": 3}, "QwenUpstream")
    nodes.deploy(deployed)
    await until(lambda: len(nodes.replicas("QwenUpstream")) == 3)
    assert {node for _, node in nodes.replicas("QwenUpstream")} == {nodes.gpu, lost}

    streams = await started(http, nodes.url, 18, tokens=300)
    await asyncio.to_thread(nodes.remove, lost)
    at_once = await asyncio.gather(*(stream(http, nodes.url, request(20)) for _ in range(6)))
    await until(lambda: len(nodes.replicas("QwenUpstream")) == 2)  # the loss has been noticed everywhere
    after = await asyncio.gather(*(stream(http, nodes.url, request(20)) for _ in range(6)))
    assert [ended(events) for events in after] == ["stream.completed"] * 6

    await asyncio.gather(*(one.task for one in streams))
    begun = [*at_once, *(one.events for one in streams)]
    broken = [events[-1]["error"] for events in begun if ended(events) == "stream.failed"]
    assert 1 <= len(broken) < len(streams)
    assert {(error["stage"], error["retryable"]) for error in broken} == {("upstream", True)}


async def test_every_deployment_is_scaled_up_under_load_and_down_after_it(
    nodes: Nodes, deployed: dict[str, Any], http: httpx.AsyncClient
) -> None:
    quick = {"max_replicas": 2, "upscale_delay_s": 0, "downscale_delay_s": 2, "look_back_period_s": 2}
    set_scaling(deployed, {**quick, "metrics_interval_s": 0.5, "target_ongoing_requests": 4})
    set_scaling(deployed, {**quick, "metrics_interval_s": 0.5, "target_ongoing_requests": 1}, "Summarizer")
    nodes.deploy(deployed)
    grown, shrunk = asyncio.Event(), asyncio.Event()
    ends: Counter[str] = Counter()

    async def client(end: asyncio.Event) -> None:
        while not end.is_set():
            ends[ended(await stream(http, nodes.url, request(100)))] += 1

    clients = [asyncio.create_task(client(end)) for end in [shrunk, *[grown] * 15]]
    await until(lambda: all(len(nodes.replicas(name)) == 2 for name in DEPLOYMENTS))
    grown.set()
    await until(lambda: set(nodes.count().values()) == {1})
    shrunk.set()
    await asyncio.gather(*clients)
    assert set(ends) == {"stream.completed"}


async def test_a_redeployment_drops_none_of_thirty_streams(
    nodes: Nodes, deployed: dict[str, Any], http: httpx.AsyncClient
) -> None:
    old = {name: nodes.replicas(name) for name in DEPLOYMENTS}
    streams = await started(http, nodes.url, 30, tokens=1200)
    deployed["applications"][0]["args"]["deadlines"]["prompt_summary"] = 6
    await asyncio.to_thread(nodes.deploy, deployed)
    await until(lambda: all(nodes.replicas(name) and not nodes.replicas(name) & old[name] for name in DEPLOYMENTS))
    assert not all(one.task.done() for one in streams)  # the old replicas still run the streams that they began
    assert ended(await stream(http, nodes.url, request(20))) == "stream.completed"
    await asyncio.gather(*(one.task for one in streams))
    assert [ended(one.events) for one in streams] == ["stream.completed"] * 30

"""Calls of a client over real sockets: which items belong to which call, which connection it uses, what is retried."""

import asyncio
from collections.abc import Awaitable
from contextlib import aclosing

import pytest
from grpc import StatusCode
from grpc.aio import AioRpcError, Metadata
from ray.exceptions import RayActorError

from deployments.rpc.client import MAX_CONNECTIONS, RETRY_SECONDS, single_item
from deployments.telemetry.serve_internals import set_request_id
from gateway.errors import Failure, GatewayError, Stopping, UpstreamError
from tests.fakes.replicas import Replica, all_items, client_of

ATTEMPTS = 1 + len(RETRY_SECONDS)


async def test_a_call_yields_its_items_in_order() -> None:
    async with client_of(Replica()) as (client, _):
        assert await all_items(client, "echo", ["a", "b"], ["c"]) == ["a", "b", "c"]
        assert await all_items(client, "echo") == []


async def test_concurrent_calls_share_a_few_connections_and_none_of_their_items() -> None:
    async with client_of(Replica()) as (client, handle):
        answers = await asyncio.gather(*(all_items(client, "echo", [n, "a"], [n, "b"]) for n in range(50)))
        assert answers == [[n, "a", n, "b"] for n in range(50)]
        assert len(handle.leases) == MAX_CONNECTIONS


async def test_successive_calls_share_one_connection() -> None:
    async with client_of(Replica()) as (client, handle):
        for n in range(3):
            assert await all_items(client, "echo", [n]) == [n]
        assert len(handle.leases) == 1


async def test_a_client_that_calls_nothing_opens_no_connection() -> None:
    async with client_of(Replica()) as (_, handle):
        assert handle.leases == []


async def test_calls_are_shared_among_the_replicas_that_serve_picks() -> None:
    replicas = [Replica(), Replica()]
    async with client_of(*replicas) as (client, _):
        calls = [client.call("hang", ["a"]) for _ in range(2 * MAX_CONNECTIONS)]
        assert [await anext(call) for call in calls] == [["a"]] * len(calls)
        reported = [await replica.record_autoscaling_stats() for replica in replicas]
        assert reported == [{"calls": MAX_CONNECTIONS}] * 2
        for call in calls:
            await call.aclose()


async def test_the_id_of_the_request_goes_with_its_calls() -> None:
    async with client_of(Replica()) as (client, _):
        for id in ("request-1", "request-2"):
            set_request_id(id)
            assert await all_items(client, "request_ids") == [id]


async def test_a_single_item_ends_its_call() -> None:
    replica = Replica()
    async with client_of(replica) as (client, _):
        assert await single_item(client.call("hang", ["a"])) == "a"
        assert await replica.events.get() == "hang ended"


DIED: list[BaseException] = [
    RayActorError(),
    AioRpcError(StatusCode.UNAVAILABLE, Metadata(), Metadata()),
    ConnectionRefusedError(),
]


@pytest.mark.parametrize("error", DIED, ids=lambda error: type(error).__name__)
async def test_a_call_is_retried_if_its_replica_dies_before_the_first_frame(error: BaseException) -> None:
    async with client_of(error, error, Replica()) as (client, handle):
        assert await all_items(client, "echo", ["a"]) == ["a"]
        assert len(handle.leases) == ATTEMPTS


async def test_a_call_is_retried_a_few_times_only() -> None:
    async with client_of(RayActorError()) as (client, handle):
        with pytest.raises(UpstreamError, match="ask again"):
            await all_items(client, "echo", ["a"])
        assert len(handle.leases) == ATTEMPTS


async def test_a_call_is_not_retried_if_its_replica_dies_after_the_first_frame() -> None:
    replica = Replica()
    async with client_of(replica) as (client, handle), aclosing(client.call("hang", ["a"])) as running:
        assert await anext(running) == ["a"]
        await replica.aclose()
        with pytest.raises(UpstreamError, match="ask again"):
            await anext(running)
        assert len(handle.leases) == 1


async def test_every_call_of_a_client_that_is_stopped_fails_with_the_reason_and_is_cancelled_at_the_replica() -> None:
    replica = Replica()
    async with client_of(replica) as (client, handle):
        running, connecting = client.call("hang", ["a"]), asyncio.create_task(all_items(client, "hang", ["a"]))
        assert await anext(running) == ["a"]
        waiting = asyncio.create_task(all_items(client, "hang", ["a"]))
        await asyncio.sleep(0)
        await client.stop(Stopping("ask again later"))
        failures = [await _failure(call) for call in (anext(running), connecting, waiting, all_items(client, "echo"))]
        assert failures == [Stopping("ask again later").failure()] * 4
        assert await replica.events.get() == "hang ended"
        leases = len(handle.leases)
        with pytest.raises(Stopping):
            await all_items(client, "echo")
        assert len(handle.leases) == leases


async def _failure(call: Awaitable[object]) -> Failure:
    with pytest.raises(GatewayError) as raised:
        await call
    return raised.value.failure()

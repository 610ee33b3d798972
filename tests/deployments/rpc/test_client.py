"""Calls between deployments over links with real sockets: whose items are whose, and what ends them."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import pytest
import stamina
from grpc import StatusCode
from grpc.aio import AioRpcError, Metadata
from ray.exceptions import RayActorError, RayTaskError
from ray.serve._private.common import DeploymentID
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from deployments.rpc.client import ATTEMPTS, LINKS, RpcClient
from deployments.rpc.connection import FrameLost
from deployments.rpc.protocol import Address, CallOutput, Frame, packed
from deployments.rpc.server import RpcServer
from deployments.telemetry.serve_internals import set_request_id
from gateway.errors import ContextTooLong, Failed, GatewayError, NotReady, OurError, Overloaded, UpstreamError
from gateway.pacing import MOST
from tests.fakes.replicas import Replica, called, here, taken, until

__all__ = ["here"]


@pytest.fixture(autouse=True)
def no_wait_between_attempts() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield


async def test_the_items_of_a_call_in_their_order() -> None:
    async with called(Replica()) as (peer, _):
        assert await taken(peer, "say", ["a", "b"], ["c"]) == ["a", "b", "c"]
        assert await taken(peer, "say") == []


async def test_calls_at_once_share_a_few_links_and_none_of_their_items() -> None:
    async with called(Replica()) as (peer, handle):
        answers = await asyncio.gather(*(taken(peer, "say", [n, "a"], [n, "b"]) for n in range(50)))
        assert answers == [[n, "a", n, "b"] for n in range(50)]
        assert len(handle.leases) == LINKS


async def test_calls_one_after_the_other_share_one_link() -> None:
    async with called(Replica()) as (peer, handle):
        for n in range(3):
            assert await taken(peer, "say", [n]) == [n]
        assert len(handle.leases) == 1


async def test_the_replicas_that_serve_picks_share_the_calls() -> None:
    replicas = [Replica(), Replica()]
    async with called(*replicas) as (peer, _):
        calls = [peer.call("hang", ["a"]) for _ in range(2 * LINKS)]
        assert [await anext(call) for call in calls] == [["a"]] * len(calls)
        assert [(await replica.record_autoscaling_stats())["calls"] for replica in replicas] == [LINKS, LINKS]
        for call in calls:
            await call.aclose()


async def test_an_old_link_takes_no_new_call_and_ends_with_its_last_one() -> None:
    replica = Replica()
    async with called(replica) as (peer, handle):
        running = peer.call("hang", ["a"])
        await anext(running)
        (old,) = peer._links
        old._age()
        assert await taken(peer, "say", ["b"]) == ["b"]
        assert len(handle.leases) == 2
        assert not handle.leases[0].cancelled
        replica.more.set()
        assert [batch async for batch in running] == [["more"]]
        await until(lambda: handle.leases[0].cancelled)
        assert not handle.leases[1].cancelled


async def test_a_call_that_is_given_up_is_cancelled_at_the_other_end_and_no_other() -> None:
    replica = Replica()
    async with called(replica) as (peer, _):
        staying, leaving = [peer.call("hang", ["a"]) for _ in range(2)]
        await anext(staying), await anext(leaving)
        await leaving.aclose()
        await until(lambda: replica.stopped == 1)
        replica.more.set()
        assert [batch async for batch in staying] == [["more"]]


async def test_all_calls_end_with_their_caller() -> None:
    replica = Replica()
    async with called(replica) as (peer, _):
        calls = [peer.call("hang", ["a"]) for _ in range(3)]
        for call in calls:
            await anext(call)
    await until(lambda: replica.stopped == 3)
    assert await replica.record_autoscaling_stats() == {"calls": 0}


async def test_a_failure_is_raised_behind_what_came() -> None:
    seen: list[Any] = []
    async with called(Replica()) as (peer, _):
        with pytest.raises(Failed) as raised:
            async for batch in peer.call("refuse", ["a"], ["b"]):
                seen += batch
    assert seen == ["a", "b"]
    assert raised.value.failure() == ContextTooLong("9 tokens, 8 fit", param="messages").failure()


@pytest.mark.parametrize("method", ["break_down", "give_up", "no_such_method"])
async def test_a_fault_of_ours_is_told_without_its_text(method: str) -> None:
    async with called(Replica()) as (peer, _):
        with pytest.raises(Failed) as raised:
            await taken(peer, method)
    assert raised.value.failure() == OurError("a deployment failed; its log says why").failure()


async def test_more_calls_than_a_replica_takes_are_refused() -> None:
    async with called(Replica(most=1)) as (peer, _), aclosing(peer.call("hang", ["a"])) as running:
        await anext(running)
        with pytest.raises(Failed) as raised:
            await taken(peer, "say", ["b"])
        assert (raised.value.failure().type, raised.value.failure().status) == ("overloaded", 503)


async def test_who_asks_stands_in_the_context_of_the_answer() -> None:
    async with called(Replica()) as (peer, _):
        for id in ("asked-1", "asked-2"):
            set_request_id(id)
            assert await taken(peer, "who") == [id]


async def test_a_call_whose_items_nobody_takes_is_held() -> None:
    replica = Replica()
    async with called(replica) as (peer, _), aclosing(peer.call("count", 100 * MOST)) as numbers:
        first = list(await anext(numbers))
        held: list[int] = []
        for _ in range(1000):  # nothing is taken meanwhile, and other calls go on
            await taken(peer, "say", ["a"])
            held.append(replica.taken)
            if held[-100:] == [replica.taken] * 100:
                break
        assert MOST <= replica.taken < 90 * MOST
        assert first + [number async for batch in numbers for number in batch] == list(range(100 * MOST))


DIED: list[BaseException] = [
    RayActorError(),
    AioRpcError(StatusCode.UNAVAILABLE, Metadata(), Metadata()),
    ConnectionRefusedError(),
]


@pytest.mark.parametrize("error", DIED, ids=lambda error: type(error).__name__)
async def test_a_replica_that_dies_before_its_first_frame_is_called_again(error: BaseException) -> None:
    async with called(error, error, Replica()) as (peer, handle):
        assert await taken(peer, "say", ["a"]) == ["a"]
        assert len(handle.leases) == 3


async def test_a_call_is_made_again_a_few_times_only() -> None:
    async with called(RayActorError()) as (peer, handle):
        with pytest.raises(UpstreamError, match="ask again"):
            await taken(peer, "say", ["a"])
        assert len(handle.leases) == ATTEMPTS


async def test_a_replica_that_dies_behind_its_first_frame_is_not_called_again() -> None:
    replica = Replica()
    async with called(replica) as (peer, handle), aclosing(peer.call("hang", ["a"])) as running:
        assert await anext(running) == ["a"]
        (link,) = peer._links
        assert link._writer is not None
        link._writer.transport.abort()
        with pytest.raises(UpstreamError, match="ask again"):
            await anext(running)
        assert len(handle.leases) == 1


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (BackPressureError(num_queued_requests=1, max_queued_requests=1), Overloaded),
        (DeploymentUnavailableError(DeploymentID(name="QwenUpstream")), NotReady),
        (asyncio.CancelledError(), UpstreamError),
        (RayTaskError("link", "traceback", ZeroDivisionError("secret")), OurError),  # type: ignore[no-untyped-call]
        (ZeroDivisionError("secret"), OurError),
    ],
)
async def test_what_ray_says_of_a_link_becomes_a_failure_of_ours(
    error: BaseException, named: type[GatewayError]
) -> None:
    async with called(error) as (peer, handle):
        with pytest.raises(named) as raised:
            await taken(peer, "say", ["a"])
        assert "secret" not in raised.value.message
        assert len(handle.leases) == 1


class Forgetful(RpcServer):
    """Loses the second of three frames."""

    async def link(self) -> Any:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"".join(packed(Frame(number, [CallOutput(0, [number], False)])) for number in (0, 2)))
            await reader.read()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            yield Address("127.0.0.1", server.sockets[0].getsockname()[1], b"")
            await asyncio.Event().wait()


async def test_a_lost_frame_is_noticed() -> None:
    seen: list[Any] = []
    async with called(Forgetful(1)) as (peer, _):
        with pytest.raises(FrameLost):
            async for batch in peer.call("say"):
                seen += batch
    assert seen == [0]


async def test_a_peer_that_is_never_called_opens_nothing() -> None:
    async with called(Replica()) as (peer, handle):
        assert isinstance(peer, RpcClient)
        assert handle.leases == []

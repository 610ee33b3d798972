"""One connection at the calling end, over a real socket: cancellation, failures, flow control and its end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import pytest
from ray.exceptions import RayTaskError
from ray.serve._private.common import DeploymentID
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from deployments.rpc.connection import MAX_BUFFERED_ITEMS, FrameLost
from deployments.rpc.protocol import Address, CallOutput, Frame, encode
from deployments.rpc.server import RpcServer
from gateway.errors import ContextTooLong, Failed, GatewayError, NotReady, OurError, Overloaded, UpstreamError
from tests.fakes.replicas import Replica, all_items, client_of


async def test_an_old_connection_accepts_no_call_and_ends_with_its_last_one() -> None:
    replica = Replica()
    async with client_of(replica, accept_seconds=0) as (client, handle):
        running = client.call("hang", ["a"])
        assert await anext(running) == ["a"]
        assert await all_items(client, "echo", ["b"]) == ["b"]
        old, new = handle.leases
        await new.cancelled.wait()
        assert not old.cancelled.is_set()
        replica.finish.set()
        assert [batch async for batch in running] == [["more"]]
        await old.cancelled.wait()


async def test_closing_a_call_cancels_it_at_the_replica_and_no_other() -> None:
    replica = Replica()
    async with client_of(replica) as (client, _):
        staying, leaving = [client.call("hang", ["a"]) for _ in range(2)]
        await anext(staying), await anext(leaving)
        await leaving.aclose()
        assert await replica.events.get() == "hang ended"
        replica.finish.set()
        assert [batch async for batch in staying] == [["more"]]


async def test_all_calls_end_with_their_caller() -> None:
    replica = Replica()
    async with client_of(replica) as (client, _):
        calls = [client.call("hang", ["a"]) for _ in range(3)]
        for call in calls:
            await anext(call)
    assert [await replica.events.get() for _ in calls] == ["hang ended"] * 3
    assert await replica.record_autoscaling_stats() == {"calls": 0}


async def test_a_failure_is_raised_after_the_items_before_it() -> None:
    received: list[Any] = []
    async with client_of(Replica()) as (client, _):
        with pytest.raises(Failed) as raised:
            async for batch in client.call("refuse", ["a"], ["b"]):
                received += batch
    assert received == ["a", "b"]
    assert raised.value.failure() == ContextTooLong("9 tokens, 8 fit", param="messages").failure()


async def test_a_call_is_paused_while_nobody_takes_its_items() -> None:
    replica, end = Replica(), 100 * MAX_BUFFERED_ITEMS
    async with client_of(replica) as (client, _), aclosing(client.call("count", end)) as numbers:
        first = list(await anext(numbers))
        counts: list[int] = []
        for _ in range(1000):  # other calls go on meanwhile
            assert await all_items(client, "echo", ["a"]) == ["a"]
            counts.append(replica.counted)
            if counts[-100:] == [replica.counted] * 100:
                break
        assert MAX_BUFFERED_ITEMS <= replica.counted < 0.9 * end
        assert first + [number async for batch in numbers for number in batch] == list(range(end))


@pytest.mark.parametrize(
    ("error", "translated"),
    [
        (BackPressureError(num_queued_requests=1, max_queued_requests=1), Overloaded),
        (DeploymentUnavailableError(DeploymentID(name="QwenUpstream")), NotReady),
        (asyncio.CancelledError(), UpstreamError),
        (RayTaskError("f", "traceback", ZeroDivisionError("secret")), OurError),  # type: ignore[no-untyped-call]
        (ZeroDivisionError("secret"), OurError),
    ],
)
async def test_exceptions_of_ray_are_translated(error: BaseException, translated: type[GatewayError]) -> None:
    async with client_of(error) as (client, handle):
        with pytest.raises(translated) as raised:
            await all_items(client, "echo", ["a"])
        assert "secret" not in raised.value.message
        assert len(handle.leases) == 1


class SkipsAFrame(RpcServer):
    """Sends the first and the third of three frames."""

    async def serve_connection(self) -> AsyncGenerator[Address]:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"".join(encode(Frame(number, [CallOutput(0, [number])])) for number in (0, 2)))
            await reader.read()
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            yield Address("127.0.0.1", server.sockets[0].getsockname()[1], b"")
            await asyncio.Event().wait()


async def test_a_lost_frame_is_noticed() -> None:
    received: list[Any] = []
    async with client_of(SkipsAFrame(1)) as (client, _):
        with pytest.raises(FrameLost):
            async for batch in client.call("echo"):
                received += batch
    assert received == [0]

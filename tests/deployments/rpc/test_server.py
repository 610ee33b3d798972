"""The answering end over a real socket: who is admitted, and what becomes of calls."""

import asyncio
import pickle
from contextlib import aclosing
from typing import Any

import pytest

from deployments.rpc.channel import KEY_BYTES
from deployments.rpc.protocol import CallOutput, CancelCall, Decoder, Frame, Message, OpenCall, encode
from gateway.errors import Failed, OurError
from tests.fakes.replicas import Replica, all_items, client_of, expecting


async def answer_to(data: bytes, replica: Replica) -> bytes:
    """Return what a replica answers to a caller that sends this instead of its key, until it closes the socket."""
    async with aclosing(replica.serve_connection()) as lease:
        address = await anext(lease)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(data)
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
    await replica.aclose()
    return answer


class Bomb:
    gone_off = False

    def __reduce__(self) -> Any:
        return setattr, (Bomb, "gone_off", True)


async def test_a_caller_with_a_wrong_key_is_turned_away_and_nothing_is_unpickled() -> None:
    replica, data = Replica(), pickle.dumps(Bomb())
    assert await answer_to(bytes(KEY_BYTES) + len(data).to_bytes(4, "big") + data, replica) == b""
    assert not Bomb.gone_off
    assert await replica.record_autoscaling_stats() == {"calls": 0}


async def test_a_caller_that_sends_no_key_is_turned_away() -> None:
    assert await answer_to(b"half a key", Replica(connect_seconds=0.01)) == b""


async def test_a_caller_that_never_connects_is_given_up() -> None:
    replica = Replica(connect_seconds=0.01)
    async with aclosing(replica.serve_connection()) as lease:
        await anext(lease)
        with pytest.raises(TimeoutError):
            await anext(lease)
    await replica.aclose()


async def frame(reader: asyncio.StreamReader) -> Frame:
    """The next frame of a connection that has no other data on its way."""
    decoder = Decoder()
    while not (frames := decoder.feed(await reader.read(1))):
        pass
    (only,) = frames
    assert isinstance(only, Frame)
    return only


def sent(*messages: Message) -> bytes:
    return b"".join(map(encode, messages))


async def test_a_key_admits_one_caller() -> None:
    replica = Replica()
    async with expecting(replica) as address:
        first, second = [await asyncio.open_connection(address.host, address.port) for _ in range(2)]
        first[1].write(address.key + sent(OpenCall(0, "echo", (["a"],))))
        assert await frame(first[0]) == Frame(0, [CallOutput(0, ["a"], True)])
        second[1].write(address.key)
        assert await second[0].read() == b""
        for _, writer in (first, second):
            writer.close()


async def test_a_key_may_arrive_in_pieces() -> None:
    replica = Replica()
    async with expecting(replica) as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        for byte in address.key + sent(OpenCall(0, "echo", (["a"],))):
            writer.write(bytes([byte]))
            await writer.drain()
        assert await frame(reader) == Frame(0, [CallOutput(0, ["a"], True)])
        writer.close()


async def test_a_call_that_is_cancelled_before_it_begins_never_runs() -> None:
    replica = Replica()
    async with expecting(replica) as address:
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(address.key + sent(OpenCall(0, "hang", ()), CancelCall(0), OpenCall(1, "echo", (["a"],))))
        assert await frame(reader) == Frame(0, [CallOutput(1, ["a"], True)])
        assert await replica.record_autoscaling_stats() == {"calls": 0}
        assert replica.events.empty()
        writer.close()


@pytest.mark.parametrize("method", ["break_down", "give_up", "no_such_method"])
async def test_an_internal_error_is_reported_without_its_text(method: str) -> None:
    async with client_of(Replica()) as (client, _):
        with pytest.raises(Failed) as raised:
            await all_items(client, method)
    assert raised.value.failure() == OurError("a deployment failed; its log says why").failure()


async def test_a_replica_at_its_capacity_tells_that_it_runs() -> None:
    async with client_of(Replica(max_calls=1)) as (client, _), aclosing(client.call("hang", ["a"])) as running:
        await anext(running)
        assert await all_items(client, "running") == [2]


async def test_calls_beyond_the_capacity_of_a_replica_are_refused() -> None:
    async with client_of(Replica(max_calls=1)) as (client, _), aclosing(client.call("hang", ["a"])) as running:
        await anext(running)
        with pytest.raises(Failed) as raised:
            await all_items(client, "echo", ["b"])
        assert (raised.value.failure().type, raised.value.failure().status) == ("overloaded", 503)

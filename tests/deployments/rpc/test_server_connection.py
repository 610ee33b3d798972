"""The frames that the calls of a connection share, and when calls have to wait."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from deployments.rpc.channel import Channel
from deployments.rpc.protocol import CallOutput, Decoder, Frame
from deployments.rpc.server_connection import MAX_UNSENT_ITEMS, FrameWriter
from gateway.errors import Overloaded


class Transport(asyncio.Transport):
    """Keeps the messages that are written."""

    def __init__(self) -> None:
        super().__init__({"socket": socket.socket()})
        self.written: asyncio.Queue[Any] = asyncio.Queue()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        for message in Decoder().feed(bytes(data)):
            self.written.put_nowait(message)

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        self.get_extra_info("socket").close()


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport()
    yield transport
    transport.close()


@pytest.fixture
async def channel(transport: Transport) -> Channel:
    channel = Channel(lambda _: None)
    channel.connection_made(transport)
    return channel


async def test_outputs_of_one_iteration_of_the_loop_share_a_frame(channel: Channel, transport: Transport) -> None:
    frames, failure = FrameWriter(channel), Overloaded("try again").failure()
    frames.put(1, ["a"])
    frames.put(2, ["b"])
    frames.put(1, ["c"], over=True)
    assert await transport.written.get() == Frame(0, [CallOutput(1, ["a", "c"], True), CallOutput(2, ["b"])])
    frames.put(2, ["d"])
    frames.put(3, over=True, failure=failure)
    assert await transport.written.get() == Frame(1, [CallOutput(2, ["d"]), CallOutput(3, (), True, failure)])
    assert transport.written.empty()


async def test_a_call_waits_while_too_much_is_unsent(channel: Channel, transport: Transport) -> None:
    frames = FrameWriter(channel)
    frames.put(1, list(range(MAX_UNSENT_ITEMS)))
    await frames.room()
    assert transport.written.get_nowait() == Frame(0, [CallOutput(1, list(range(MAX_UNSENT_ITEMS)))])


async def test_a_call_waits_while_the_buffer_of_the_socket_is_full(channel: Channel) -> None:
    frames = FrameWriter(channel)
    channel.pause_writing()
    room = asyncio.ensure_future(frames.room())
    done, _ = await asyncio.wait({room}, timeout=0)
    assert not done
    channel.resume_writing()
    await room

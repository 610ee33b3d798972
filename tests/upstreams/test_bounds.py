"""APIs that send without end, over real sockets: how much of it is taken from them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest

from gateway.errors import UpstreamNotAStream
from gateway.slices import characters
from gateway.upstream import Message, Text, UpstreamRequest
from gateway.upstream_settings import HttpUpstreamSettings
from tests.fakes.garbage import is_freed_at_once
from upstreams.api_client import PIECE_BYTES, ApiClient
from upstreams.chat_api import LONGEST_EVENT, ChatApi

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
MEGABYTE = 1_048_576
BUFFERS = 16 * MEGABYTE
"""The most that the sockets of both ends and their readers may hold beside what has been read."""
ASKED = UpstreamRequest(id="1", model="m", messages=(Message(role="user", content="hi"),))


class EndlessApi:
    """Sends `first` and then `text` without end, in chunks of a megabyte; `sent` counts bytes that have left."""

    def __init__(self, text: bytes, first: bytes = b"") -> None:
        self._first, self._chunk = first, text * (MEGABYTE // len(text))
        self.sent = 0
        self.closed = asyncio.Event()

    @asynccontextmanager
    async def serve(self) -> AsyncGenerator[str]:
        async with await asyncio.start_server(self._answer, "127.0.0.1", 0) as server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(HEAD)
            for chunk in filter(None, (self._first, *[self._chunk] * 1500)):
                writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
                await writer.drain()
                self.sent += len(chunk)
        except ConnectionError:
            pass  # the client has left
        finally:
            writer.close()
            self.closed.set()


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[ChatApi]:
    api = ChatApi(HttpUpstreamSettings(url=url, models=("m",)), lambda _: None)
    try:
        yield api
    finally:
        await api.aclose()


@pytest.mark.parametrize("text", [b"x", b"data: [", b"data: x\n", b"event: x\n"])
async def test_an_event_that_does_not_end_is_refused_and_no_more_of_it_read(text: bytes) -> None:
    api = EndlessApi(text)
    async with api.serve() as url, asking(url) as upstream, asyncio.timeout(60):
        with pytest.raises(UpstreamNotAStream) as caught:
            async for _ in upstream.stream(ASKED, {}):
                pass
        await api.closed.wait()
    assert str(caught.value) == (
        "the upstream sent an event of more than 4,194,304 bytes, which is no event stream; check its url"
    )
    assert api.sent < LONGEST_EVENT + BUFFERS


async def test_what_came_before_an_event_that_does_not_end_is_kept() -> None:
    first = b'data: {"choices": [{"delta": {"content": "It is"}}]}\n\n'
    items: list[object] = []
    async with EndlessApi(b"x", first).serve() as url, asking(url) as upstream, asyncio.timeout(60):
        with pytest.raises(UpstreamNotAStream):
            async for batch in upstream.stream(ASKED, {}):
                items += batch
    assert items[1:] == [Text("It is")]


async def test_an_endless_answer_is_read_no_faster_than_it_is_used() -> None:
    event = b'data: {"choices": [{"delta": {"content": "%b"}}]}\n\n' % (b"x" * 1000)
    api, size = EndlessApi(event), 0
    async with api.serve() as url, asking(url) as upstream, asyncio.timeout(60):
        async with aclosing(upstream.stream(ASKED, {})) as batches:
            async for batch in batches:
                assert sum(map(characters, batch)) <= PIECE_BYTES
                size += sum(map(characters, batch))
                if size > MEGABYTE:
                    break
        await api.closed.wait()
    assert api.sent < size * 1.2 + BUFFERS


async def test_a_huge_chunk_is_read_in_pieces() -> None:
    api, sizes = EndlessApi(b"x"), list[int]()
    async with api.serve() as url:
        client = ApiClient(url, {}, 5)
        answer = await client.post("x", b"{}", {})
        while sum(sizes) < 2 * MEGABYTE:
            sizes.append(len(await answer.read()))
        answer.close()
        await client.aclose()
    assert max(sizes) == PIECE_BYTES


async def test_an_event_that_does_not_end_is_freed_with_its_failure() -> None:
    async with EndlessApi(b"x").serve() as url, asking(url) as upstream, asyncio.timeout(60):

        async def read() -> None:
            async for _ in upstream.stream(ASKED, {}):
                pass

        assert await is_freed_at_once(read(), UpstreamNotAStream)

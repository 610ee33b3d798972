"""The client for APIs over a real socket: what arrived before a connection broke, cookies, proxies, failures."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from unittest.mock import Mock

import aiohttp
import pytest

from upstreams.api_client import ApiClient, Broken, unread_bytes

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


@asynccontextmanager
async def served(answer: Answer) -> AsyncGenerator[str]:
    """The base URL of a server that gives each request's head to `answer`, and then closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await answer(head, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


@asynccontextmanager
async def client(url: str, headers: Mapping[str, str] | None = None) -> AsyncGenerator[ApiClient]:
    http = ApiClient(url, headers or {}, 5)
    yield http
    await http.aclose()


async def test_what_arrived_before_the_connection_broke_is_read() -> None:
    sent, broken = asyncio.Event(), asyncio.Event()

    async def cut(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        await sent.wait()
        writer.write(b"3\r\ntwo\r\n5\r\nthree\r\n")
        writer.close()
        await writer.wait_closed()
        broken.set()

    async with served(cut) as url, client(url) as http:
        answer = await http.post("x", b"{}", {})
        assert await answer.read() == b"one"
        sent.set()
        await broken.wait()
        rest = b""
        with pytest.raises(Broken):
            while chunk := await answer.read():
                rest += chunk
        assert rest == b"twothree"
        answer.close()


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 nonsense\r\n\r\n"])
async def test_an_answer_other_than_http_is_broken(answer: bytes) -> None:
    async def nonsense(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async with served(nonsense) as url, client(url) as http:
        with pytest.raises(Broken):
            await http.post("x", b"{}", {})


async def test_cookies_are_not_kept() -> None:
    heads: list[bytes] = []

    async def cookie(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head.lower())
        writer.write(HEAD + b"Set-Cookie: who=me\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    async with served(cookie) as url, client(url, {"X-Key": "1"}) as http:
        for _ in range(2):
            (await http.post("x", b"{}", {})).close()
    assert [(b"x-key: 1" in head, b"cookie" in head) for head in heads] == [(True, False)] * 2


async def test_a_proxy_of_the_environment_is_not_used_for_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[bytes] = []

    async def proxy(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head.splitlines()[0])
        writer.write(HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

    async with served(proxy) as url:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("http_proxy", url.removesuffix("/v1"))
        for api in (url, "http://far.example/v1"):
            async with client(api) as http:
                (await http.post("x", b"{}", {})).close()
    assert heads == [b"POST /v1/x HTTP/1.1", b"POST http://far.example/v1/x HTTP/1.1"]


async def test_aiohttp_still_returns_what_it_received_before_a_failure() -> None:
    """The contract with aiohttp's private `StreamReader._read_nowait`."""
    reader = aiohttp.StreamReader(Mock(), limit=2**16)
    reader.feed_data(b"text")
    reader.set_exception(aiohttp.ClientPayloadError())
    try:
        unread = unread_bytes(reader)
    except AttributeError as error:
        pytest.fail(
            f"this release of aiohttp has changed StreamReader; mend unread_bytes in upstreams/api_client.py: {error}"
        )
    assert unread == b"text"

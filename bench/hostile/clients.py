"""Clients that misbehave, all at once, until the program is ended: half requests, huge bodies, slow readers, leavers.

    python -m bench.hostile.clients --port 8000 --idle 300

They connect from another address of this machine than the watcher, so that a bound on connections per address can tell
them apart. Knows nothing of what the gateway should answer.
"""

import argparse
import asyncio
import gzip
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import cycle
from typing import Any

from bench.hostile.api import FAMILIES, MEGABYTE, NICENESS, NO_LINGERING, RUNS, run_of

ADDRESS = "127.0.0.2"
PATIENCE = 10.0
"""Seconds that a client goes on with one request."""
PAUSE = 0.5
ROUTES = ("/v1/reasoning", "/v1/chat/completions", "/v1/responses")
OVER_THE_LIMIT = 9 * MEGABYTE

Client = Callable[[], Awaitable[None]]


class Clients:
    """The clients of a gateway at `port`; each method but `run` is one request of one kind."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._routes, self._texts = cycle(ROUTES), cycle(RUNS)

    def kinds(self) -> list[Client]:
        """Return a client of each kind; those that only ask come once for each family of the API."""
        mine = [self.slow_reader, self.leaver, self.resetter, self.half_head, self.half_body, self.endless_body]
        mine += [self.huge_body, self.huge_prompt, self.bomb, self.bad_json, self.deep_json, self.no_http]
        return [*mine, *(lambda name=name: self.reader(name) for name in FAMILIES)]

    async def run(self, idle: int) -> None:
        """Run each kind again and again, and keep `idle` connections open besides."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._idle(idle))
            for kind in self.kinds():
                tasks.create_task(_forever(kind))

    async def reader(self, family: str) -> None:
        """Ask for a family and read as fast as it comes, on one route after the other."""
        async with self._connection() as (reader, writer):
            writer.write(self._request(asked(next(self._routes), family)))
            while await reader.read(MEGABYTE):
                pass

    async def slow_reader(self) -> None:
        async with self._connection(receive=4096) as (reader, writer):
            writer.write(self._request(asked(next(self._routes), "endless")))
            while await reader.read(100):  # noqa: ASYNC110  # slow by intent
                await asyncio.sleep(PAUSE)

    async def leaver(self) -> None:
        """Leave in mid-stream, by an orderly close."""
        async with self._connection() as (reader, writer):
            writer.write(self._request(asked(next(self._routes), "endless")))
            await reader.read(2000)

    async def resetter(self) -> None:
        """Leave in mid-stream, by a reset."""
        async with self._connection() as (reader, writer):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
            writer.write(self._request(asked(next(self._routes), "endless")))
            await reader.read(2000)
            writer.transport.abort()

    async def half_head(self) -> None:
        async with self._connection() as (_, writer):
            for byte in b"POST /v1/reasoning HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"a" * 1000:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(PAUSE)

    async def half_body(self) -> None:
        async with self._connection() as (reader, writer):
            writer.write(self._request((next(self._routes), b"{" + b" " * 100_000))[:-50_000])
            await reader.read()

    async def endless_body(self) -> None:
        async with self._connection() as (_, writer):
            writer.write(_head(next(self._routes), "Transfer-Encoding: chunked"))
            while True:
                writer.write(b"10000\r\n%b\r\n" % (b" " * 0x10000))
                await writer.drain()
                await asyncio.sleep(0.01)

    async def huge_body(self) -> None:
        await self._asked((next(self._routes), b" " * OVER_THE_LIMIT))

    async def huge_prompt(self) -> None:
        """Ask with a prompt that is just below the limit on bodies, of one kind of text after the other."""
        text = next(self._texts)
        prompt = (text * (7 * MEGABYTE // len(json.dumps(text, ensure_ascii=False).encode())))[: 7 * MEGABYTE]
        await self._asked(asked(next(self._routes), "reset", prompt))

    async def bomb(self) -> None:
        body = gzip.compress(b" " * (100 * MEGABYTE))
        await self._asked((next(self._routes), body), "Content-Encoding: gzip")

    async def bad_json(self) -> None:
        for body in (b"", b"{", b"\xff\xfe", b"null", b"[]", b"7", b'{"messages": 7}', b'{"messages": [7]}', b"NaN"):
            await self._asked((next(self._routes), body))

    async def deep_json(self) -> None:
        for body in (b"[" * MEGABYTE, b'{"messages": ' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"a":' * 100_000):
            await self._asked((next(self._routes), body))

    async def no_http(self) -> None:
        for data in (b"\0" * 1000, b"\x16\x03\x01" * 100, b"GET / HTTP/9.9\r\n\r\n", run_of("a").encode()):
            async with self._connection() as (reader, writer):
                writer.write(data)
                await reader.read()

    async def _idle(self, count: int) -> None:
        """Keep connections open that send nothing; one that is closed is opened again after a while."""
        limit = asyncio.Semaphore(20)  # that connect at the same moment

        async def one() -> None:
            async with limit:
                reader, writer = await self._connect()
            await reader.read()
            writer.close()
            await asyncio.sleep(PATIENCE)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(count):
                tasks.create_task(_forever(one, seconds=None))

    async def _asked(self, request: tuple[str, bytes], *headers: str) -> None:
        async with self._connection() as (reader, writer):
            writer.write(self._request(request, *headers))
            await writer.drain()
            while await reader.read(MEGABYTE):
                pass

    def _request(self, request: tuple[str, bytes], *headers: str) -> bytes:
        path, body = request
        return _head(path, f"Content-Length: {len(body)}", *headers) + body

    async def _connect(self, receive: int | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        sock = socket.socket()
        sock.setblocking(False)
        if receive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        try:
            with suppress(OSError):  # systems that have only one address of their own
                sock.bind((ADDRESS, 0))
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self._port))
            return await asyncio.open_connection(sock=sock, limit=receive or 1 << 16)
        except BaseException:
            sock.close()
            raise

    @asynccontextmanager
    async def _connection(
        self, receive: int | None = None
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await self._connect(receive)
        try:
            yield reader, writer
        finally:
            writer.close()


def asked(path: str, model: str, prompt: str = "Say one thing. Then another one, at length.") -> tuple[str, bytes]:
    """Return a route and the body of a request for a stream on it."""
    question: Any = (
        {"input": prompt} if path.endswith("responses") else {"messages": [{"role": "user", "content": prompt}]}
    )
    return path, json.dumps({"model": model, "stream": True, **question}, ensure_ascii=False).encode()


def _head(path: str, *headers: str) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def _forever(client: Client, seconds: float | None = PATIENCE) -> None:
    while True:
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(seconds):
                await client()
        await asyncio.sleep(PAUSE)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True, help="the gateway's port")
    parser.add_argument("--idle", type=int, default=300, help="connections that stay open and send nothing (300)")
    arguments = parser.parse_args()
    os.nice(NICENESS)
    await Clients(arguments.port).run(arguments.idle)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())

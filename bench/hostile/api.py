"""A /chat/completions API that misbehaves in the way that the requested model is named for.

    python -m bench.hostile.api --port 8010

Serves each connection for one answer, which ends with the client's patience or after `SECONDS`. Knows nothing of the
gateway.
"""

import argparse
import asyncio
import gzip
import json
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from itertools import cycle
from typing import Any

SECONDS = 30.0
NICENESS = 10
"""Added to the niceness of hostile processes: they share the cores with what is measured."""
MEGABYTE = 1_000_000
LINE = 8 * MEGABYTE
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
NO_LINGERING = struct.pack("ii", 1, 0)
"""The option SO_LINGER with which closing a socket resets its connection."""
RUNS = ["a", "a. ", ".", '"', "'", "[", "(", "{", "7", "七", "`", "\n", "\n\n", " ", "<", "<think>", "| ", "- ", "é"]
"""Texts that are repeated up to a megabyte: no ends of sentences, only ends, and what patterns begin with."""

Pieces = AsyncIterator[bytes]


def event(field: str, text: Any) -> bytes:
    """Return one chunk of a completion as a server-sent event."""
    choice = {"index": 0, "delta": {field: text}, "finish_reason": None}
    return b"data: %b\n\n" % json.dumps({"object": "chat.completion.chunk", "choices": [choice]}).encode()


def run_of(text: str) -> str:
    return (text * (MEGABYTE // len(text)))[:MEGABYTE]


@cache
def _bomb() -> bytes:
    return gzip.compress(b"x" * (200 * MEGABYTE), compresslevel=1)


async def endless() -> Pieces:
    for field in cycle(["reasoning_content"] * 400 + ["content"] * 400):
        yield event(field, "It goes on and on, and no end of it is near. ")
        await asyncio.sleep(0.002)


async def huge() -> Pieces:
    for field in ("reasoning_content", "content"):
        for text in RUNS:
            yield event(field, run_of(text))
            await asyncio.sleep(0.5)


async def deep() -> Pieces:
    for depth in (1_000, 100_000, MEGABYTE):
        yield event("reasoning_content", "So. ")
        yield b'data: {"choices": %b%b}\n\n' % (b"[" * depth, b"]" * depth)
        yield b"data: " + b'{"a":' * depth + b"\n\n"
    call = {"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "[" * MEGABYTE}}
    yield event("tool_calls", [call])


async def drip() -> Pieces:
    for byte in event("reasoning_content", "Slowly. ") * 100:
        yield bytes([byte])
        await asyncio.sleep(0.1)


async def reset() -> Pieces:
    for _ in range(5):
        yield event("reasoning_content", "It breaks. ")
    raise ConnectionResetError


async def silent() -> Pieces:
    yield event("reasoning_content", "And then… ")
    await asyncio.sleep(SECONDS)


async def mute() -> Pieces:
    await asyncio.sleep(SECONDS)
    yield b""


async def malformed() -> Pieces:
    for line in (
        b"data\n\n",
        b":\n",
        b"\0\0\0\n\n",
        b"event: x\n\n",
        b"id: \n",
        b"retry: -1\n",
        b"\xef\xbb\xbfdata: {}\n\n",
    ):
        yield line * 1000
    yield b"data: {not json\n\n"


async def types() -> Pieces:
    """Send JSON of the wrong types, an event each."""
    values: tuple[Any, ...] = (
        None,
        7,
        [],
        {},
        [[]],
        "text",
        [None],
        {"choices": 1},
        {"choices": [7]},
        {"choices": [{"delta": 7}]},
    )
    for value in values:
        yield b"data: %b\n\n" % json.dumps(value).encode()
    for text in (None, 7, ["a"], {"a": 1}, True, "\ud800"):
        yield event("content", text)


async def encodings() -> Pieces:
    yield event("content", "@").replace(b"@", b"\xff\xfe\x80\xc3")
    yield event("content", "ünïcode").decode().encode("utf-16")
    yield event("content", "@").replace(b"@", b"\xed\xa0\x80")
    yield event("content", "@").replace(b"@", "é€😀".encode()[:-1])


async def not_gzip() -> Pieces:
    yield b"\xff" * MEGABYTE


async def bomb() -> Pieces:
    yield _bomb()


async def huge_line() -> Pieces:
    for begin in (b"data: ", b": ", b"event: "):
        for _ in range(LINE // MEGABYTE):
            yield begin + b"x" * MEGABYTE
            begin = b""
            await asyncio.sleep(0.01)
        yield b"\n\n"


async def endless_line() -> Pieces:
    yield b"data: "
    while True:
        yield b"x" * 100_000
        await asyncio.sleep(0.05)


FAMILIES: dict[str, Callable[[], Pieces]] = {
    each.__name__: each
    for each in (endless, huge, deep, drip, reset, silent, mute, malformed, types, encodings, not_gzip, bomb)
} | {"huge_line": huge_line, "endless_line": endless_line}
GZIPPED = ("not_gzip", "bomb")


async def answer(model: str, writer: asyncio.StreamWriter) -> None:
    """Send the answer of a family, of the first one for any other name. The last piece of `reset` is a reset."""
    if model != "mute":
        writer.write(HEAD + (b"Content-Encoding: gzip\r\n\r\n" if model in GZIPPED else b"\r\n"))
    try:
        async for piece in FAMILIES.get(model, endless)():
            writer.write(piece)
            await writer.drain()
    except ConnectionResetError:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
        writer.transport.abort()


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[int]:
    """Listen on 127.0.0.1 and yield the port; 0 takes a free one. The exit ends all connections."""
    connections = set[asyncio.Task[None]]()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(_serve(reader, writer))
        connections.add(connection)
        connection.add_done_callback(connections.discard)

    async with await asyncio.start_server(connected, "127.0.0.1", port, limit=16 * MEGABYTE, backlog=1024) as server:
        yield server.sockets[0].getsockname()[1]
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(SECONDS):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if head.startswith(b"get "):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
                return
            length = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
            request = json.loads(await reader.readexactly(length))
            async with asyncio.TaskGroup() as tasks:
                sending = tasks.create_task(answer(request["model"], writer))
                left = tasks.create_task(reader.read())
                sending.add_done_callback(lambda _: left.cancel())
                left.add_done_callback(lambda _: sending.cancel())
    except* (ConnectionError, asyncio.IncompleteReadError, TimeoutError):
        pass  # it has been patient long enough, or so has its client
    finally:
        writer.close()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8010, help="where to listen (8010)")
    port = parser.parse_args().port
    os.nice(NICENESS)
    async with serving(port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())

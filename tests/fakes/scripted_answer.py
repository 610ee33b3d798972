"""An answer of the scripted API: the steps of its script, as they go out over a connection.

The table of the steps is in `scripted_api.py`. Knows nothing of how connections are accepted and requests are read.
"""

import asyncio
import contextlib
import json
import socket
import struct
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PAGE = "<!doctype html>\n<title>Sign in</title>\n<p>Please sign in to the proxy.</p>\n"
STREAM = {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}
GZIP_WITH_HEADER = 31
NO_DEFLATE = b"\xff"
"""The beginning of a deflate block of a type that does not exist."""
NO_LINGERING = struct.pack("ii", 1, 0)
"""The option SO_LINGER with which closing a socket resets its connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request that was received; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class HungUp(Exception):
    """The script or the client ended the connection."""


class ScriptedAnswer:
    """An answer that is streamed, step by step. `closed` is set when the client has closed the connection."""

    def __init__(
        self, closed: asyncio.Event, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._closed, self._reader, self.writer = closed, reader, writer
        self._model, self._headers = request.body["model"], request.headers
        self._begun = self._finished = self._broken = False
        self._pace, self._bytes = 0.0, 0
        self._gzip: Any = None

    async def play(self, steps: list[Any]) -> None:
        """Play the steps. Raise HungUp if a step ends the connection, ConnectionError if the client has."""
        for step in steps:
            await asyncio.sleep(self._pace)
            await self._step(step)
        if not any(isinstance(step, dict) and "done" in step for step in steps):
            for step in [{"done": True}] if self._finished else [{"finish": "stop"}, {"done": True}]:
                await self._step(step)
        await self._send("")
        self._chunk(self._gzip.flush() if self._gzip and not self._broken else b"")
        self.writer.write(b"0\r\n\r\n")

    async def _step(self, step: Any) -> None:
        match step:
            case str():
                await self._delta({"content": step})
            case {"header": name}:
                await self._delta({"content": self._headers.get(name, "")})
            case {"delta": delta}:
                await self._delta(delta)
            case {"choice": choice}:
                await self._data(choices=[{"index": 0, "finish_reason": None, **choice}])
            case {"finish": reason}:
                self._finished = True
                await self._delta({}, reason)
            case {"usage": usage}:
                await self._data(choices=[], usage=usage)
            case {"done": done}:
                await self._send("data: [DONE]\n\n" if done else "")
            case {"raw": text}:
                await self._send(text)
            case {"pace": seconds}:
                self._pace = seconds
            case {"bytes": size}:
                self._bytes = size
            case {"gzip": True}:
                self._gzip = zlib.compressobj(wbits=GZIP_WITH_HEADER)
            case {"broken_gzip": True}:
                self._gzip, self._broken = self._gzip or zlib.compressobj(wbits=GZIP_WITH_HEADER), True
            case {"stall": True}:
                with contextlib.suppress(ConnectionError):
                    await self._reader.read()
                self._closed.set()
                raise HungUp
            case {"close": True}:
                raise HungUp
            case {"reset": True}:
                self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
                self.writer.transport.abort()
                raise HungUp
            case _:
                raise ValueError(f"not a step of a script: {step!r}")

    async def _delta(self, delta: Mapping[str, Any], finish_reason: str | None = None) -> None:
        await self._data(choices=[{"index": 0, "delta": delta, "finish_reason": finish_reason}])

    async def _data(self, **fields: Any) -> None:
        known = {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": int(time.time())}
        await self._send(f"data: {json.dumps({**known, 'model': self._model, **fields}, ensure_ascii=False)}\n\n")

    async def _send(self, text: str) -> None:
        if not self._begun:
            self._begun = True
            self.writer.write(head(200, STREAM | ({"Content-Encoding": "gzip"} if self._gzip else {})))
        data = text.encode()
        if self._broken:
            data = NO_DEFLATE * len(data)
        elif self._gzip and data:
            data = self._gzip.compress(data) + self._gzip.flush(zlib.Z_SYNC_FLUSH)
        size = self._bytes or max(len(data), 1)
        for n in range(0, len(data), size):
            self._chunk(data[n : n + size])
        await self.writer.drain()

    def _chunk(self, data: bytes) -> None:
        if data:  # an empty one ends the body
            self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))


def head(status: int, headers: Mapping[str, Any]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def whole(step: Mapping[str, Any]) -> bytes:
    body = step.get("body", "")
    data = (body if isinstance(body, str) else json.dumps(body)).encode()
    headers = {"Content-Type": "application/json", "Content-Length": len(data)} | step.get("headers", {})
    return head(step.get("status", 200), headers) + data

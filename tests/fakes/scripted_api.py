"""A streaming /chat/completions API on a socket that plays the script in its prompt, including misbehaviour.

    async with ScriptedApi() as api: …                    api.url, .requests, .asked, .closed_by_client
    python -m tests.fakes.scripted_api --port 8001        prints its URL and serves until it is stopped

The last message is the script, a JSON list of steps; the answer to any other text is `ANSWER`. The steps:

    "text"                          a chunk with delta.content
    {"delta": {…}}                  a chunk with that delta as it is
    {"finish": "stop"}              a chunk with that finish_reason
    {"usage": {…}}                  a chunk with choices [] and that usage
    {"done": true}                  [DONE]
    {"done": false}                 adds neither finish "stop" nor [DONE] at the end of the script
    {"raw": "text"}                 the text in UTF-8, as it is; "" sends the head alone
    {"header": "name"}              text: that header of the request, in lower case
    {"pace": seconds}               waits for that time before each later step
    {"bytes": n}                    sends later steps in HTTP chunks of n bytes
    {"gzip": true}                  compresses the body with gzip, flushed at each step
    {"broken_gzip": true}           declares the body as gzip, and from here on sends no valid gzip
    {"stall": true}                 waits until the client has closed its connection
    {"close": true}                 closes the connection
    {"reset": true}                 resets the connection

Only as the first step, before the head is sent:

    {"refuse": n}                   closes the connection of the first n requests with this script
    {"fail_first": n, "status": 503, "headers": {…}, "body": "…"}     answers so to the first n requests
    {"status": 503, "headers": {…}, "body": "…"}                      answers so, and ignores the other steps
    {"html": true}                  answers 200 with an HTML page

A script without an end gets finish "stop", unless it has a finish, and [DONE]. A step that is not in the table raises a
ValueError here and closes the connection. Knows nothing of the gateway.
"""

import argparse
import asyncio
import contextlib
import json
import socket
import struct
import time
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

ANSWER = "<think>\nLet me see.\n</think>\n\nForty-two."
PACE = 0.01
PLAIN: list[Any] = [{"pace": PACE}, *(ANSWER[n : n + 3] for n in range(0, len(ANSWER), 3))]
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


class ScriptedApi:
    """The API, which listens at `url` while it is entered. `requests` are all that it has received.

    The event `asked` is set by the first request, `closed_by_client` when a client has closed its connection.
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._connections: set[asyncio.Task[Any]] = set()
        self._asked: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.asked, self.closed_by_client = asyncio.Event(), asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read(reader):
                self.requests.append(request)
                self.asked.set()
                await self._answer(request, reader, writer)
        except ConnectionError:
            self.closed_by_client.set()
        except HungUp:
            pass
        finally:
            writer.close()

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match request.method, request.path:
            case "POST", "/v1/chat/completions":
                content = request.body["messages"][-1].get("content")
                script = content if isinstance(content, str) else ""
                self._asked[script] += 1
                await self._play(_steps(script), self._asked[script], _Answer(self, request, reader, writer))
            case "GET", "/v1/models":
                models = [{"id": "scripted", "object": "model", "created": 0, "owned_by": "tests"}]
                writer.write(_whole({"body": json.dumps({"object": "list", "data": models})}))
            case _:
                writer.write(_whole({"status": 404, "body": json.dumps({"error": {"message": "no such path"}})}))
        await writer.drain()

    async def _play(self, steps: Any, asked: int, answer: "_Answer") -> None:
        match steps:
            case [{"refuse": times}, *_] if asked <= times:
                raise HungUp
            case [{"fail_first": times}, *_] if asked <= times:
                answer.writer.write(_whole(steps[0]))
            case [{"refuse": _} | {"fail_first": _}, *rest]:
                await answer.play(rest)
            case [{"status": _}, *_]:
                answer.writer.write(_whole(steps[0]))
            case [{"html": True}, *_]:
                answer.writer.write(_whole({"headers": {"Content-Type": "text/html"}, "body": PAGE}))
            case _:
                await answer.play(steps)


class _Answer:
    """An answer that is streamed, step by step."""

    def __init__(
        self, api: ScriptedApi, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._api, self._reader, self.writer = api, reader, writer
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
                self._api.closed_by_client.set()
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
            self.writer.write(_head(200, STREAM | ({"Content-Encoding": "gzip"} if self._gzip else {})))
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


async def _read(reader: asyncio.StreamReader) -> Request | None:
    """Return the next request; None if the client has closed the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method=method, path=path, headers=headers, body=json.loads(body) if body else None)


def _steps(script: str) -> list[Any]:
    with contextlib.suppress(ValueError):
        if isinstance(steps := json.loads(script), list):
            return steps
    return PLAIN


def _head(status: int, headers: Mapping[str, Any]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _whole(step: Mapping[str, Any]) -> bytes:
    data = str(step.get("body", "")).encode()
    headers = {"Content-Type": "application/json", "Content-Length": len(data)} | step.get("headers", {})
    return _head(step.get("status", 200), headers) + data


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    async with ScriptedApi(parser.parse_args().port) as api:
        print(api.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())

"""A streaming /chat/completions API on a socket that plays the script in its prompt, including misbehaviour.

    async with ScriptedApi() as api: …                    api.url, .requests, .asked, .closed_by_client
    with in_thread(ScriptedApi()) as api: …               the same
    python -m tests.fakes.scripted_api --port 8001        prints its URL and serves until it is stopped

Listens below any path, so that it can be several APIs. The last message, or the first text part of it, is the script,
a JSON list of steps; to any other text it plays `otherwise`, by default `PLAIN`. The steps:

    "text"                          a chunk with delta.content
    {"delta": {…}}                  a chunk with that delta as it is
    {"choice": {…}}                 a chunk with that choice as it is
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
    {"status": 503, "headers": {…}, "body": "…"}                      answers so, and ignores the other steps; a body
                                                                      that is no text is sent as JSON
    {"html": true}                  answers 200 with an HTML page

A script without an end gets finish "stop", unless it has a finish, and [DONE]. A step that is not in the table raises a
ValueError here and closes the connection. Knows nothing of the gateway.
"""

import argparse
import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Any, Self

from tests.fakes.scripted_answer import PAGE, HungUp, Request, ScriptedAnswer, whole

ANSWER = "<think>\nLet me see.\n</think>\n\nForty-two."
PACE = 0.01
PLAIN: list[Any] = [{"pace": PACE}, *(ANSWER[n : n + 3] for n in range(0, len(ANSWER), 3))]


class ScriptedApi:
    """The API, which listens at `url` while it is entered. `requests` are all that it has received.

    The event `asked` is set by the first request, `closed_by_client` when a client has closed its connection.
    """

    def __init__(self, port: int = 0, otherwise: Sequence[Any] = PLAIN, unscripted: str | None = None) -> None:
        self._port, self._otherwise, self._unscripted = port, otherwise, unscripted
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

    def refusal(self, messages: list[Any]) -> list[Any] | None:
        """Return the steps to play instead of the script, if the API refuses a conversation. This one takes all."""
        return None

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
            pass  # the script ends so
        finally:
            writer.close()

    async def _answer(self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match request.method, request.path.rpartition("/v1/")[-1]:
            case "POST", "chat/completions":
                scripted = self._unscripted is None or self._unscripted not in request.path
                script = _script(request.body["messages"]) if scripted else ""
                self._asked[script] += 1
                steps = self.refusal(request.body["messages"]) or _steps(script)
                steps = list(self._otherwise) if steps is None else steps
                answer = ScriptedAnswer(self.closed_by_client, request, reader, writer)
                await self._play(steps, self._asked[script], answer)
            case "GET", "models":
                models = [{"id": "scripted", "object": "model", "created": 0, "owned_by": "tests"}]
                writer.write(whole({"body": json.dumps({"object": "list", "data": models})}))
            case _:
                writer.write(whole({"status": 404, "body": json.dumps({"error": {"message": "no such path"}})}))
        await writer.drain()

    async def _play(self, steps: Any, asked: int, answer: ScriptedAnswer) -> None:
        match steps:
            case [{"refuse": times}, *_] if asked <= times:
                raise HungUp
            case [{"fail_first": times}, *_] if asked <= times:
                answer.writer.write(whole(steps[0]))
            case [{"refuse": _} | {"fail_first": _}, *rest]:
                await answer.play(rest)
            case [{"status": _}, *_]:
                answer.writer.write(whole(steps[0]))
            case [{"html": True}, *_]:
                answer.writer.write(whole({"headers": {"Content-Type": "text/html"}, "body": PAGE}))
            case _:
                await answer.play(steps)


@contextmanager
def in_thread(api: ScriptedApi) -> Iterator[ScriptedApi]:
    """Serve an API in a thread of its own, for tests whose event loops do not last as long as what asks it."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(api.__aenter__(), loop).result()
        yield api
        asyncio.run_coroutine_threadsafe(api.__aexit__(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


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


def _script(messages: list[Any]) -> str:
    match messages[-1].get("content"):
        case str() as text:
            return text
        case [{"text": str() as text}, *_]:
            return text
    return ""


def _steps(script: str) -> list[Any] | None:
    """Return the steps of a script; None if the text is not one."""
    with contextlib.suppress(ValueError):
        if isinstance(steps := json.loads(script), list):
            return steps
    return None


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    async with ScriptedApi(parser.parse_args().port) as api:
        print(api.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())

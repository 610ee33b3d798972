"""A client that goes away cancels what is done for it, and nothing else does."""

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from fastapi import Request
from fastapi.responses import Response

from web.application import CLIENT, EventStream, Unwatched, application, post, read, unwatched

SCOPE: Any = {"type": "http", "method": "POST", "path": "/", "headers": [], "query_string": b"", "root_path": ""}


class Client:
    """Sends a body in two pieces, and is there until `go`."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.sent: list[str] = []
        self._body = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.request", "body": b"b"}]

    async def receive(self) -> Any:
        if self._body:
            return self._body.pop(0)
        await self.go.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message["type"])


class Work:
    """What a route does for as long as it is let."""

    def __init__(self) -> None:
        self.begun, self.rest, self.log = asyncio.Event(), asyncio.Event(), list[str]()

    async def __call__(self, http: Request) -> Response:
        self.log.append((await read(http, 2)).decode())
        self.begun.set()
        try:
            await self.rest.wait()
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        return Response("whole")


def asked(client: Client, work: Work) -> asyncio.Task[None]:
    app = application("Test")
    post(app, "/", work.__call__)
    return asyncio.create_task(app({**SCOPE}, client.receive, client.send))


async def test_work_for_a_client_that_goes_is_cancelled_and_its_request_is_over() -> None:
    client, work = Client(), Work()
    request = asked(client, work)
    await work.begun.wait()
    client.go.set()
    await request
    assert (work.log, client.sent) == (["ab", "cancelled"], [])


async def test_a_request_that_is_cancelled_itself_is_so() -> None:
    client, work = Client(), Work()
    request = asked(client, work)
    await work.begun.wait()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    assert work.log == ["ab", "cancelled"]


async def test_both_at_once_is_the_latter() -> None:
    client, work = Client(), Work()
    request = asked(client, work)
    await work.begun.wait()
    client.go.set()
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request


async def test_a_client_that_stays_gets_its_answer_and_nobody_watches_it_any_more() -> None:
    client, work = Client(), Work()
    work.rest.set()
    request = asked(client, work)
    await request
    assert (work.log, client.sent) == (["ab"], ["http.response.start", "http.response.body"])
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)


class Pieces:
    """A stream of two pieces; the second, or the `failure` in its place, waits until it may come."""

    def __init__(self, log: list[str]) -> None:
        self.begun, self.rest, self._log = asyncio.Event(), asyncio.Event(), log
        self.failure: Exception | None = None

    async def route(self, http: Request) -> Response:
        await read(http, 2)
        return EventStream(self._made(), headers={"X-Test": "a"})

    async def _made(self) -> AsyncGenerator[bytes]:
        try:
            yield b"1"
            self.begun.set()
            await self.rest.wait()
            if self.failure:
                raise self.failure
            yield b"2"
        finally:
            self._log.append("closed")


class Around:
    """Middleware that says when it is over."""

    def __init__(self, app: Any, log: list[str]) -> None:
        self._app, self._log = app, log

    async def __call__(self, *request: Any) -> None:
        await self._app(*request)
        self._log.append("returned")


def streamed(client: Client, pieces: Pieces) -> asyncio.Task[None]:
    app = application("Test")
    app.add_middleware(Around, log=client.sent)
    post(app, "/", pieces.route)
    return asyncio.create_task(app({**SCOPE}, client.receive, client.send))


BODY = "http.response.body"


async def test_a_stream_leaves_once_what_is_around_it_has_returned() -> None:
    client = Client()
    pieces = Pieces(client.sent)
    pieces.rest.set()
    await streamed(client, pieces)
    assert client.sent == ["http.response.start", "returned", BODY, BODY, "closed", BODY]


async def test_a_stream_whose_client_goes_is_closed_and_its_request_is_over() -> None:
    client = Client()
    pieces = Pieces(client.sent)
    request = streamed(client, pieces)
    await pieces.begun.wait()
    client.go.set()
    await request
    assert client.sent == ["http.response.start", "returned", BODY, "closed"]


async def test_a_failure_in_a_stream_comes_through_and_the_stream_is_not_said_to_be_whole() -> None:
    client = Client()
    pieces = Pieces(client.sent)
    pieces.failure = ZeroDivisionError()
    pieces.rest.set()
    with pytest.raises(ZeroDivisionError):
        await streamed(client, pieces)
    assert client.sent == ["http.response.start", "returned", BODY, "closed"]


async def test_what_is_known_of_a_client_is_gone_with_its_request() -> None:
    client, scope = Client(), {**SCOPE}
    known: list[Any] = []

    async def route(http: Request) -> Response:
        known.append(weakref.ref(http.scope[CLIENT]))
        await read(http, 2)
        return Response("whole")

    async def receive() -> Any:  # as a server's does, it knows the scope
        return scope and await client.receive()

    app = application("Test")
    post(app, "/", route)
    gc.disable()
    try:
        await app(scope, receive, client.send)
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
        assert [one() for one in known] == [None]
    finally:
        gc.enable()


async def test_a_replica_is_told_not_to_watch_its_clients() -> None:
    seen: list[Any] = []

    async def serve(scope: Any, *_: Any) -> None:
        seen.append(scope["headers"])

    client = Client()
    await Unwatched(serve)({**SCOPE, "headers": [(b"a", b"b")]}, client.receive, client.send)
    assert seen == [[(b"a", b"b"), (b"x-request-disconnect-disabled", b"?1")]]


def test_outside_of_a_replica_serve_watches() -> None:
    assert unwatched() == []

"""Answers and streams over a real socket: a client that disconnects cancels the work for it, and nothing else."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response

from gateway.errors import (
    ClientTooSlow,
    GatewayError,
    InvalidRequest,
    ModelUnavailable,
    Overloaded,
    TooManyStreams,
    UpstreamCut,
    UpstreamKeyRefused,
    UpstreamModelUnknown,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
)
from tests.fakes.web_server import served
from web.application import EventStream, application, cancel_on_disconnect, refusal
from web.body import read

BODY = b"ab"
SCOPE: Any = {"type": "http", "method": "POST", "headers": [], "query_string": b"", "root_path": ""}


class Work:
    """The routes of an application, which set `begun` and wait for `rest`; `log` tells what became of a request."""

    def __init__(self) -> None:
        self.begun, self.rest, self.ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.log: list[str] = []
        self.failure: Exception | None = None

    def app(self) -> FastAPI:
        app = application("Test")
        app.post("/whole")(self.whole)
        app.post("/stream")(self.stream)
        app.post("/flood")(self.flood)
        app.add_middleware(Recorder, work=self)
        return app

    async def whole(self, http: Request) -> Response:
        body = await read(http, len(BODY))
        return await cancel_on_disconnect(http, self._whole(body))

    async def stream(self, http: Request) -> Response:
        await read(http, len(BODY))
        return EventStream(self._stream())

    async def flood(self) -> Response:
        return EventStream(self._flood())

    async def _whole(self, body: bytes) -> Response:
        try:
            await self._rest()
            return Response(body.decode())
        finally:
            self.log.append("answered")

    async def _stream(self) -> AsyncGenerator[bytes]:
        try:
            yield b"1"
            await self._rest()
            yield b"2"
        finally:
            self.log.append("closed")

    async def _flood(self) -> AsyncGenerator[bytes]:
        try:
            while True:
                yield bytes(1 << 20)
                self.begun.set()
                await asyncio.sleep(0)
        finally:
            self.log.append("closed")

    async def _rest(self) -> None:
        self.begun.set()
        try:
            await self.rest.wait()
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        if self.failure:
            raise self.failure


class Recorder:
    """Middleware that records when a request ends."""

    def __init__(self, app: Any, work: Work) -> None:
        self._app, self._work = app, work

    async def __call__(self, *request: Any) -> None:
        try:
            await self._app(*request)
        finally:
            self._work.log.append("request ended")
            self._work.ended.set()


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
async def http(work: Work) -> AsyncIterator[httpx.AsyncClient]:
    async with served(work.app()) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield client


async def test_a_whole_answer_reaches_a_client_that_stays(http: httpx.AsyncClient, work: Work) -> None:
    work.rest.set()
    answer = await http.post("/whole", content=BODY)
    assert (answer.status_code, answer.content) == (200, BODY)
    assert work.log == ["answered", "request ended"]


async def test_a_stream_ends_before_its_request_does(http: httpx.AsyncClient, work: Work) -> None:
    work.rest.set()
    answer = await http.post("/stream", content=BODY)
    assert (answer.content, work.log) == (b"12", ["closed", "request ended"])
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")


@pytest.mark.parametrize(("path", "last"), [("/whole", "answered"), ("/stream", "closed")])
async def test_work_for_a_client_that_disconnects_is_cancelled(
    http: httpx.AsyncClient, work: Work, path: str, last: str, caplog: pytest.LogCaptureFixture
) -> None:
    asking = asyncio.create_task(http.post(path, content=BODY))
    await work.begun.wait()
    asking.cancel()
    await work.ended.wait()
    assert work.log == ["cancelled", last, "request ended"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_stream_is_closed_if_its_client_stops_reading_and_disconnects(
    http: httpx.AsyncClient, work: Work
) -> None:
    async with http.stream("POST", "/flood"):
        await work.begun.wait()
    await work.ended.wait()
    assert work.log == ["closed", "request ended"]


async def test_a_client_that_disconnects_within_its_body_is_no_error_of_ours(
    work: Work, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(work.app()) as url:
        _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        writer.write(b"POST /whole HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
        await writer.drain()
        writer.close()
        await work.ended.wait()
    assert work.log == ["request ended"]
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_stream_that_fails_is_cut(http: httpx.AsyncClient, work: Work) -> None:
    work.failure = ZeroDivisionError()
    work.rest.set()
    with pytest.raises(httpx.RemoteProtocolError):
        await http.post("/stream", content=BODY)
    assert work.log == ["closed", "request ended"]


def request(work: Work, path: str, send: Callable[[Any], Awaitable[None]]) -> asyncio.Task[None]:
    """Start a request that a server may cancel, as Serve does when a client disconnects."""
    body = [{"type": "http.request", "body": BODY}]

    async def receive() -> Any:
        return body.pop() if body else await asyncio.Event().wait()

    return asyncio.create_task(work.app()({**SCOPE, "path": path}, receive, send))


@pytest.mark.parametrize(("path", "last"), [("/whole", "answered"), ("/stream", "closed")])
async def test_work_is_cancelled_if_the_server_cancels_the_request(work: Work, path: str, last: str) -> None:
    async def send(_: Any) -> None:
        pass

    task = request(work, path, send)
    await work.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.log == ["cancelled", last, "request ended"]


async def test_a_stream_is_closed_if_its_request_is_cancelled_while_a_chunk_is_sent(work: Work) -> None:
    sending = asyncio.Event()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            sending.set()
            await asyncio.Event().wait()

    task = request(work, "/stream", send)
    await sending.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert work.log == ["closed", "request ended"]


@pytest.mark.parametrize(
    ("error", "status", "code", "should_retry", "retry_after"),
    [
        (UpstreamRejected("x", 400, "messages", "context_length_exceeded"), 400, "context_length_exceeded", None, None),
        (UpstreamRejected("x", 413), 413, "invalid_request_error", None, None),
        (UpstreamRejected("x", 422), 422, "invalid_request_error", None, None),
        (UpstreamModelUnknown("x"), 404, "model_not_found", None, None),
        (UpstreamKeyRefused("x"), 502, "upstream_key_refused", "false", None),
        (UpstreamRefused("x"), 502, "upstream_refused", "false", None),
        (UpstreamCut("x"), 502, "upstream_cut", None, None),
        (UpstreamRateLimited("x"), 503, "upstream_rate_limited", None, "2"),
        (Overloaded("x"), 503, "overloaded", None, "2"),
        (TooManyStreams("x"), 429, "rate_limit_exceeded", None, "2"),
        (ModelUnavailable("x"), 503, "model_unavailable", "false", None),
        (ClientTooSlow("x"), 408, "client_too_slow", "false", None),
        (InvalidRequest("x"), 400, "invalid_request_error", None, None),
        (GatewayError("x"), 500, "internal_error", "false", None),
        (ZeroDivisionError(), 500, "internal_error", "false", None),
    ],
)
def test_sdks_are_told_not_to_retry_what_cannot_succeed(
    error: Exception, status: int, code: str, should_retry: str | None, retry_after: str | None
) -> None:
    answer = refusal(error)
    assert (answer.status_code, json.loads(bytes(answer.body))["error"]["code"]) == (status, code)
    assert (answer.headers.get("x-should-retry"), answer.headers.get("retry-after")) == (should_retry, retry_after)

"""Shared by the HTTP applications: streaming events, noticing a disconnect, answering HEAD, refusing a request.

Knows nothing of sessions, or of the server in front.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from dataclasses import replace
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import (
    Failure,
    GatewayError,
    InvalidKey,
    InvalidRequest,
    Overloaded,
    RequestTimeout,
    TooManyStreams,
    UnknownEncoding,
)
from gateway.wire import sse
from gateway.wire.openai import error_body
from web.body import ACCEPTED

CLIENT_CLOSED_REQUEST = 499
"""The status that nginx and Serve log for a request whose client disconnected; nobody receives it."""
RETRIED = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS)
"""The statuses below 500 at which OpenAI's SDKs ask again, unless a header tells them not to."""

T = TypeVar("T")


class EventStream(StreamingResponse):
    """Server-sent events from a generator, which is closed when the response ends, however it ends."""

    media_type = sse.MEDIA_TYPE

    def __init__(self, chunks: AsyncGenerator[bytes]) -> None:
        super().__init__(chunks, headers=sse.HEADERS)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # Starlette stops reading when the client disconnects. If it was sending then, the generator rests at a `yield`,
        # and would work on behind it until it is garbage.
        async with aclosing(self._chunks):
            await super().__call__(scope, receive, send)


def application(title: str) -> FastAPI:
    """Return an application whose every failure has OpenAI's error body.

    FastAPI (0.165) makes no spans: they would begin a trace of their own, apart from the server's.
    """
    app = FastAPI(title=title, docs_url=None, redoc_url=None, telemetry={"tracing": False})
    for error in (GatewayError, HTTPException, Exception):
        app.add_exception_handler(error, _refuse)
    app.add_exception_handler(ClientDisconnect, _ignore)
    app.add_middleware(HeadAsGet)
    return app


class HeadAsGet:
    """ASGI middleware that answers HEAD as GET, which FastAPI does not. The server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send)


async def cancel_on_disconnect(http: Request, work: Coroutine[Any, Any, T]) -> T:
    """Await `work` and return its result. If the client disconnects first, cancel it and raise ClientDisconnect.

    For what is done before a response begins, once the body has been read: Starlette watches the client of a
    `StreamingResponse` from then on, and the client of any other response not at all.
    """
    task, disconnected = asyncio.create_task(work), asyncio.create_task(_disconnected(http.receive))
    try:
        await asyncio.wait((task, disconnected), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        # Also if this request is cancelled, as Serve does when it notices the disconnect itself. Nothing is awaited
        # once there is a result: a cancellation would lose it.
        disconnected.cancel()
        if not task.done():
            task.cancel()
            await asyncio.wait((task,))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def refusal(error: Exception) -> Response:
    """Return the response to a failure before the first event: its HTTP status, and OpenAI's error body.

    An error that is not ours keeps its details to itself.
    """
    failure = _failure(error)
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    if failure.retryable and failure.status in (Overloaded.status, TooManyStreams.status):
        headers = {"Retry-After": "2"}
    if failure.type == RequestTimeout.type:
        headers = {"Connection": "close"}  # the rest of the body may still come
    if failure.status == InvalidKey.status:
        headers = {"WWW-Authenticate": "Bearer"}
    if failure.status == UnknownEncoding.status:
        headers = {"Accept-Encoding": ACCEPTED}
    if not failure.retryable and (failure.status in RETRIED or failure.status >= HTTPStatus.INTERNAL_SERVER_ERROR):
        headers["X-Should-Retry"] = "false"
    return JSONResponse(error_body(failure), status_code=failure.status, headers=headers)


async def _refuse(_http: Request, error: Exception) -> Response:
    return refusal(error)


async def _ignore(_http: Request, _error: Exception) -> Response:
    return Response(status_code=CLIENT_CLOSED_REQUEST)


def _failure(error: Exception) -> Failure:
    if isinstance(error, HTTPException):  # no such path, or no such method there
        return replace(InvalidRequest(error.detail).failure(), status=error.status_code)
    ours = error if isinstance(error, GatewayError) else GatewayError("the gateway failed; its log says why")
    return ours.failure()

"""What the HTTP applications share: reading a body, streaming events, refusing a request.

What Ray adds here: it is told not to watch whether clients have gone (`unwatched`), which the applications do.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, aclosing
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.routing import APIRoute
from ray.serve._private.constants import SERVE_HTTP_REQUEST_DISCONNECT_DISABLED_HEADER
from ray.serve.context import _get_internal_replica_context
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import request_response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import Failure, GatewayError, InvalidKey, InvalidRequest, Overloaded, TooManyStreams
from gateway.wire import sse
from gateway.wire.openai import error_body

UNWATCHED = SERVE_HTTP_REQUEST_DISCONNECT_DISABLED_HEADER.encode(), b"?1"
"""A header of a request, to Serve."""
CLIENT = "reasoning_gateway.client"
"""Where a request's scope has its `Client`."""


class EventStream(StreamingResponse):
    """Server-sent events; only their head leaves from within the application that answers (`Application`)."""

    media_type = sse.MEDIA_TYPE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        scope[CLIENT].events = self.body_iterator


class Application(FastAPI):
    """An application whose streams leave once all that found their route has returned: FastAPI (0.165) and Starlette
    (1.10) would hold 8 KB for each of them, and hand each piece through five functions.

    Once a request's body has been read, all that is done for it is cancelled when its client goes. Serve (2.60) watches
    clients too, with a queue and two tasks for each stream, unless it is told not to: `unwatched`.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        client = Client(receive)
        try:
            # In a scope of its own: Serve's lasts as long as the stream, and would keep all that is noted there.
            await super().__call__({**scope, CLIENT: client}, client.receive, send)
            if client.events:
                await _streamed(client.events, send)
        except asyncio.CancelledError:
            if not client.gone or client.task.uncancel():
                raise
        finally:
            client.leave()


class Client:
    """Who waits for what `task` does, and for `events` where these have begun; what it holds it has until it leaves."""

    def __init__(self, receive: Receive) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task, self.gone = task, False
        self.events: AsyncGenerator[bytes] | None = None
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None
        self._held: AbstractContextManager[None] | None = None

    def hold(self, held: AbstractContextManager[None]) -> None:
        held.__enter__()
        self._held = held

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            self._watching = asyncio.create_task(self._watch())
        return message

    def leave(self) -> None:
        if self._watching:
            self._watching.cancel()
            self._watching = None  # with what it was cancelled by it would hold itself
        if self._held:
            self._held.__exit__(None, None, None)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True
        self.task.cancel()


async def _streamed(events: AsyncGenerator[bytes], send: Send) -> None:
    async with aclosing(events):
        async for piece in events:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


class Unwatched:
    """ASGI middleware around a replica's own handling of a request: Serve leaves its client to `Application`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [*scope["headers"], UNWATCHED]
        await self._app(scope, receive, send)


def unwatched() -> list[Middleware]:
    """What `RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH` names. Serve's proxy in Python still watches: nobody behind it
    would hear of a client that has gone."""
    return [Middleware(Unwatched)] if _get_internal_replica_context() else []  # type: ignore[no-untyped-call]


def application(title: str) -> Application:
    """An application whose every failure has OpenAI's error body.

    Its requests have Serve's span: FastAPI's own would begin a trace of their own (0.165), apart from Serve's.
    """
    app = Application(title=title, docs_url=None, redoc_url=None, telemetry={"tracing": False})
    app.add_exception_handler(GatewayError, refuse)
    app.add_exception_handler(HTTPException, refuse)
    app.add_exception_handler(Exception, refuse)
    return app


class OwnRoute(APIRoute):
    """A route that reads its request and makes its response itself: FastAPI documents it, and Starlette runs it,
    without what FastAPI (0.165) holds ready for dependencies as long as a stream lasts."""

    def __init__(self, path: str, endpoint: Callable[[Request], Awaitable[Response]], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self.app = request_response(endpoint)


def post(app: FastAPI, path: str, endpoint: Callable[[Request], Awaitable[Response]], **options: Any) -> None:
    app.router.add_api_route(path, endpoint, methods=["POST"], route_class_override=OwnRoute, **options)


async def read(http: Request, limit: int) -> bytes:
    """The body. Raises InvalidRequest where it has more than `limit` bytes."""
    body = b""
    async for chunk in http.stream():
        body += chunk
        if len(body) > limit:
            raise InvalidRequest(f"the request is larger than {limit} bytes")
    return body


async def refuse(_: Request, error: Exception) -> Response:
    return refusal(error)


def refusal(error: Exception) -> Response:
    """A failure before the first event: its HTTP status, and OpenAI's error body. A bug of ours keeps its details."""
    failure = _failure(error)
    headers = error.headers if isinstance(error, HTTPException) else None
    if failure.status in (Overloaded.status, TooManyStreams.status):
        headers = {"Retry-After": "2"}
    if failure.status == InvalidKey.status:
        headers = {"WWW-Authenticate": "Bearer"}
    return JSONResponse(error_body(failure), status_code=failure.status, headers=headers)


def _failure(error: Exception) -> Failure:
    if isinstance(error, HTTPException):  # no such path, or no such method there
        return replace(InvalidRequest(error.detail).failure(), status=error.status_code)
    named = error if isinstance(error, GatewayError) else GatewayError("the gateway failed; its log says why")
    return named.failure()


def model_list(models: list[str], created: int) -> dict[str, Any]:
    """The answer of `GET /v1/models`; `created` is in Unix seconds."""
    common = {"object": "model", "created": created, "owned_by": "reasoning-gateway"}
    return {"object": "list", "data": [{"id": model, **common} for model in models]}

"""What the HTTP applications share: reading a body, streaming events, refusing a request.

What Ray adds here: nothing; a client that goes away closes the generator behind its stream at once.
"""

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from gateway.errors import Failure, GatewayError, InvalidKey, InvalidRequest, Overloaded, TooManyStreams
from gateway.wire import sse
from gateway.wire.openai import error_body


class EventStream(StreamingResponse):
    """Server-sent events; the generator behind them is closed at once when the client goes."""

    media_type = sse.MEDIA_TYPE

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As Starlette (1.10) does it, without a task group and a task more for each stream."""
        streaming, over = asyncio.current_task(), False
        assert streaming is not None

        def leave(left: asyncio.Task[None]) -> None:
            if not over and not left.cancelled():
                streaming.cancel()

        leaving = asyncio.create_task(self.listen_for_disconnect(receive))
        leaving.add_done_callback(leave)
        try:
            async with aclosing(self.body_iterator):  # type: ignore[type-var]
                await self.stream_response(send)
        except asyncio.CancelledError:
            if not leaving.done() or streaming.uncancel():
                raise
        finally:
            over = True
            leaving.cancel()


def application(title: str) -> FastAPI:
    """An application whose every failure has OpenAI's error body.

    Its requests have Serve's span: FastAPI's own would begin a trace of their own (0.165), apart from Serve's.
    """
    app = FastAPI(title=title, docs_url=None, redoc_url=None, telemetry={"tracing": False})
    app.add_exception_handler(GatewayError, refuse)
    app.add_exception_handler(HTTPException, refuse)
    app.add_exception_handler(Exception, refuse)
    return app


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

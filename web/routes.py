"""The HTTP API: each route reads its own request and writes its own wire; a session in between does the work.

What Ray adds here: nothing; the parser and the summarizer may be handles or anything else that answers as they do.
"""

import time
import uuid
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any, Protocol, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import Response

from gateway.config import GatewaySettings
from gateway.errors import Failed, InvalidRequest, UnknownModel
from gateway.events import Event, StreamFailed
from gateway.requests.base import BaseRequest, ReasoningRequest
from gateway.requests.chat_completions import ChatCompletionsRequest
from gateway.requests.responses import ResponsesRequest
from gateway.session import Parser, Session, SessionObserver, SessionRequest
from gateway.summaries.stream_summaries import Summarizer
from gateway.wire import sse
from gateway.wire.chat_completions import ChatCompletionsWriter
from gateway.wire.native import NativeWriter
from gateway.wire.responses import ResponsesWriter
from web.application import EventStream, application, model_list, post, read, refusal
from web.auth import guard
from web.heartbeat import Heartbeat
from web.openapi import documented

R = TypeVar("R", bound=BaseRequest)


class Writer(Protocol):
    """A wire format, for one answer."""

    def stream(self, events: Iterable[Event]) -> bytes: ...

    def keep_alive(self) -> bytes: ...

    def whole(self, events: Iterable[Event]) -> bytes: ...


class Routes:
    """`app()` is the application that answers `/v1/…`."""

    def __init__(
        self, settings: GatewaySettings, parser: Parser, summarizer: Summarizer, observe: SessionObserver
    ) -> None:
        self._settings, self._parser, self._summarizer = settings, parser, summarizer
        self._observe = observe
        self._models = list(settings.models)
        self._created = int(time.time())

    def app(self) -> FastAPI:
        app = application("Reasoning Gateway")
        for path, route, request in (
            ("/v1/reasoning", self.reasoning, ReasoningRequest),
            ("/v1/chat/completions", self.chat_completions, ChatCompletionsRequest),
            ("/v1/responses", self.responses, ResponsesRequest),
        ):
            post(app, path, route, **documented(request))
        app.get("/v1/models", **documented(refusals=[401]))(self.models)
        guard(app, self._settings.access, self._settings.limits.streams)
        return app

    async def reasoning(self, http: Request) -> Response:
        request = await self._read(http, ReasoningRequest)
        session = self._session("rsn-", request)
        if request.stream:
            return await self._streamed(session, NativeWriter())
        events = await self._collected(session)
        last = events[-1]
        status = last.error.status if isinstance(last, StreamFailed) else 200
        return Response(NativeWriter().whole(events), status_code=status, media_type="application/json")

    async def chat_completions(self, http: Request) -> Response:
        request = await self._read(http, ChatCompletionsRequest)
        return await self._answer("chatcmpl-", request, request.stream, ChatCompletionsWriter(request.include_usage))

    async def responses(self, http: Request) -> Response:
        request = await self._read(http, ResponsesRequest)
        return await self._answer("resp_", request, request.stream, ResponsesWriter(request.echo()))

    async def models(self) -> dict[str, Any]:
        return model_list(self._models, self._created)

    async def _read(self, http: Request, kind: type[R]) -> R:
        request = kind.parse(await read(http, self._settings.limits.request_bytes))
        if request.model not in (None, *self._models):
            raise UnknownModel(f"no model {request.model!r} here; GET /v1/models lists them", param="model")
        return request

    def _session(self, prefix: str, request: SessionRequest) -> Session:
        settings, id = self._settings, f"{prefix}{uuid.uuid4().hex}"
        asked = request.to_upstream(id, request.model or self._models[0])
        if len(asked.messages) > settings.limits.messages:
            raise InvalidRequest(f"more than {settings.limits.messages} messages", param=request.conversation)
        return Session(id, request, asked.model, self._parser, self._summarizer, settings)

    async def _answer(self, prefix: str, request: SessionRequest, stream: bool | None, writer: Writer) -> Response:
        session = self._session(prefix, request)
        if stream:
            return await self._streamed(session, writer)
        events = await self._collected(session)
        last = events[-1]
        if isinstance(last, StreamFailed):
            return refusal(Failed(last.error))
        return Response(writer.whole(events), media_type="application/json")

    async def _streamed(self, session: Session, writer: Writer) -> Response:
        """A failure within the first beat of the heart still has its HTTP status."""
        await session.open(self._settings.heartbeat)
        return EventStream(self._encoded(session, writer), headers=sse.HEADERS)

    async def _encoded(self, session: Session, writer: Writer) -> AsyncGenerator[bytes]:
        heart = Heartbeat(self._settings.heartbeat, writer.keep_alive)
        with self._observe(session) as note:
            async with aclosing(session.events()) as events:
                async for batch in events:
                    note(batch)
                    if piece := heart.beat(writer.stream(batch)):
                        yield piece

    async def _collected(self, session: Session) -> list[Event]:
        collected: list[Event] = []
        await session.open()
        with self._observe(session) as note:
            async with aclosing(session.events()) as events:
                async for batch in events:
                    note(batch)
                    collected += batch
        return collected

"""The HTTP API: each route reads its own request and writes its own wire format; a session in between does the work.

Knows nothing of where the parser and the summarizer run.
"""

import uuid
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from functools import partial
from typing import Protocol, TypeVar

from fastapi import FastAPI, Request
from fastapi.responses import Response

from gateway.config import GatewaySettings
from gateway.errors import Failed
from gateway.events import Event, StreamFailed
from gateway.keys import ConcurrencyLimiter
from gateway.requests.base import BaseRequest, too_many_turns
from gateway.requests.chat_completions import ChatCompletionsRequest
from gateway.requests.ignored import HEADER, IgnoredLog, ignored_header
from gateway.requests.reasoning import ReasoningRequest
from gateway.requests.responses import ResponsesRequest
from gateway.sealing import Opener, Sealer
from gateway.session import Parser, Session, SessionObserver, SessionRequest
from gateway.summaries.stream_summaries import Summarizer
from gateway.summaries.writing_time import WritingTime
from gateway.wire.chat_completions import ChatCompletionsWriter
from gateway.wire.collected import Collected
from gateway.wire.native import NativeWriter
from gateway.wire.responses import ResponsesWriter
from web.application import EventStream, application, cancel_on_disconnect, refusal
from web.auth import add_access_control
from web.body import read
from web.heartbeat import Heartbeat
from web.models import add_models, unknown_model
from web.openapi import documented
from web.page.renderer import RenderProcess
from web.page.routes import add_page
from web.parsing import parsed

R = TypeVar("R", bound=BaseRequest)


class Writer(Protocol):
    """A wire format, for one answer."""

    def stream(self, events: Iterable[Event]) -> bytes: ...

    def keep_alive(self) -> bytes: ...

    def whole(self, events: Iterable[Event]) -> bytes: ...


class Routes:
    """The routes under `/v1`; `app()` is the application that serves them, and `limiter` counts its streams.

    `observe` is entered for every session that begins; `sealer` seals reasoning for clients. `clients_are_hidden`: see
    `add_access_control`. `cores`: see `LimitSettings.places`.
    """

    def __init__(
        self,
        settings: GatewaySettings,
        parser: Parser,
        summarizer: Summarizer,
        observe: SessionObserver,
        *,
        sealer: Sealer,
        clients_are_hidden: bool,
        cores: float,
    ) -> None:
        self._settings, self._parser, self._summarizer = settings, parser, summarizer
        self._observe, self._sealer, self._clients_are_hidden = observe, sealer, clients_are_hidden
        self._models, self._ignored, self._writing = settings.models, IgnoredLog(), WritingTime()
        self.limiter = ConcurrencyLimiter(*settings.limits.places(cores))

    def app(self) -> FastAPI:
        """Return the application. Raises ValueError if the configured keys cannot be read."""
        app = application("Reasoning Gateway")
        app.post("/v1/reasoning", **documented(ReasoningRequest))(self.reasoning)
        app.post("/v1/chat/completions", **documented(ChatCompletionsRequest))(self.chat_completions)
        app.post("/v1/responses", **documented(ResponsesRequest))(self.responses)
        add_models(app, self._models)
        if self._settings.page:
            add_page(app, RenderProcess())
        access = self._settings.access
        add_access_control(app, access, self.limiter, clients_are_hidden=self._clients_are_hidden)
        return app

    async def reasoning(self, http: Request) -> Response:
        request, ignored = await self._read(http, ReasoningRequest)
        return await self._answer(http, "rsn-", request, request.stream, NativeWriter(), ignored)

    async def chat_completions(self, http: Request) -> Response:
        request, ignored = await self._read(http, ChatCompletionsRequest)
        request.show_by_default(self._models[self._model_of(request)].show)
        sealed = self._sealer.growing() if request.seals_trace else None
        writer = ChatCompletionsWriter(request.include_usage, sealed, request.show)
        return await self._answer(http, "chatcmpl-", request, request.stream, writer, ignored)

    async def responses(self, http: Request) -> Response:
        request, ignored = await self._read(http, ResponsesRequest)
        growing = self._sealer.growing if request.seals_trace else None
        writer = ResponsesWriter(request.echo(), hides_trace=request.hides_trace, growing=growing)
        return await self._answer(http, "resp_", request, request.stream, writer, ignored)

    async def _read(self, http: Request, kind: type[R]) -> tuple[R, str]:
        """Return the request, checked for the upstream that answers it, and the header that names what that ignores."""
        limit = self._settings.limits.request_bytes
        request, ignored = await parsed(await read(http, limit), partial(self._admitted, kind))
        self._ignored.note(ignored, self._model_of(request))
        return request, ignored_header(ignored)

    def _admitted(self, kind: type[R], body: bytes) -> tuple[R, list[str]]:
        """Return the request, and the names of what the upstream that answers it ignores. May run in any thread."""
        opener = Opener(self._sealer, self._settings.limits.request_bytes)
        request = kind.parse(body, opener.open, self._settings.limits.messages)
        opener.report()
        model = self._model_of(request)
        if not (route := self._models.get(model)):
            raise unknown_model(model)
        return request, request.admit(route.upstream, route.drop_fields)

    def _model_of(self, request: BaseRequest | SessionRequest) -> str:
        return request.model or next(iter(self._models))

    async def _answer(
        self, http: Request, prefix: str, request: SessionRequest, stream: bool, writer: Writer, ignored: str
    ) -> Response:
        session = self._session(f"{prefix}{uuid.uuid4().hex}", request)
        if stream:
            response = await cancel_on_disconnect(http, self._streamed(session, writer))
        else:
            response = _whole(await cancel_on_disconnect(http, self._collected(session)), writer)
        if ignored:
            response.headers[HEADER] = ignored
        return response

    def _session(self, id: str, request: SessionRequest) -> Session:
        settings = self._settings
        upstream_request = request.to_upstream(id, self._model_of(request))
        if len(upstream_request.messages) > settings.limits.messages:
            raise too_many_turns(settings.limits.messages, request.conversation)
        return Session(id, request, upstream_request.model, self._parser, self._summarizer, settings, self._writing)

    async def _streamed(self, session: Session, writer: Writer) -> Response:
        """Return the response once the upstream has accepted; a failure until then has an HTTP status.

        After `settings.heartbeat` seconds the response begins without it: proxies wait no longer for its first byte.
        """
        seconds = self._settings.heartbeat
        heartbeat = Heartbeat(seconds, writer.keep_alive)
        chunks = self._run(session, lambda batch: heartbeat.beat(writer.stream(batch)), seconds)
        await anext(chunks)
        return EventStream(chunks)

    async def _collected(self, session: Session) -> list[Event]:
        collected = Collected()
        async for _ in self._run(session, collected.add):
            pass
        return collected.events

    async def _run(
        self, session: Session, write: Callable[[list[Event]], bytes | None], patience: float | None = None
    ) -> AsyncGenerator[bytes]:
        """Open the session, wait until it is accepted or for `patience` seconds, and yield once.

        Then `write` every batch of its events, and yield the bytes that this returns, if any. Closing this generator,
        at whichever `yield`, stops the session and all that is behind it.
        """
        await session.open(patience)
        async with aclosing(session.events()) as batches:
            # A generator that has not begun ignores its closing, and the session would run on: begin it first.
            batch: list[Event] | None = await anext(batches)
            yield b""
            with self._observe(session) as on_batch:
                while batch is not None:
                    on_batch(batch)
                    if chunk := write(batch):
                        yield chunk
                    batch = await anext(batches, None)


def _whole(events: list[Event], writer: Writer) -> Response:
    """Return the answer in one piece. If it failed, the native format keeps what came; the others have an error."""
    failure = events[-1].error if isinstance(events[-1], StreamFailed) else None
    if failure and not isinstance(writer, NativeWriter):
        return refusal(Failed(failure))
    status = failure.status if failure else 200
    return Response(writer.whole(events), status_code=status, media_type="application/json")

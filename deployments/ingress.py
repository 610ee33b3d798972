"""HTTP in, bytes out: `gateway.session` does the work.

What Ray adds here: the FastAPI application as a deployment, the parser and the summarizer behind handles, and a
client that goes away cancels everything behind its session.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response

from deployments.calls import batches, only
from deployments.http import EventStream, application, model_list, read
from gateway.config import GatewaySettings
from gateway.errors import NotReady, UnknownModel
from gateway.events import Event, StreamFailed
from gateway.request import ReasoningRequest
from gateway.session import Session
from gateway.summaries.prompts import PartTask
from gateway.upstream import Message, Parsed, UpstreamRequest
from gateway.wire import native, sse

HEALTH_SECONDS = 2.0


class ParserHandle:
    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[Parsed]]:
        return batches(self._handle.stream, request)

    def running(self) -> AsyncGenerator[Sequence[int]]:
        return batches(self._handle.running)


class SummarizerHandle:
    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def prompt(self, request_id: str, messages: Sequence[Message]) -> AsyncGenerator[Sequence[str]]:
        return batches(self._handle.prompt, request_id, messages)

    def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[str]]:
        return batches(self._handle.part, request_id, task)

    def running(self) -> AsyncGenerator[Sequence[int]]:
        return batches(self._handle.running)


class Ingress:
    """Serves the HTTP API; `parser` and `summarizer` are handles."""

    def __init__(self, settings: GatewaySettings, parser: Any, summarizer: Any) -> None:
        self._settings = settings
        self._parser, self._summarizer = ParserHandle(parser), SummarizerHandle(summarizer)
        self._models = list(settings.models)
        self._created = int(time.time())

    def __serve_build_asgi_app__(self) -> FastAPI:
        app = application("Reasoning Gateway")
        app.post("/v1/reasoning")(self.reasoning)
        app.get("/v1/models")(self.models)
        app.get("/health")(self.health)
        return app

    async def reasoning(self, http: Request) -> Response:
        request = ReasoningRequest.parse(await read(http, self._settings.limits.request_bytes))
        model = request.model or self._models[0]
        if model not in self._models:
            raise UnknownModel(f"no model {model!r} here; GET /v1/models lists them", param="model")
        session = Session(
            f"rsn-{uuid.uuid4().hex}",
            request,
            model,
            self._parser,
            self._summarizer,
            self._settings.deadlines,
            self._settings.limits,
        )
        await session.open()
        if request.stream:
            return EventStream(_encoded(session), headers=sse.HEADERS)
        return await _whole(session)

    async def models(self) -> dict[str, Any]:
        return model_list(self._models, self._created)

    async def health(self) -> dict[str, str | int]:
        """200 only when every way to the model is open and it is loaded; `running` is how many generations it has.

        It asks as a stream asks, so that what Serve opens on first use is open before the first stream.
        """
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                running, _ = await asyncio.gather(only(self._parser.running()), only(self._summarizer.running()))
        except Exception as error:
            raise NotReady("the model is still loading, or has stopped; try again shortly") from error
        return {"status": "ok", "running": running}


async def _encoded(session: Session) -> AsyncGenerator[bytes]:
    async with aclosing(session.events()) as events:
        async for batch in events:
            yield native.stream(batch)


async def _whole(session: Session) -> Response:
    collected: list[Event] = []
    async with aclosing(session.events()) as events:
        async for batch in events:
            collected += batch
    last = collected[-1]
    status = last.error.status if isinstance(last, StreamFailed) else 200
    return Response(native.dumps(native.whole(collected)), status_code=status, media_type="application/json")

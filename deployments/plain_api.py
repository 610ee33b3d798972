"""The Qwen as an ordinary /chat/completions API with its thinking in the text: `gateway.wire.plain` does the work.

What Ray adds here: the model is the one that another application has loaded, called through a handle.
"""

import time
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from functools import cached_property

from fastapi import FastAPI, Request
from fastapi.responses import Response
from ray import serve

from deployments.node_share import follow_node_share, usable_cores
from deployments.rpc.handles import StreamHandle
from deployments.stopping import STOPPING, end_streams
from deployments.telemetry.serve_internals import clients_are_hidden
from gateway.config import LimitSettings, PlainApiSettings
from gateway.errors import GatewayError, NotReady
from gateway.keys import ConcurrencyLimiter
from gateway.requests.ignored import HEADER, IgnoredLog, ignored_header
from gateway.requests.plain import PlainRequest
from gateway.upstream import UpstreamItem
from gateway.wire.plain import PlainWriter
from web.application import EventStream, application
from web.auth import add_access_control
from web.body import read
from web.models import add_models, unknown_model
from web.parsing import parsed


class PlainApi:
    """The routes `/v1/chat/completions` and `/v1/models`, and `/v1/models/{id}`."""

    def __init__(self, settings: PlainApiSettings) -> None:
        self._settings = settings
        self._ignored = IgnoredLog()
        self._limiter = ConcurrencyLimiter(*LimitSettings().places(usable_cores()))
        follow_node_share(lambda cores: self._limiter.resize(*LimitSettings().places(cores)))

    async def reconfigure(self, user_config: dict[str, bool]) -> None:
        """End all streams if `reasoning-gateway down` asks for it; a redeployment lets them finish."""
        if user_config == STOPPING:
            with suppress(NotReady):  # then none has begun
                await end_streams(self._qwen, self._limiter)

    def __serve_build_asgi_app__(self) -> FastAPI:
        app = application("Qwen")
        app.post("/v1/chat/completions")(self.completions)
        add_models(app, [self._settings.name])
        add_access_control(app, self._settings.access, self._limiter, clients_are_hidden=clients_are_hidden())
        return app

    async def completions(self, http: Request) -> Response:
        request, ignored = await parsed(await read(http, LimitSettings().request_bytes), self._admitted)
        model = self._settings.name
        self._ignored.note(ignored, model)
        headers = {HEADER: ignored_header(ignored)} if ignored else {}
        id = f"chatcmpl-{uuid.uuid4().hex}"
        writer = PlainWriter(id, model, int(time.time()), request.include_usage)
        answer = self._qwen.stream(request.to_upstream(id, model))
        if request.stream:
            chunks = _encoded(answer, writer)
            await anext(chunks)
            response: Response = EventStream(chunks)
            response.headers.update(headers)
            return response
        async with aclosing(answer):
            items = [item async for batch in answer for item in batch]
        return Response(writer.whole(items), media_type="application/json", headers=headers)

    def _admitted(self, body: bytes) -> tuple[PlainRequest, list[str]]:
        """Return the request, and the names of what the Qwen ignores. May run in any thread."""
        request = PlainRequest.parse(body)
        if request.model is not None and request.model != self._settings.name:
            raise unknown_model(request.model)
        return request, request.admit("qwen")

    @cached_property
    def _qwen(self) -> StreamHandle[UpstreamItem]:
        """The model's handle, looked up at the first request: the other application may start later than this one.

        Raises NotReady until it has started.
        """
        application, deployment = self._settings.application, self._settings.deployment
        try:
            return StreamHandle(serve.get_deployment_handle(deployment, app_name=application))
        except KeyError as error:  # Serve 2.60 has no such deployment
            raise NotReady("the model is still loading; try again shortly") from error


async def _encoded(answer: AsyncGenerator[Sequence[UpstreamItem]], writer: PlainWriter) -> AsyncGenerator[bytes]:
    """Yield once when the model has accepted, then the bytes of its answer. Raises GatewayError if it refuses."""
    async with aclosing(answer):
        batch: Sequence[UpstreamItem] | None = await anext(answer, ())
        yield b""
        try:
            while batch is not None:
                yield writer.stream(batch)
                batch = await anext(answer, None)
        except GatewayError as error:
            yield writer.failure(error.failure())

"""HTTP in, bytes out: `web.routes` does the work.

What Ray adds here: the FastAPI application as a deployment, the parser and the summarizer behind handles, and a
client that goes away cancels everything behind its session.
"""

import asyncio
from typing import Any

from fastapi import FastAPI

from deployments.garbage import settle
from deployments.rpc.handles import StreamHandle, SummarizerHandle
from deployments.telemetry.metrics import StreamMetrics
from deployments.telemetry.tracing import StreamSpans
from gateway.config import GatewaySettings
from gateway.errors import NotReady
from gateway.upstream import ParsedItem
from web.openapi import documented
from web.routes import Routes

HEALTH_SECONDS = 2.0


class Ingress:
    """Serves the HTTP API; `parser` and `summarizer` are handles."""

    def __init__(self, settings: GatewaySettings, parser: Any, summarizer: Any) -> None:
        self._parser = StreamHandle[ParsedItem](parser)
        self._summarizer = SummarizerHandle(summarizer)
        spans = StreamSpans(settings.models, StreamMetrics(settings.models).observe)
        self._routes = Routes(settings, self._parser, self._summarizer, spans.observe)

    def __serve_build_asgi_app__(self) -> FastAPI:
        app = self._routes.app()
        app.get("/health", **documented(refusals=[503]))(self.health)
        settle()
        return app

    async def health(self) -> dict[str, str | int]:
        """200 only when every way to the model is open and it is loaded; `running` is how many generations it has.

        It asks as a stream asks, so that what Serve opens on first use is open before the first stream.
        """
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                running, _ = await asyncio.gather(self._parser.running(), self._summarizer.running())
        except Exception as error:
            raise NotReady("the model is still loading, or has stopped; try again shortly") from error
        return {"status": "ok", "running": running}

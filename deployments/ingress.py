"""The HTTP API of the gateway: `web.routes` does the work.

What Ray adds here: the application as a deployment, the parser and the summarizer behind handles. Serve cancels a
request whose client disconnects, and with it everything behind its session.
"""

import asyncio
import os
from typing import Any

from fastapi import FastAPI

from deployments.heap import return_freed_memory
from deployments.node_share import follow_node_share, usable_cores
from deployments.rpc.handles import StreamHandle, SummarizerHandle
from deployments.stopping import STOPPING, end_streams
from deployments.telemetry import metrics
from deployments.telemetry.loop_lag import watch_loop
from deployments.telemetry.serve_internals import clients_are_hidden, cluster_secret
from deployments.telemetry.tracing import StreamSpans
from gateway.config import GatewaySettings, SealingSettings
from gateway.errors import NotReady
from gateway.sealing import Sealer, read_secrets
from gateway.upstream import ParsedItem
from web.openapi import documented
from web.routes import Routes

HEALTH_SECONDS = 2.0
"""Seconds within which every deployment behind the ingress must answer."""


class Ingress:
    """The HTTP API; `parser` and `summarizer` are Serve handles."""

    def __init__(self, settings: GatewaySettings, parser: Any, summarizer: Any) -> None:
        self._parser, self._summarizer = StreamHandle[ParsedItem](parser), SummarizerHandle(summarizer)
        watch_loop(metrics.loop_lag())
        return_freed_memory()
        spans = StreamSpans(settings.models, metrics.StreamMetrics(settings.models).observe)
        self._routes = Routes(
            settings,
            self._parser,
            self._summarizer,
            spans.observe,
            sealer=_sealer(settings.sealing),
            clients_are_hidden=clients_are_hidden(),
            cores=usable_cores(),
        )
        follow_node_share(lambda cores: self._routes.limiter.resize(*settings.limits.places(cores)))

    async def reconfigure(self, user_config: dict[str, bool]) -> None:
        """End all streams if `reasoning-gateway down` asks for it; a redeployment lets them finish."""
        if user_config == STOPPING:
            await end_streams(self._parser, self._routes.limiter)

    def __serve_build_asgi_app__(self) -> FastAPI:
        app = self._routes.app()
        app.get("/health", **documented(refusals=[503]))(self.health)
        return app

    async def health(self) -> dict[str, str | int]:
        """Return 200 only if the model is loaded and every deployment on the way to it answers.

        `running` is the number of generations at the model. The call goes the way of a stream, so the connections that
        are opened on first use are open before the first stream.
        """
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                running, _ = await asyncio.gather(self._parser.running(), self._summarizer.running())
        except Exception as error:
            raise NotReady("the model is still loading, or has stopped; try again shortly") from error
        return {"status": "ok", "running": running}


def _sealer(settings: SealingSettings) -> Sealer:
    """Return the sealer of all replicas. Raises ValueError if the configured secrets cannot be read."""
    if settings.key_env is None:
        return Sealer([cluster_secret("sealing")])
    try:
        return Sealer(read_secrets(os.environ.get(settings.key_env, "")))
    except ValueError as error:
        raise ValueError(f"sealing.key_env is {settings.key_env}, and on this node {error}") from None

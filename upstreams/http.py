"""Any /chat/completions API behind the interface of an upstream: `upstreams.chat_api` does the work.

What Ray adds here: a count of retries, and the id of the request, which Serve carries from the client to each call. It
is no deployment: who asks it has it in its own process, since a hop would cost more than all that it does.
"""

import re
from collections.abc import AsyncGenerator, Sequence

from ray.serve.context import _get_serve_request_context

from deployments.telemetry.metrics import upstream_retries
from gateway.config import HttpUpstreamSettings
from gateway.pacing import paced
from gateway.upstream import UpstreamItem, UpstreamRequest
from upstreams.chat_api import ChatApi

REQUEST_ID = re.compile(r"[!-~]{1,128}")
"""What goes on to an API: clients may put anything into theirs."""


class HttpUpstream:
    """Serves `stream` for the models of all `apis`."""

    def __init__(self, apis: Sequence[HttpUpstreamSettings]) -> None:
        retried = upstream_retries()
        self._apis = {
            model: api for settings in apis for api in [ChatApi(settings, retried)] for model in settings.models
        }

    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]:
        return paced(self._apis[request.model].stream(request, _headers()))

    async def running(self) -> int:
        """How many requests run; the APIs themselves are not asked, each of them may be down by itself."""
        return sum(api.running for api in set(self._apis.values()))

    async def aclose(self) -> None:
        for api in set(self._apis.values()):
            await api.aclose()


def _headers() -> dict[str, str]:
    id = _get_serve_request_context().request_id
    return {"X-Request-Id": id} if REQUEST_ID.fullmatch(id) else {}

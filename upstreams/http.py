"""All HTTP APIs behind the interface of one upstream: a request's model picks the API.

It is no deployment: whoever asks an API does so from its own process, since another hop would cost more than all the
work done here.
"""

import re
from collections.abc import AsyncGenerator, Callable, Sequence

from gateway.upstream import UpstreamItem, UpstreamRequest
from gateway.upstream_settings import HttpUpstreamSettings
from upstreams.chat_api import ChatApi

REQUEST_ID = re.compile(r"[!-~]{1,128}")
"""Request ids that are passed on to an API: visible ASCII. Clients may put anything into theirs."""


class HttpUpstream:
    """Serves the models of all `apis`.

    `request_id` returns the id of the request being handled, empty if it has none. `on_retry` is called with the
    model's name each time an API is asked again. Raises ValueError if an API's key is not set.
    """

    def __init__(
        self, apis: Sequence[HttpUpstreamSettings], request_id: Callable[[], str], on_retry: Callable[[str], None]
    ) -> None:
        self._request_id = request_id
        self._apis = [ChatApi(settings, on_retry) for settings in apis]
        self._by_model = {
            model: api for settings, api in zip(apis, self._apis, strict=True) for model in settings.models
        }

    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]:
        """Yield the API's answer. Raises UpstreamError as `gateway.errors` distinguishes them, and InvalidRequest."""
        id = self._request_id()
        headers = {"X-Request-Id": id} if REQUEST_ID.fullmatch(id) else {}
        return self._by_model[request.model].stream(request, headers)

    async def running(self) -> int:
        """Return how many requests run. The APIs are not asked: each of them may be down by itself."""
        return sum(api.running for api in self._apis)

    async def aclose(self) -> None:
        """Close all pooled connections."""
        for api in self._apis:
            await api.aclose()

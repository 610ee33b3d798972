"""The deployment of the Qwen, bound without importing torch, which takes seconds; `qwen_upstream.py` does the work.

What Ray adds here: a replica loads the model once and serves many requests in one batch; if its engine has stopped, the
health check fails and Serve replaces the replica.
"""

import gc
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager

from deployments.rpc.server import RpcServer
from gateway.upstream import UpstreamItem, UpstreamRequest
from gateway.upstream_settings import UpstreamSettings


class QwenUpstream(RpcServer):
    """Serves `stream` and `running`. `summary_language` is that of the summaries it writes, None if others do."""

    def __init__(self, settings: UpstreamSettings, summary_language: str | None = None) -> None:
        super().__init__(settings.max_streams)
        with _no_collections():
            from deployments.qwen_upstream import Qwen

            self._qwen = Qwen(settings, summary_language)

    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]:
        """Yield batches of items. Raises ContextTooLong, and UpstreamError if the engine fails."""
        return self._qwen.stream(request)

    async def running(self) -> AsyncGenerator[Sequence[int]]:
        """Yield the number of requests in the engine, 0 once the last client has gone. Raises as `check_health`."""
        self.check_health()
        yield [self._qwen.running]

    def check_health(self) -> None:
        """Raise RuntimeError if the engine has stopped."""
        self._qwen.check_health()

    def __del__(self) -> None:
        if qwen := getattr(self, "_qwen", None):
            qwen.stop()


@contextmanager
def _no_collections() -> Iterator[None]:
    """Python looks for garbage again and again while much is allocated to stay: a fifth of importing transformers."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

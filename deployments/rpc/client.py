"""The calling end of links: another deployment as whoever calls it sees it.

What Ray adds here: nothing beyond its links; a call whose replica dies before its first frame is made again.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from deployments.retries import with_retries
from deployments.rpc.connection import Call, Connection, ReplicaDied
from deployments.telemetry.metrics import count_frames

T = TypeVar("T")
LINKS = 4
"""To one deployment, that take new calls: so many of its replicas are called at a time."""
ATTEMPTS, WAIT_SECONDS = 3, 0.1
"""Of a call whose replica dies before its first frame; the second wait is twice the first, both with some jitter."""


class RpcClient:
    """Another deployment; `handle` is Serve's. Its calls share a few links, which open and close as they are used."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._links: list[Connection] = []

    async def call(self, method: str, *args: Any) -> AsyncGenerator[Sequence[Any]]:
        """What the deployment's `method` answers with, in the batches that it came in.

        Until the first nothing has been promised to anybody, so the call goes to another replica where its own dies.
        Raises the failure that the method raised, Overloaded where there are too many calls or links, NotReady where
        the deployment is not there, FrameLost where a frame is missing, UpstreamError where the replica dies.
        """
        call, items = await with_retries(
            lambda _: self._begun(method, args),
            on=ReplicaDied,
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=WAIT_SECONDS,
            wait_jitter=WAIT_SECONDS,
        )
        frames = count = 0
        try:
            while items:
                frames, count = frames + 1, count + len(items)
                yield items
                items = await call.take()
        finally:
            count_frames(self._handle.deployment_name, frames, count)
            call.close()

    async def _begun(self, method: str, args: Sequence[Any]) -> tuple[Call, list[Any]]:
        """A call of one replica, and its first items, if it has any. Raises as `call`."""
        call = self._link().open(method, args)
        try:
            return call, await call.take()
        except BaseException:
            call.close()
            raise

    def _link(self) -> Connection:
        """The one with the fewest calls; a new one while there may be more and all are used."""
        self._links = [link for link in self._links if link.fresh]
        least = min(self._links, key=lambda link: link.calls, default=None)
        if least is None or (least.calls and len(self._links) < LINKS):
            least = Connection(self._handle)
            self._links.append(least)
        return least


async def single_item(answer: AsyncGenerator[Sequence[T]]) -> T:
    """Return the only item of a call that yields one, and end the call."""
    async with aclosing(answer):
        return (await anext(answer))[0]

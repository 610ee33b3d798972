"""The calling end of links: another deployment as whoever calls it sees it.

What Ray adds here: nothing beyond its links; a call whose replica dies before its first frame is made again.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

import stamina

from deployments.link import Link, ReplicaDied
from deployments.metrics import count_frames

T = TypeVar("T")
LINKS = 4
"""To one deployment, that take new calls: so many of its replicas are called at a time."""
ATTEMPTS, WAIT_SECONDS = 3, 0.1
"""Of a call whose replica dies before its first frame; the second wait is twice the first, both with some jitter."""


class Peer:
    """Another deployment; `handle` is Serve's. Its calls share a few links, which open and close as they are used."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self._links: list[Link] = []

    async def call(self, method: str, *args: Any) -> AsyncGenerator[Sequence[Any]]:
        """What the deployment's `method` answers with, in the batches that it came in.

        Until the first nothing has been promised to anybody, so the call goes to another replica where its own dies.
        Raises the failure that the method raised, Overloaded where there are too many calls or links, NotReady where
        the deployment is not there, FrameLost where a frame is missing, UpstreamError where the replica dies.
        """
        answer, first = await self._begun(method, *args)
        async with aclosing(answer):
            if first is not None:
                yield first
            async for items in answer:
                yield items

    async def _begun(self, method: str, *args: Any) -> tuple[AsyncGenerator[Sequence[Any]], Sequence[Any] | None]:
        """An answer that has begun, and its first items, if it has any."""
        retries = stamina.retry_context(
            on=ReplicaDied, attempts=ATTEMPTS, timeout=None, wait_initial=WAIT_SECONDS, wait_jitter=WAIT_SECONDS
        )
        async for attempt in retries:
            with attempt:
                answer = self._answer(method, *args)
                first = await anext(answer, None)
        return answer, first

    async def _answer(self, method: str, *args: Any) -> AsyncGenerator[Sequence[Any]]:
        """Of one replica. Raises as `call`."""
        frames, items = 0, 0
        call = self._link().open(method, args)
        try:
            while batch := await call.take():
                frames, items = frames + 1, items + len(batch)
                yield batch
        finally:
            count_frames(self._handle.deployment_name, frames, items)
            call.close()

    def _link(self) -> Link:
        """The one with the fewest calls; a new one while there may be more and all are used."""
        self._links = [link for link in self._links if link.fresh]
        least = min(self._links, key=lambda link: link.calls, default=None)
        if least is None or (least.calls and len(self._links) < LINKS):
            least = Link(self._handle)
            self._links.append(least)
        return least


async def only(answer: AsyncGenerator[Sequence[T]]) -> T:
    """The one item of an answer that has one."""
    async with aclosing(answer):
        return (await anext(answer))[0]

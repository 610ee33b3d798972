"""The calling end of RPC: calls methods of another deployment.

What Ray adds here: nothing beyond its connections.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from deployments.rpc.connection import Call, Connection, ReplicaDied
from deployments.telemetry.metrics import count_frames
from gateway.errors import GatewayError

T = TypeVar("T")
MAX_CONNECTIONS = 4
"""Maximum number of connections to one deployment that accept new calls, and so of its replicas in use at a time."""
ACCEPT_SECONDS = 30.0
"""Seconds for which a connection accepts new calls. Bounds how long a replica that is shutting down still receives
calls, and how long a new replica waits for its first."""
RETRY_SECONDS = (0.1, 0.2)
"""Seconds before each retry of a call whose replica died before its first frame; up to as many again are added."""


class RpcClient:
    """Calls another deployment through Serve's `handle`. Its calls share a few connections, opened as they are used."""

    def __init__(
        self, handle: Any, retry_seconds: Sequence[float] = RETRY_SECONDS, accept_seconds: float = ACCEPT_SECONDS
    ) -> None:
        self._handle, self._retry_seconds, self._accept_seconds = handle, retry_seconds, accept_seconds
        self._connections: list[Connection] = []
        self._stopped: GatewayError | None = None

    async def call(self, method: str, *args: Any) -> AsyncGenerator[Sequence[Any]]:
        """Yield the items of the deployment's `method` in batches, as they arrive. Closing it cancels the call.

        Before the first frame nothing has been promised to anybody, so if the replica dies, the call goes to another.
        Raises the failure that the method raised, Overloaded if there are too many calls or connections, NotReady if
        the deployment is not there, FrameLost if a frame is missing, UpstreamError if the replica dies.
        """
        call, items = await self._begin(method, args)
        frames = received = 0
        try:
            while items:
                frames, received = frames + 1, received + len(items)
                yield items
                items = await call.take()
        finally:
            count_frames(self._handle.deployment_name, frames, received)
            call.cancel()

    async def stop(self, error: GatewayError) -> None:
        """End all connections. Calls that are not over fail with `error`, and so does every later one."""
        self._stopped = error
        await asyncio.gather(*(connection.aclose(error) for connection in self._connections))

    async def _begin(self, method: str, args: Sequence[Any]) -> tuple[Call, list[Any]]:
        """Return a call and its first items, if it has any. Raises as `call`."""
        for seconds in self._retry_seconds:
            try:
                return await self._attempt(method, args)
            except ReplicaDied:
                await asyncio.sleep(seconds * random.uniform(1, 2))
        return await self._attempt(method, args)

    async def _attempt(self, method: str, args: Sequence[Any]) -> tuple[Call, list[Any]]:
        call = self._connection().open(method, args)
        try:
            return call, await call.take()
        except BaseException:
            call.cancel()
            raise

    def _connection(self) -> Connection:
        """Return the connection with the fewest calls, or a new one while there may be more and all have calls.

        Raises the error that this client was stopped with.
        """
        if self._stopped:
            raise type(self._stopped)(self._stopped.message)
        self._connections = [one for one in self._connections if one.accepts_calls or one.calls]
        accepting = [one for one in self._connections if one.accepts_calls]
        least = min(accepting, key=lambda one: one.calls, default=None)
        if least is None or (least.calls and len(accepting) < MAX_CONNECTIONS):
            least = Connection(self._handle, self._accept_seconds)
            self._connections.append(least)
        return least


async def single_item(answer: AsyncGenerator[Sequence[T]]) -> T:
    """Return the only item of a call that yields one, and end the call."""
    async with aclosing(answer):
        return (await anext(answer))[0]

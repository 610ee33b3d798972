"""Replicas in this process behind a handle that picks them in turn: their sockets are real, Serve is not."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from deployments.rpc.client import RpcClient
from deployments.rpc.connection import ReplicaDied
from deployments.rpc.protocol import Address
from deployments.rpc.server import RpcServer
from deployments.telemetry.serve_internals import request_id
from gateway.errors import ContextTooLong


class Replica(RpcServer):
    """Answers calls as its methods' names say. `events` records what became of calls of `hang`, in order."""

    def __init__(self, max_calls: int = 100, connect_seconds: float = 5.0) -> None:
        super().__init__(max_calls, connect_seconds)
        self.events = asyncio.Queue[str]()
        self.counted = 0
        self.finish = asyncio.Event()

    async def echo(self, *batches: Sequence[Any]) -> AsyncGenerator[Sequence[Any]]:
        for batch in batches:
            yield batch

    async def hang(self, *batches: Sequence[Any]) -> AsyncGenerator[Sequence[Any]]:
        """Yield the batches, and one more once `finish` is set."""
        try:
            for batch in batches:
                yield batch
            await self.finish.wait()
            yield ["more"]
        finally:
            self.events.put_nowait("hang ended")

    async def count(self, end: int) -> AsyncGenerator[Sequence[int]]:
        for number in range(end):
            self.counted = number
            yield [number]

    async def refuse(self, *batches: Sequence[Any]) -> AsyncGenerator[Sequence[Any]]:
        for batch in batches:
            yield batch
        raise ContextTooLong("9 tokens, 8 fit", param="messages")

    async def break_down(self, *batches: Sequence[Any]) -> AsyncGenerator[Sequence[Any]]:
        for batch in batches:
            yield batch
        raise ZeroDivisionError("secret")

    async def give_up(self) -> AsyncGenerator[Sequence[Any]]:
        yield []
        raise asyncio.CancelledError

    async def running(self) -> AsyncGenerator[Sequence[int]]:
        yield [self.calls]

    async def request_ids(self) -> AsyncGenerator[Sequence[str]]:
        yield [request_id()]


class Lease:
    """A call of `serve_connection` through Serve; `cancelled` is set once its caller has cancelled it."""

    def __init__(self, addresses: AsyncGenerator[Any]) -> None:
        self._addresses, self.cancelled = addresses, asyncio.Event()

    async def __anext__(self) -> Any:
        return await anext(self._addresses)

    def cancel(self) -> None:
        self.cancelled.set()


class Handle:
    """Calls the `replicas` in turn; an exception among them is raised by its call."""

    deployment_name = "Replica"

    def __init__(self, *replicas: RpcServer | BaseException) -> None:
        self._replicas, self.leases = replicas, list[Lease]()

    def options(self, *, method_name: str, stream: bool, _by_reference: bool) -> "Handle":
        assert (method_name, stream, _by_reference) == ("serve_connection", True, True)
        return self

    def remote(self) -> Lease:
        replica = self._replicas[len(self.leases) % len(self._replicas)]
        addresses = _raise(replica) if isinstance(replica, BaseException) else replica.serve_connection()
        self.leases.append(Lease(addresses))
        return self.leases[-1]


async def _raise(error: BaseException) -> AsyncGenerator[Any]:
    raise error
    yield


@asynccontextmanager
async def client_of(*replicas: RpcServer | BaseException, **options: Any) -> AsyncGenerator[tuple[RpcClient, Handle]]:
    """A client of these replicas that retries without a wait. At the end its connections are closed."""
    handle = Handle(*replicas)
    client = RpcClient(handle, **{"retry_seconds": (0.0, 0.0), **options})
    try:
        yield client, handle
    finally:
        await client.stop(ReplicaDied("the test is over"))
        for replica in replicas:
            if isinstance(replica, RpcServer):
                await replica.aclose()


@asynccontextmanager
async def expecting(replica: RpcServer) -> AsyncGenerator[Address]:
    """The address at which the replica expects one caller. At the end that connection must have been closed."""
    async with aclosing(replica.serve_connection()) as lease:
        address = await anext(lease)
        ended = asyncio.ensure_future(anext(lease, None))
        yield address
        async with asyncio.timeout(10):
            assert await ended is None
    await replica.aclose()


async def all_items(client: RpcClient, method: str, *args: Any) -> list[Any]:
    """All items of a call."""
    return [item async for batch in client.call(method, *args) for item in batch]

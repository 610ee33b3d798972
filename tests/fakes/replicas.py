"""Replicas in this process behind a handle that picks them in turn: links and their sockets are real, Serve is not."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from deployments.rpc.client import RpcClient
from deployments.rpc.server import RpcServer
from deployments.telemetry.serve_internals import request_id
from gateway.errors import ContextTooLong


class Replica(RpcServer):
    """What its methods do is in their names; `stopped` counts the calls that have ended, `ready` that of `hang`."""

    def __init__(self, most: int = 100) -> None:
        super().__init__(most)
        self.stopped = self.taken = 0
        self.more = asyncio.Event()

    async def say(self, *batches: Sequence[Any]) -> AsyncGenerator[Sequence[Any]]:
        for batch in batches:
            yield batch

    async def hang(self, *batches: Sequence[Any]) -> AsyncGenerator[Sequence[Any]]:
        try:
            for batch in batches:
                yield batch
            await self.more.wait()
            yield ["more"]
        finally:
            self.stopped += 1

    async def count(self, most: int) -> AsyncGenerator[Sequence[int]]:
        for number in range(most):
            self.taken = number
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

    async def who(self) -> AsyncGenerator[Sequence[str]]:
        yield [request_id()]


class Lease:
    """A call of `link` through Serve."""

    def __init__(self, links: AsyncGenerator[Any]) -> None:
        self._links, self.cancelled = links, False

    async def __anext__(self) -> Any:
        return await anext(self._links)

    def cancel(self) -> None:
        self.cancelled = True


class Handle:
    """Gives a link to each of the `replicas` in turn; an exception among them is what such a call ends with."""

    deployment_name = "Replica"

    def __init__(self, *replicas: RpcServer | BaseException) -> None:
        self._replicas, self.leases = replicas, list[Lease]()

    def options(self, *, method_name: str, stream: bool, _by_reference: bool) -> "Handle":
        assert (method_name, stream, _by_reference) == ("link", True, True)
        return self

    def remote(self) -> Lease:
        replica = self._replicas[len(self.leases) % len(self._replicas)]
        self.leases.append(Lease(_failing(replica) if isinstance(replica, BaseException) else replica.link()))
        return self.leases[-1]


async def _failing(error: BaseException) -> AsyncGenerator[Any]:
    raise error
    yield


@asynccontextmanager
async def called(*replicas: RpcServer | BaseException) -> AsyncGenerator[tuple[RpcClient, Handle]]:
    """A peer over these replicas; its links are closed in the end."""
    handle = Handle(*replicas)
    peer = RpcClient(handle)
    try:
        yield peer, handle
    finally:
        links = list(peer._links)
        for link in links:
            link._task.cancel()
        await asyncio.gather(*(link._task for link in links), return_exceptions=True)
        for replica in replicas:
            if isinstance(replica, RpcServer) and replica._server:
                replica._server.close()
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        await asyncio.sleep(0)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if true():
            return
        await asyncio.sleep(0)
    raise TimeoutError


async def taken(peer: RpcClient, method: str, *args: Any) -> list[Any]:
    """All items of a call."""
    return [item async for batch in peer.call(method, *args) for item in batch]


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicas listen on this machine alone."""
    monkeypatch.setattr("ray.util.get_node_ip_address", lambda: "127.0.0.1")

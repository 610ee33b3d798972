"""The answering end of links: what a deployment is whose methods other deployments call.

What Ray adds here: `link` is a call through Serve, so that Serve picks the replica, waits for it when it is stopped,
and ends it with its caller; what is said meanwhile goes over a socket, since a call through Serve costs milliseconds,
and a third of one for each frame. Serve sees links where callers make calls, so it is told how many there are.
"""

import asyncio
import hmac
import logging
import secrets
import ssl
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from typing import Any

import ray

from deployments.garbage import settle
from deployments.rpc.protocol import (
    KEY_BYTES,
    READ_BYTES,
    Address,
    CallOutput,
    CancelCall,
    Frame,
    OpenCall,
    PauseCall,
    keep_alive,
    messages,
    packed,
    tls,
)
from deployments.telemetry.tracing import handling
from gateway.errors import Failure, GatewayError, OurError, Overloaded, cancelling
from gateway.pacing import MOST, PROCESS, Load

log = logging.getLogger("ray.serve")

CONNECT_SECONDS = 5.0
"""That a caller has to come, once it knows the address, and to say its key."""

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class RpcServer:
    """Methods that are called are asynchronous generators of batches, `most` of them at once."""

    def __init__(self, most: int) -> None:
        self._most, self._links = most, set[_ServerConnection]()
        self._expected: dict[bytes, asyncio.Future[Ends]] = {}
        self._server: asyncio.Server | None = None
        self._starting = asyncio.Lock()

    async def link(self) -> AsyncGenerator[Address]:
        """The address of a link, which is there as long as this call and its socket are."""
        host, port = await self._listening()
        key, came = secrets.token_bytes(KEY_BYTES), asyncio.get_running_loop().create_future()
        self._expected[key] = came
        try:
            yield Address(host, port, key)
            reader, writer = await asyncio.wait_for(came, CONNECT_SECONDS)
        finally:
            del self._expected[key]
        link = _ServerConnection(self, reader, writer)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.remove(link)

    @property
    def calls(self) -> int:
        """How many there are now, over all links."""
        return sum(len(link.calls) for link in self._links)

    @property
    def full(self) -> bool:
        return self.calls >= self._most

    async def record_autoscaling_stats(self) -> dict[str, int]:
        """What Serve asks of a replica before it scales: `deployments.autoscaling` reads it."""
        return {"calls": self.calls}

    async def _listening(self) -> tuple[str, int]:
        host: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        async with self._starting:
            if self._server is None:
                settle()
                certified = tls(ssl.Purpose.CLIENT_AUTH)
                self._server = await asyncio.start_server(self._come, host, 0, limit=READ_BYTES, ssl=certified)
        port: int = self._server.sockets[0].getsockname()[1]
        return host, port

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody has connected: whom nobody expects is sent away before anything that was sent is looked at."""
        with suppress(TimeoutError, OSError, asyncio.IncompleteReadError):
            async with asyncio.timeout(CONNECT_SECONDS):
                said = await reader.readexactly(KEY_BYTES)
            for key, came in self._expected.items():
                if hmac.compare_digest(key, said) and not came.done():
                    came.set_result((reader, writer))
                    return
        writer.close()


class _ServerConnection:
    """One link, from the first call over it to the last."""

    def __init__(self, exchange: RpcServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._exchange, self._reader, self._writer = exchange, reader, writer
        self._frames = FrameWriter(writer)
        self.calls: dict[int, asyncio.Task[None]] = {}
        self._held: dict[int, asyncio.Event] = {}

    async def run(self) -> None:
        keep_alive(self._writer)
        try:
            async for message in messages(self._reader):
                self._take(message)
        finally:
            running = list(self.calls.values())
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            self._frames.close()
            self._writer.transport.abort()

    def _take(self, message: OpenCall | CancelCall | PauseCall) -> None:
        match message:
            case OpenCall(call=call) if self._exchange.full:
                overloaded = Overloaded("the gateway is at capacity; try again shortly")
                self._frames.put(call, [overloaded.failure()], over=True)
            case OpenCall(call=call):
                self.calls[call] = task = asyncio.create_task(self._answer(message))
                task.add_done_callback(lambda _: self.calls.pop(call))  # also where it is cancelled before it begins
            case CancelCall(call=call) if call in self.calls:
                self.calls[call].cancel()
            case PauseCall(call=call, on=True) if call in self.calls:
                self._held[call] = asyncio.Event()
            case PauseCall(call=call) if call in self._held:
                self._held.pop(call).set()

    async def _answer(self, asked: OpenCall) -> None:
        last: list[Failure] = []
        try:
            with handling(type(self._exchange).__name__, asked):
                async with aclosing(getattr(self._exchange, asked.method)(*asked.args)) as batches:
                    async for batch in batches:
                        self._frames.put(asked.call, batch)
                        await self._frames.room()
                        if held := self._held.get(asked.call):
                            await held.wait()
        except GatewayError as error:
            last = [error.failure()]
        except (Exception, asyncio.CancelledError):
            if cancelling():
                raise
            log.exception("call of %s failed", asked.method)
            last = [OurError("a deployment failed; its log says why").failure()]
        finally:
            self._held.pop(asked.call, None)
            self._frames.put(asked.call, last, over=True)


class FrameWriter:
    """What the calls of a link answer, gathered: what all have within a part of the window leaves together."""

    def __init__(self, writer: asyncio.StreamWriter, load: Load = PROCESS) -> None:
        self._writer, self._load = writer, load
        self._loop = asyncio.get_running_loop()
        self._parts: dict[int, tuple[list[Any], bool]] = {}
        self._number, self._waiting, self._due = 0, 0, 0.0
        self._room = asyncio.Event()
        self._room.set()
        self._leaving: asyncio.Handle | None = None

    def put(self, call: int, items: Sequence[Any], over: bool = False) -> None:
        gathered, _ = self._parts.get(call, ([], False))
        gathered += items
        self._parts[call] = gathered, over
        self._waiting += len(items)
        if self._waiting >= MOST:
            self._room.clear()
        if self._leaving is None:
            self._leaving = self._loop.call_at(max(self._due, self._loop.time()), self._leave)

    async def room(self) -> None:
        """Wait while too much waits to leave, here or in the socket; where that has gone, nobody waits."""
        await self._room.wait()
        with suppress(ConnectionError):
            await self._writer.drain()

    def close(self) -> None:
        if self._leaving:
            self._leaving.cancel()

    def _leave(self) -> None:
        self._leaving, self._due = None, self._loop.time() + self._load.gather
        self._waiting = 0
        self._room.set()
        parts, self._parts = [CallOutput(call, items, over) for call, (items, over) in self._parts.items()], {}
        if not self._writer.is_closing():
            self._writer.write(packed(Frame(self._number, parts)))
            self._number += 1

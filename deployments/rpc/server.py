"""The answering end of RPC: the base class of deployments whose methods other deployments call.

What Ray adds here: a connection is a call of `serve_connection` through Serve, so that Serve picks the replica, ends
the connection with its caller, and lets a replica that it stops finish. Serve sees one request a connection, so the
replica reports its number of calls for autoscaling.
"""

import asyncio
import hmac
import secrets
import ssl
from collections.abc import AsyncGenerator

import ray

from deployments.rpc.channel import KEY_BYTES, tls
from deployments.rpc.protocol import Address
from deployments.rpc.server_connection import ServerConnection

UNCOUNTED = ("running",)
"""Methods that are answered also at the limit of calls, so that a full replica passes for healthy."""
CONNECT_SECONDS = 5.0
"""Seconds a caller has to connect after it was given the address, and then to send its key."""


class RpcServer:
    """Answers calls of its methods, which are asynchronous generators of batches, `max_calls` of them at once.

    Calls beyond that are refused as Overloaded, except those of `UNCOUNTED`.
    """

    def __init__(self, max_calls: int, connect_seconds: float = CONNECT_SECONDS) -> None:
        self._max_calls, self._connect_seconds = max_calls, connect_seconds
        self._connections = set[ServerConnection]()
        self._expected: dict[bytes, asyncio.Future[ServerConnection]] = {}
        self._listener: asyncio.Server | None = None
        self._starting = asyncio.Lock()

    async def serve_connection(self) -> AsyncGenerator[Address]:
        """Yield the address for one connection, then serve its calls until its socket or this call ends.

        Raises TimeoutError if nobody connects in time.
        """
        host, port = await self._listening()
        key, connected = secrets.token_bytes(KEY_BYTES), asyncio.get_running_loop().create_future()
        self._expected[key] = connected
        try:
            yield Address(host, port, key)
            connection = await asyncio.wait_for(connected, self._connect_seconds)
            await connection.channel.lost.wait()
        finally:
            del self._expected[key]
            # A cancellation may come after the caller has been admitted and before `wait_for` returns.
            if connected.done() and not connected.cancelled():
                self._connections.remove(connected.result())
                await connected.result().close()

    @property
    def calls(self) -> int:
        """The number of calls that are being answered, over all connections."""
        return sum(connection.calls for connection in self._connections)

    async def aclose(self) -> None:
        """Stop listening and end the connections."""
        if self._listener:
            self._listener.close()
        await asyncio.gather(*(connection.close() for connection in self._connections))

    async def record_autoscaling_stats(self) -> dict[str, int]:
        """Report the number of calls to Serve, for `deployments.autoscaling`."""
        return {"calls": self.calls}

    async def _listening(self) -> tuple[str, int]:
        """Listen on a free port of the address by which Ray knows this node, once, and return both."""
        host: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        async with self._starting:
            if self._listener is None:
                loop, context = asyncio.get_running_loop(), tls(ssl.Purpose.CLIENT_AUTH)
                self._listener = await loop.create_server(self._accept, host, 0, ssl=context)
        port: int = self._listener.sockets[0].getsockname()[1]
        return host, port

    def _accept(self) -> asyncio.Protocol:
        """Accept a socket. It is closed, without unpickling anything, unless it begins with an expected key."""
        return ServerConnection(self, self._has_capacity, self._admit, self._connect_seconds).channel

    def _admit(self, key: bytes, connection: ServerConnection) -> bool:
        """Return whether a caller was given this key. Each key admits one connection."""
        for expected, connected in self._expected.items():
            # In constant time, so that the time tells nothing of the key.
            if hmac.compare_digest(expected, key) and not connected.done():
                connected.set_result(connection)
                self._connections.add(connection)
                return True
        return False

    def _has_capacity(self, method: str) -> bool:
        return method in UNCOUNTED or self.calls < self._max_calls

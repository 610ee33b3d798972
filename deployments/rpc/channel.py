"""One end of a connection between two replicas: a socket that carries messages.

The connecting end sends a key first; the accepting end unpickles nothing before it has admitted that key. Under TLS if
Ray's own channels are. Knows nothing of calls.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable
from typing import Any, cast

from deployments.rpc.protocol import Decoder, Message, encode

KEY_BYTES = 32
KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""Seconds of silence before the first probe, seconds between probes, and their number: the loss of a machine is noticed
within 25 s."""


class Channel(asyncio.Protocol):
    """Sends and receives messages. `receive` is called with each message, and `lost` is set once the socket is closed.

    `admit` is None at the connecting end. At the accepting end it is called with the key that the other end sends
    first, within `key_seconds`, and if it returns False, the socket is closed.
    """

    def __init__(
        self,
        receive: Callable[[Any], None],
        admit: Callable[[bytes], bool] | None = None,
        key_seconds: float = 5.0,
    ) -> None:
        self._receive, self._admit, self._key_seconds = receive, admit, key_seconds
        self._decoder, self._key = Decoder(), b""
        self._transport: asyncio.Transport
        self._writable = asyncio.Event()
        self._writable.set()
        self.lost = asyncio.Event()

    def send(self, message: Message) -> None:
        """Send the message, or drop it if the socket is closed. Never waits: see `writable`."""
        self.send_bytes(encode(message))

    def send_bytes(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    async def writable(self) -> None:
        """Wait while the socket's buffer is full. A closed socket keeps nobody waiting."""
        await self._writable.wait()

    def abort(self) -> None:
        """Close the socket at once, without sending what is buffered."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        _keep_alive(transport.get_extra_info("socket"))
        if self._admit:
            self._timer = asyncio.get_running_loop().call_later(self._key_seconds, self.abort)

    def data_received(self, data: bytes) -> None:
        if self._admit:
            self._key += data
            if len(self._key) < KEY_BYTES:
                return
            key, data = self._key[:KEY_BYTES], self._key[KEY_BYTES:]
            self._timer.cancel()
            if not self._admit(key):
                self.abort()
                return
            self._admit = None
        for message in self._decoder.feed(data):
            self._receive(message)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def connection_lost(self, error: Exception | None) -> None:
        if self._admit:
            self._timer.cancel()
        self._writable.set()
        self.lost.set()


def tls(purpose: ssl.Purpose) -> ssl.SSLContext | None:
    """Return a context with the certificates of Ray's own channels, or None if those have none (`RAY_USE_TLS`).

    Both ends have to present a certificate.
    """
    if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
        return None
    context = ssl.create_default_context(purpose, cafile=os.environ["RAY_TLS_CA_CERT"])
    context.load_cert_chain(os.environ["RAY_TLS_SERVER_CERT"], os.environ["RAY_TLS_SERVER_KEY"])
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def _keep_alive(connection: socket.socket) -> None:
    """Have the system probe the other machine while nothing is sent."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):  # not on every system
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

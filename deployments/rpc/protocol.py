"""A link between two replicas: a socket of theirs that many calls share, and what is said over it.

The caller opens calls by number and closes them; the replica answers all of them in numbered frames, each with what
every call has since the last one. Pickles, behind a key that only Serve's own channel has told, and under TLS where Ray
is. Knows nothing of what is called.
"""

import os
import pickle
import socket
import ssl
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

KEY_BYTES = 32
READ_BYTES = 1 << 18
LENGTH_BYTES = 4
PROBES = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""Seconds of silence, seconds between probes, and their number: a machine that is lost is noticed within 25 s."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a replica waits for the one caller who has the `key`."""

    host: str
    port: int
    key: bytes


class OpenCall(NamedTuple):
    """A call of `method`, made for the request and in the trace that `request_id` and `trace` name."""

    call: int
    method: str
    args: Sequence[Any]
    request_id: str
    trace: Mapping[str, str]


class CancelCall(NamedTuple):
    """Nobody waits for this call any more."""

    call: int


class PauseCall(NamedTuple):
    """The caller has as much of this call as it keeps; `on` is false once it takes more."""

    call: int
    on: bool


class CallOutput(NamedTuple):
    """What one call has answered since the last frame, and whether that was all. A failure is its last item, since
    exceptions do not survive every transport."""

    call: int
    items: Sequence[Any]
    over: bool


class Frame(NamedTuple):
    """`number` counts from 0, so that a lost one is noticed."""

    number: int
    parts: Sequence[CallOutput]


def packed(message: OpenCall | CancelCall | PauseCall | Frame) -> bytes:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


async def messages(reader: StreamReader) -> AsyncGenerator[Any]:
    """What the other end says, until it has gone."""
    try:
        while True:
            length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
            yield pickle.loads(await reader.readexactly(length))
    except (IncompleteReadError, OSError):
        return


def keep_alive(writer: StreamWriter) -> None:
    """Have the system ask, while nothing is said, whether the other machine is still there."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in PROBES.items():
        if hasattr(socket, name):  # not on every system
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def tls(purpose: ssl.Purpose) -> ssl.SSLContext | None:
    """Of one end, with the certificates that Ray's own channels have, and None where they have none (`RAY_USE_TLS`)."""
    if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
        return None
    context = ssl.create_default_context(purpose, cafile=os.environ["RAY_TLS_CA_CERT"])
    context.load_cert_chain(os.environ["RAY_TLS_SERVER_CERT"], os.environ["RAY_TLS_SERVER_KEY"])
    context.verify_mode = ssl.CERT_REQUIRED
    return context

"""The messages of a connection between two replicas, and their encoding.

A caller opens numbered calls, cancels and pauses them. The replica answers all of them in numbered frames, each with
the outputs of every call since the last frame. A message is a pickle behind its length; only the sockets of
`deployments.rpc.channel` carry it, once they have authenticated. Knows nothing of sockets, nor of what is called.
"""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from gateway.errors import Failure

LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Address:
    """The address at which a replica listens, and the key that admits one connection. Only Serve carries it."""

    host: str
    port: int
    key: bytes


class OpenCall(NamedTuple):
    """Call `method` on behalf of the request `request_id`; `trace` is its OpenTelemetry context, empty without one."""

    call: int
    method: str
    args: Sequence[Any]
    request_id: str = ""
    trace: Mapping[str, str] = {}


class CancelCall(NamedTuple):
    """Cancel the call: its outputs are no longer wanted."""

    call: int


class PauseCall(NamedTuple):
    """Flow control: `on=True` asks the replica to stop sending this call's items, `on=False` to resume."""

    call: int
    on: bool


class CallOutput(NamedTuple):
    """The items of one call since the last frame. `over` marks its last output, and `failure` what ended it, if
    anything did: as data, since not every exception survives a pickle."""

    call: int
    items: Sequence[Any]
    over: bool = False
    failure: Failure | None = None


class Frame(NamedTuple):
    """The outputs of a connection's calls; `number` counts frames from 0, so that the caller notices a lost one."""

    number: int
    outputs: Sequence[CallOutput]


Message = OpenCall | CancelCall | PauseCall | Frame


def encode(message: Message) -> bytes:
    """Return the message as a pickle behind its length, 4 bytes in network order."""
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


class Decoder:
    """Decodes messages however they are cut into chunks."""

    def __init__(self) -> None:
        self._received = bytearray()

    def feed(self, chunk: bytes) -> list[Any]:
        """Return the messages that `chunk` completes. Unpickling runs code: feed it authenticated bytes only."""
        self._received += chunk
        messages: list[Any] = []
        start = 0
        while len(self._received) >= (begin := start + LENGTH_BYTES):
            end = begin + int.from_bytes(self._received[start:begin], "big")
            if len(self._received) < end:
                break
            messages.append(pickle.loads(self._received[begin:end]))
            start = end
        del self._received[:start]
        return messages

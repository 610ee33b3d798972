"""A timestamp in the text of each delta, and the search for it in the bytes that a gateway sends.

A stamp is `~r` in reasoning or `~a` in a response, and eight hex digits: microseconds of the monotonic clock, which all
processes of a machine share, modulo 2^32 (71 minutes). No encoder escapes these characters, and a gateway that merges
or splits deltas keeps them in order.
"""

import re
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Literal, NamedTuple

Kind = Literal["reasoning", "response"]

MARKS: dict[Kind, bytes] = {"reasoning": b"~r", "response": b"~a"}
DIGITS = 8
_KINDS = {mark: kind for kind, mark in MARKS.items()}
_STAMP = re.compile(rb"(~[ra])([0-9a-f]{8})")
_TURN = 1 << 32


class Delta(NamedTuple):
    """One delta of the upstream: the time of its arrival, and the time since it was written, in microseconds."""

    kind: Kind
    arrived: int
    latency: int


def now() -> int:
    """Return the monotonic clock in microseconds."""
    return time.monotonic_ns() // 1000


def digits(at: int) -> bytes:
    """Return a time in microseconds as the digits of a stamp."""
    return b"%08x" % (at % _TURN)


class Received:
    """The bytes of one stream: `chunks[n]` arrived at `arrived[n]` microseconds."""

    def __init__(self, arrived: Sequence[int], chunks: Sequence[bytes]) -> None:
        self._arrived = arrived
        self._ends = list(accumulate(map(len, chunks)))
        self.body = b"".join(chunks)

    def at(self, end: int) -> int:
        """Return the time when the first `end` bytes had arrived."""
        return self._arrived[bisect_left(self._ends, end)]

    def deltas(self) -> Iterator[Delta]:
        """Yield every delta once: texts that a gateway repeats at the end have no later stamp than the last delta."""
        last = None
        for found in _STAMP.finditer(self.body):
            written = int(found[2], 16)
            if last is not None and not 0 < (written - last) % _TURN < _TURN // 2:
                continue
            last = written
            arrived = self.at(found.end())
            yield Delta(_KINDS[found[1]], arrived, (arrived - written) % _TURN)

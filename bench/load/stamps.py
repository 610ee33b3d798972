"""A timestamp in each delta's text, found again in whatever bytes a gateway made of it.

`~r` in reasoning or `~a` in a response, then eight hex digits: microseconds of the monotonic clock, which all processes
of one machine share, modulo 2^32 (71 minutes). No encoder escapes these characters, and a gateway that merges deltas,
or cuts them anew, keeps them in order.
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
    """One delta of the upstream's as it came: when (microseconds), and how long after it was written."""

    kind: Kind
    arrived: int
    latency: int


def now() -> int:
    """Microseconds of the monotonic clock."""
    return time.monotonic_ns() // 1000


def digits(at: int) -> bytes:
    """What stands behind the mark, for a time in microseconds."""
    return b"%08x" % (at % _TURN)


class Received:
    """The bytes of one stream as they came: `chunks[n]` at `arrived[n]` microseconds."""

    def __init__(self, arrived: Sequence[int], chunks: Sequence[bytes]) -> None:
        self._arrived = arrived
        self._ends = list(accumulate(map(len, chunks)))
        self.body = b"".join(chunks)

    def at(self, end: int) -> int:
        """When the first `end` bytes were there."""
        return self._arrived[bisect_left(self._ends, end)]

    def deltas(self) -> Iterator[Delta]:
        """Every delta once: a gateway repeats whole texts at the end, but never with a later stamp than the last."""
        last = None
        for found in _STAMP.finditer(self.body):
            written = int(found[2], 16)
            if last is not None and not 0 < (written - last) % _TURN < _TURN // 2:
                continue
            last = written
            arrived = self.at(found.end())
            yield Delta(_KINDS[found[1]], arrived, (arrived - written) % _TURN)

"""The figures of a load, from what its streams heard.

latency            milliseconds that each delta took from the upstream's socket to ours, p50 and p99
first_event        milliseconds from before the connection to the first byte of the body, p50 and p99
first_reasoning    the same to the first delta of the reasoning
hold               milliseconds that the first delta of the response took
slowest            the longest stream's time, in times of deltas / pace
longest_gap        milliseconds between two deltas of a stream; stalls are those over ten times the pace's
errors             streams by what was wrong with them
probe_us           microseconds of the probe's own CPU time for each delta
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from bench.load.loads import Load, Route
from bench.load.stamps import Delta, Received
from bench.percentile import percentile

STALL = 10
"""Times the pace's own gap."""
SLOWEST = 1.05
"""Times the ideal time that a sustained stream may take."""


@dataclass(slots=True)
class Heard:
    """One stream: `chunks[n]` came at `arrived[n]`. Times in microseconds; `problem` is the connection's."""

    began: int
    arrived: list[int] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    problem: str = ""


class Told(NamedTuple):
    """What a stream says of itself; microseconds, None where it never came to that."""

    problem: str
    deltas: Sequence[Delta] = ()
    first_event: int | None = None
    first_reasoning: int | None = None
    hold: int | None = None
    whole: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The figures of the module's docstring; None where there was nothing to measure. `received` is in bytes."""

    streams: int
    deltas: int
    received: int
    latency_p50: float | None
    latency_p99: float | None
    first_event_p50: float | None
    first_event_p99: float | None
    first_reasoning_p50: float | None
    first_reasoning_p99: float | None
    hold_p50: float | None
    hold_p99: float | None
    slowest: float
    longest_gap: float
    stalls: int
    errors: dict[str, int]
    probe_us: float

    @property
    def sustained(self) -> bool:
        """Every stream whole and none slower than `SLOWEST`, no gap of more than `STALL` times the pace's."""
        return not self.errors and not self.stalls and self.slowest <= SLOWEST


def figures(route: Route, load: Load, heard: Sequence[Heard], cpu: float) -> Run:
    """`cpu` is in seconds, of the probe."""
    told = [tell(route, load, stream) for stream in heard]
    deltas = sum(len(stream.deltas) for stream in told)
    gaps = [gap for stream in told for gap in _gaps(stream.deltas)]
    return Run(
        streams=load.streams,
        deltas=deltas,
        received=sum(len(chunk) for stream in heard for chunk in stream.chunks),
        slowest=round(max(stream.whole for stream in told) / load.ideal / 1e6, 3),
        longest_gap=max(gaps, default=0) / 1000,
        stalls=sum(gap > STALL * 1e6 / load.pace for gap in gaps),
        errors=dict(Counter(stream.problem for stream in told if stream.problem)),
        probe_us=round(cpu * 1e6 / max(1, deltas), 1),
        **_percentiles("latency", [delta.latency for stream in told for delta in stream.deltas]),
        **_percentiles("first_event", [stream.first_event for stream in told]),
        **_percentiles("first_reasoning", [stream.first_reasoning for stream in told]),
        **_percentiles("hold", [stream.hold for stream in told]),
    )


def tell(route: Route, load: Load, heard: Heard) -> Told:
    if not heard.chunks:
        return Told(heard.problem or "no answer")
    received = Received(heard.arrived, heard.chunks)
    deltas = list(received.deltas())
    body, last = received.body.find(b"\r\n\r\n") + 4, received.body.rfind(route.last.encode())
    firsts = {delta.kind: delta for delta in reversed(deltas)}
    thought, answer = firsts.get("reasoning"), firsts.get("response")
    end = received.at(last + len(route.last)) if last >= 0 else heard.arrived[-1]
    return Told(
        heard.problem or _problem(received.body, last, len(deltas), load),
        deltas,
        first_event=received.at(body + 1) - heard.began if 4 <= body < len(received.body) else None,
        first_reasoning=thought.arrived - heard.began if thought else None,
        hold=answer.latency if answer else None,
        whole=end - heard.began,
    )


def _problem(body: bytes, last: int, deltas: int, load: Load) -> str:
    """What is wrong with an answer that was read to its end; empty where nothing is."""
    status = body[:12].partition(b" ")[2].decode(errors="replace")
    if status != "200":
        return f"status {status}"
    if last < 0:
        return "no last event"
    return (
        ""
        if deltas == load.deltas
        else f"{abs(load.deltas - deltas)} deltas {'missing' if deltas < load.deltas else 'too many'}"
    )


def _gaps(deltas: Sequence[Delta]) -> Iterator[int]:
    return (after.arrived - before.arrived for before, after in pairwise(deltas))


def _percentiles(name: str, microseconds: Sequence[int | None]) -> dict[str, float | None]:
    """p50 and p99 in milliseconds."""
    there = [value / 1000 for value in microseconds if value is not None]
    shares = {f"{name}_p50": 0.5, f"{name}_p99": 0.99}
    return {key: round(percentile(there, share), 2) if there else None for key, share in shares.items()}

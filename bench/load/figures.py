"""The figures of a load, computed from the bytes that its streams received.

latency            milliseconds from a delta's write at the upstream to its read at the probe, p50 and p99
first_event        milliseconds from before the connection to the first byte of the body, p50 and p99
first_reasoning    milliseconds from before the connection to the first delta of reasoning, p50 and p99
hold               latency of the first delta of the response
slowest            duration of the slowest stream, as a multiple of deltas / pace
longest_gap        milliseconds between two deltas of a stream
stalls             gaps of more than ten times 1 / pace
errors             number of incomplete streams, by reason
probe_us           CPU time of the probe itself, microseconds a delta
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
"""A gap is a stall if it is longer than this multiple of 1 / pace."""
SLOWEST = 1.05
"""The longest duration of a sustained stream, as a multiple of its ideal one."""


@dataclass(slots=True)
class Recording:
    """The bytes of a stream: `chunks[n]` arrived at `arrived[n]` microseconds. `problem` is an error of its socket."""

    began: int
    arrived: list[int] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    problem: str = ""


class StreamFigures(NamedTuple):
    """The figures of one stream in microseconds; None if the stream did not get that far."""

    problem: str
    deltas: Sequence[Delta] = ()
    first_event: int | None = None
    first_reasoning: int | None = None
    hold: int | None = None
    whole: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The figures that the module lists; None if there was nothing to measure. `received` is in bytes."""

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
        """True if every stream was complete, none was slower than `SLOWEST` and none stalled."""
        return not self.errors and not self.stalls and self.slowest <= SLOWEST


def figures(route: Route, load: Load, recordings: Sequence[Recording], cpu: float) -> Run:
    """Return the figures of a load. `cpu` is the CPU time of the probe in seconds."""
    streams = [stream_figures(route, load, recording) for recording in recordings]
    deltas = sum(len(stream.deltas) for stream in streams)
    gaps = [gap for stream in streams for gap in _gaps(stream.deltas)]
    return Run(
        streams=load.streams,
        deltas=deltas,
        received=sum(len(chunk) for recording in recordings for chunk in recording.chunks),
        slowest=round(max(stream.whole for stream in streams) / load.ideal / 1e6, 3),
        longest_gap=max(gaps, default=0) / 1000,
        stalls=sum(gap > STALL * 1e6 / load.pace for gap in gaps),
        errors=dict(Counter(stream.problem for stream in streams if stream.problem)),
        probe_us=round(cpu * 1e6 / max(1, deltas), 1),
        **_percentiles("latency", [delta.latency for stream in streams for delta in stream.deltas]),
        **_percentiles("first_event", [stream.first_event for stream in streams]),
        **_percentiles("first_reasoning", [stream.first_reasoning for stream in streams]),
        **_percentiles("hold", [stream.hold for stream in streams]),
    )


def stream_figures(route: Route, load: Load, recording: Recording) -> StreamFigures:
    """Return the figures of one stream of a load."""
    if not recording.chunks:
        return StreamFigures(recording.problem or "no answer")
    received = Received(recording.arrived, recording.chunks)
    deltas = list(received.deltas())
    body, last = received.body.find(b"\r\n\r\n") + 4, received.body.rfind(route.last.encode())
    firsts = {delta.kind: delta for delta in reversed(deltas)}
    thought, answer = firsts.get("reasoning"), firsts.get("response")
    end = received.at(last + len(route.last)) if last >= 0 else recording.arrived[-1]
    return StreamFigures(
        recording.problem or _problem(received.body, last, len(deltas), load),
        deltas,
        first_event=received.at(body + 1) - recording.began if 4 <= body < len(received.body) else None,
        first_reasoning=thought.arrived - recording.began if thought else None,
        hold=answer.latency if answer else None,
        whole=end - recording.began,
    )


def _problem(body: bytes, last: int, deltas: int, load: Load) -> str:
    """Return why an answer that was read to its end is not complete; empty if it is."""
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
    """Return p50 and p99 in milliseconds."""
    known = [value / 1000 for value in microseconds if value is not None]
    shares = {f"{name}_p50": 0.5, f"{name}_p99": 0.99}
    return {key: round(percentile(known, share), 2) if known else None for key, share in shares.items()}

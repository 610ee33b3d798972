"""What Prometheus and the log learn of streams, most of it read off their events as they leave; no text among that.

What Ray adds here: `ray.serve.metrics`, which adds `ray_` before each name, `_total` behind a counter's, and the
application, the deployment and the replica as tags.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from ray.serve.metrics import Counter, Histogram

from gateway.config import ModelRoute
from gateway.events import (
    Event,
    ReasoningDelta,
    ReasoningSummaryPart,
    ResponseDelta,
    StreamCompleted,
    StreamFailed,
)
from gateway.session import OnBatch, Session

log = logging.getLogger("ray.serve")

SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0]
HOLD_SECONDS = [0.001, 0.01, 0.05, 0.15, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0]
CHARACTERS = [100.0, 1e3, 1e4, 1e5, 1e6]
TAGS: Any = ("model", "upstream")  # Ray types it as a tuple of one
FLUSH_SECONDS = 0.2
"""That the line of a stream may stay in memory, so that streams which end together are written together."""


class StreamMetrics:
    """The meters of one replica; `models` tells each model's upstream."""

    def __init__(self, models: Mapping[str, ModelRoute]) -> None:
        self._models = models
        self._flushing: asyncio.TimerHandle | None = None
        self._started = Counter("gateway_streams_started", "Streams that an upstream has accepted.", TAGS)
        self._ended = Counter(
            "gateway_streams_ended",
            "Streams by outcome: completed, failed (and at which stage), or cancelled by the client.",
            (*TAGS, "outcome", "stage"),
        )
        self._tokens = Counter("gateway_tokens", "Tokens made, by kind: reasoning or response.", (*TAGS, "kind"))
        self._parts = Counter(
            "gateway_summary_parts", "Parts of reasoning summaries, by writer.", (*TAGS, "written_by")
        )
        self._ungrounded = Counter(
            "gateway_ungrounded_summaries", "Writings ended: ungrounded, repeated, too short.", TAGS
        )
        self._first = {
            name: Histogram(f"gateway_{name}_seconds", f"From the request to the {what}.", SECONDS, TAGS)
            for name, what in (
                ("first_event", "first event"),
                ("first_reasoning", "first reasoning that left"),
                ("first_response", "first of the response that left"),
                ("stream", "last event"),
            )
        }
        self._hold = Histogram(
            "gateway_answer_hold_seconds",
            "From the upstream's first response text to the moment it left.",
            HOLD_SECONDS,
            TAGS,
        )
        self._waiting = Histogram(
            "gateway_buffer_characters",
            "The most that waited in one stream, for its turn and for its client.",
            CHARACTERS,
            TAGS,
        )

    @contextmanager
    def observe(self, session: Session) -> Iterator[OnBatch]:
        """`web.routes.SessionObserver`."""
        tags = {"model": session.model, "upstream": self._models[session.model].upstream}
        self._started.inc(1, tags)
        seen: set[str] = set()

        def note(batch: list[Event]) -> None:
            elapsed = time.monotonic() - session.began
            for event in batch:
                self._note(event, elapsed, session.response_reached, seen, tags)

        try:
            yield note
        finally:
            self._end(session, time.monotonic() - session.began, tags)

    def _note(self, event: Event, elapsed: float, reached: float | None, seen: set[str], tags: dict[str, str]) -> None:
        match event:
            case ReasoningDelta():
                name = "first_reasoning"
            case ResponseDelta():
                name = "first_response"
            case ReasoningSummaryPart(written_by=written_by):
                self._parts.inc(1, {**tags, "written_by": written_by})
                return
            case _:
                name = "first_event"
        if name in seen:
            return
        seen.add(name)
        self._first[name].observe(elapsed, tags)
        if name == "first_response" and reached is not None:
            self._hold.observe(elapsed - reached, tags)

    def _end(self, session: Session, elapsed: float, tags: dict[str, str]) -> None:
        last = session.last
        ended, stage = outcome(last)
        if isinstance(last, StreamCompleted):
            self._count_tokens(last.usage.reasoning_tokens, last.usage.completion_tokens, tags)
        self._ended.inc(1, {**tags, "outcome": ended, "stage": stage})
        self._first["stream"].observe(elapsed, tags)
        if session.ungrounded:
            self._ungrounded.inc(session.ungrounded, tags)
        self._waiting.observe(session.most_waiting, tags)
        line = {"stream": session.id, **tags, "outcome": ended, "stage": stage, "seconds": round(elapsed, 3)}
        log.info(" ".join(f"{name}={value}" for name, value in line.items()), extra=line)
        self._flush_soon()

    def _flush_soon(self) -> None:
        """In its throughput mode Serve would keep a line until there are 1,000."""
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush)

    def _flush(self) -> None:
        self._flushing = None
        for handler in log.handlers:
            handler.flush()

    def _count_tokens(self, reasoning: int, completion: int, tags: dict[str, str]) -> None:
        for kind, tokens in (("reasoning", reasoning), ("response", completion - reasoning)):
            if tokens > 0:
                self._tokens.inc(tokens, {**tags, "kind": kind})


def outcome(last: Event | None) -> tuple[str, str]:
    """How a stream with that last event ended, and the stage at which it failed, if it did."""
    match last:
        case StreamCompleted():
            return "completed", ""
        case StreamFailed(error=error):
            return "failed", error.stage
    return "cancelled", ""


def upstream_retries() -> Callable[[str], None]:
    """Counts one, of the model that is named."""
    retries = Counter("gateway_upstream_retries", "Requests that an API was asked again, before its first byte.", TAGS)
    return lambda model: retries.inc(1, {"model": model, "upstream": "http"})


def count_frames(called: str, frames: int, items: int) -> None:
    """What one call of a deployment has answered with."""
    for counter, number in zip(_received(), (frames, items), strict=True):
        if number:
            counter.inc(number, {"called": called})


@cache
def _received() -> tuple[Counter, Counter]:
    """Made on first use, inside of a replica: before, Serve does not know whose tags to add."""
    tags: Any = ("called",)
    return (
        Counter("gateway_frames", "FrameWriter received, by the deployment that was called.", tags),
        Counter("gateway_frame_items", "Deltas and other items in these frames.", tags),
    )

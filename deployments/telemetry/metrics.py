"""Metrics of streams for Prometheus and one line of the log for each, read from its events; no text of it is in them.

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

from gateway.events import (
    Event,
    ReasoningDelta,
    ReasoningSummaryPart,
    ResponseDelta,
    StreamCompleted,
    StreamFailed,
)
from gateway.session import OnBatch, Session
from gateway.summaries.protocol import SummaryUsage
from gateway.upstream_settings import ModelRoute

log = logging.getLogger("ray.serve")

SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0]
HOLD_SECONDS = [0.001, 0.01, 0.05, 0.15, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0]
LAG_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]
CHARACTERS = [100.0, 1e3, 1e4, 1e5, 1e6]
TAGS: Any = ("model", "upstream")  # Ray types it as a tuple of one
FLUSH_SECONDS = 0.2
"""Seconds for which a stream's line may stay in memory, so that streams that end together are written together."""


class StreamMetrics:
    """The metrics of one replica; `models` gives each model's upstream."""

    def __init__(self, models: Mapping[str, ModelRoute]) -> None:
        self._models = models
        self._flushing: asyncio.TimerHandle | None = None
        self._started = Counter("gateway_streams_started", "Streams accepted by their upstream.", TAGS)
        self._ended = Counter(
            "gateway_streams_ended",
            "Streams by outcome: completed, failed (with the stage), or cancelled by the client.",
            (*TAGS, "outcome", "stage"),
        )
        self._tokens = _tokens()
        self._parts = Counter(
            "gateway_summary_parts",
            "Parts of reasoning summaries, by whether the model wrote them or they are an extract.",
            (*TAGS, "written_by"),
        )
        self._ungrounded = Counter("gateway_ungrounded_summaries", "Summaries rejected by the grounding check.", TAGS)
        self._seconds = {
            name: Histogram(f"gateway_{name}_seconds", f"Seconds from the request to the {what}.", SECONDS, TAGS)
            for name, what in (
                ("first_event", "first event sent"),
                ("first_reasoning", "first reasoning sent"),
                ("first_response", "first text of the response sent"),
                ("stream", "end of the stream"),
            )
        }
        self._hold = Histogram(
            "gateway_answer_hold_seconds",
            "Seconds for which the first text of the response waited for its turn in the order of events.",
            HOLD_SECONDS,
            TAGS,
        )
        self._waiting = Histogram(
            "gateway_buffer_characters",
            "Peak characters buffered in one stream, for their turn or for the client.",
            CHARACTERS,
            TAGS,
        )

    @contextmanager
    def observe(self, session: Session) -> Iterator[OnBatch]:
        """Observe one session, as a `SessionObserver`."""
        tags = {"model": session.model, "upstream": self._models[session.model].upstream}
        self._started.inc(1, tags)
        seen: set[str] = set()

        def on_batch(batch: list[Event]) -> None:
            elapsed = time.monotonic() - session.began
            for event in batch:
                self._record(event, elapsed, session.response_reached, seen, tags)

        try:
            yield on_batch
        finally:
            self._end(session, time.monotonic() - session.began, tags)

    def _record(
        self, event: Event, elapsed: float, reached: float | None, seen: set[str], tags: dict[str, str]
    ) -> None:
        """Measure the first event of each kind; `seen` has the kinds that were measured before."""
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
        self._seconds[name].observe(elapsed, tags)
        if name == "first_response" and reached is not None:
            self._hold.observe(elapsed - reached, tags)

    def _end(self, session: Session, elapsed: float, tags: dict[str, str]) -> None:
        last = session.last
        ended, stage = outcome(last)
        if isinstance(last, StreamCompleted):
            self._count_tokens(last.usage.reasoning_tokens, last.usage.completion_tokens, tags)
        self._ended.inc(1, {**tags, "outcome": ended, "stage": stage})
        self._seconds["stream"].observe(elapsed, tags)
        if session.ungrounded:
            self._ungrounded.inc(session.ungrounded, tags)
        self._waiting.observe(session.most_waiting, tags)
        cost = session.summary_usage
        line = {
            "stream": session.id,
            **tags,
            "outcome": ended,
            "stage": stage,
            "seconds": round(elapsed, 3),
            "summary_tokens": cost.tokens,
            "summary_prompt_tokens": cost.prompt_tokens,
            "summary_cached_tokens": cost.cached_tokens,
        }
        log.info(" ".join(f"{name}={value}" for name, value in line.items()), extra=line)
        self._flush_soon()

    def _flush_soon(self) -> None:
        """Flush the log shortly: in its throughput mode Serve keeps lines until there are 1,000."""
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


def summary_tokens(model: str, upstream: str) -> Callable[[SummaryUsage], None]:
    """Return a function that counts the tokens of one draft by the model that writes summaries, used or not."""
    generated = _tokens()
    prompts = Counter(
        "gateway_summary_prompt_tokens",
        "Tokens of the prompts for summaries, by whether the upstream had them in its cache.",
        (*TAGS, "cached"),
    )
    tags = {"model": model, "upstream": upstream}

    def count(usage: SummaryUsage) -> None:
        for counter, tokens, tag in (
            (generated, usage.tokens, {"kind": "summary"}),
            (prompts, usage.prompt_tokens - usage.cached_tokens, {"cached": "no"}),
            (prompts, usage.cached_tokens, {"cached": "yes"}),
        ):
            if tokens > 0:
                counter.inc(tokens, tags | tag)

    return count


def _tokens() -> Counter:
    help = "Tokens generated, by kind: reasoning and response of the answers, and summary, whichever model wrote it."
    return Counter("gateway_tokens", help, (*TAGS, "kind"))


def outcome(last: Event | None) -> tuple[str, str]:
    """Return how a stream whose last event is `last` ended, and the stage at which it failed, if it did."""
    match last:
        case StreamCompleted():
            return "completed", ""
        case StreamFailed(error=error):
            return "failed", error.stage
    return "cancelled", ""


def upstream_retries() -> Callable[[str], None]:
    """Return a function that counts one retry of a request for the given model."""
    retries = Counter("gateway_upstream_retries", "Requests to an API that were retried, before the first byte.", TAGS)
    return lambda model: retries.inc(1, {"model": model, "upstream": "http"})


def summary_failures(model: str, upstream: str) -> Callable[[str], None]:
    """Return a function that counts one draft of the model that could not be used, by its reason."""
    failures = Counter(
        "gateway_summary_failures",
        "Drafts of summaries that could not be used, by reason: failed, empty, only_reasoning, rejected, deadline, or"
        " resting, if the API was not asked since it had failed before.",
        (*TAGS, "reason"),
    )
    return lambda reason: failures.inc(1, {"model": model, "upstream": upstream, "reason": reason})


def loop_lag() -> Callable[[float], None]:
    """Return a function that records one measurement of the event loop's lag, in seconds."""
    lag = Histogram("gateway_loop_lag_seconds", "Seconds for which the event loop kept a timer waiting.", LAG_SECONDS)
    return lag.observe


def count_frames(called: str, frames: int, items: int) -> None:
    """Count what one call of the deployment `called` has received."""
    for counter, number in zip(_received(), (frames, items), strict=True):
        if number:
            counter.inc(number, {"called": called})


@cache
def _received() -> tuple[Counter, Counter]:
    """Return the counters of frames and items. Only inside a replica does Serve know which tags to add to them."""
    tags: Any = ("called",)
    return (
        Counter("gateway_frames", "Frames received from other deployments, by the deployment called.", tags),
        Counter("gateway_frame_items", "Deltas and other items in these frames.", tags),
    )

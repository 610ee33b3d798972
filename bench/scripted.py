"""Measure how long a response waits for the summary: real sessions with a scripted upstream and a scripted model.

The upstream yields `PACE` tokens a second of a recorded trace, repeated or cut to size, then a response. The model
takes `PART_SECONDS` to write a part, piece by piece, and copies sentences of the step, so that they pass the check.
Times are of the sessions and the check, in real time; `loop_lag` is the delay of this process' event loop in
milliseconds.
"""

import asyncio
import random
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.baselines import sentences
from bench.percentile import percentile
from bench.traces import Trace
from gateway.config import GatewaySettings
from gateway.events import Event, ReasoningSummaryPart, ResponseDelta, Usage
from gateway.reasoning import Segment
from gateway.requests.reasoning import ReasoningRequest
from gateway.session import Session
from gateway.summaries.excerpts import sanitized_excerpt
from gateway.summaries.part_check import MIN_CHARACTERS
from gateway.summaries.protocol import PartTask, SummaryItem
from gateway.summaries.writer import SummaryWriter
from gateway.upstream import Accepted, Finished, Message, ParsedItem, ThinkingEnded, UpstreamRequest

PACE = 50
"""Tokens a second of each stream."""
PART_SECONDS, PART_PIECES = 1.0, 10
FEWEST, MOST = 100, 4000
"""Tokens of the shortest and of the longest trace."""
RESPONSE_TOKENS = 20
LAG_SECONDS = 0.05
"""Seconds between two measurements of the event loop's delay."""
_TOKEN = re.compile(r"\s*(?:[一-鿿]|[^\W_]{1,6}|[^\w\s]|_)|\s+")
"""An approximation of a tokenizer: up to six letters with the space before them, or a sign."""


@dataclass(slots=True)
class Upstream:
    """Yields `tokens` and a response. The time `fed[n]` is when the trace was `ends[n]` characters long."""

    tokens: Sequence[str]
    fed: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    responded: float = 0.0

    async def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]:
        clock = asyncio.get_running_loop().time
        yield [Accepted(prompt_tokens=10)]
        began, end = clock(), 0
        for number, token in enumerate(self.tokens):
            await asyncio.sleep(began + number / PACE - clock())
            end += len(token)
            self.fed.append(clock())
            self.ends.append(end)
            yield [Segment("reasoning", token)]
        await asyncio.sleep(1 / PACE)
        self.responded = clock()
        yield [ThinkingEnded(tokens=len(self.tokens), ended_by="marker"), Segment("response", "So")]
        for _ in range(RESPONSE_TOKENS):
            await asyncio.sleep(1 / PACE)
            yield [Segment("response", " it is")]
        usage = Usage(prompt_tokens=10, completion_tokens=len(self.tokens), reasoning_tokens=len(self.tokens))
        yield [Finished(finish_reason="stop", usage=usage)]

    def reached(self, character: int) -> float:
        """Return the time at which the trace had this many characters."""
        return next(at for at, end in zip(self.fed, self.ends, strict=True) if end >= character)


class Summarizer:
    """A `SummaryWriter` with a scripted model, however late the process is; `again` counts second drafts."""

    def __init__(self) -> None:
        self.again = 0

    def prompt(
        self, request_id: str, messages: Sequence[Message], language: str
    ) -> AsyncGenerator[Sequence[SummaryItem]]:
        writer = SummaryWriter(lambda _: _answer("You ask this.", PART_SECONDS / PART_PIECES))
        return writer.prompt(request_id, messages, language)

    def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        def ask(request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]:
            self.again += request.id.endswith("-again-1")
            return _answer(f"What is said\n{_said(task)}", PART_SECONDS)

        return SummaryWriter(ask).part(request_id, task)


async def _answer(text: str, seconds: float) -> AsyncGenerator[Sequence[ParsedItem]]:
    """Yield a text in pieces, over a time that does not depend on how late the process is."""
    clock = asyncio.get_running_loop().time
    began = clock()
    size = -(-len(text) // PART_PIECES)
    for number in range(PART_PIECES):
        await asyncio.sleep(began + (number + 1) * seconds / PART_PIECES - clock())
        if piece := text[number * size : (number + 1) * size]:
            yield [Segment("response", piece)]


def _said(task: PartTask) -> str:
    """Return the first sentences of the step that the part before does not have, as many as a part needs."""
    said = ""
    for sentence in sentences(sanitized_excerpt(task.step)):
        if sentence not in task.before and sentence not in said:
            said = f"{said} {sentence}".strip()
        if len(said) >= MIN_CHARACTERS:
            break
    return said or task.step


async def run(traces: Sequence[Trace], streams: int, at_once: int) -> dict[str, Any]:
    """Run streams of evenly spread lengths, and return what was measured."""
    lengths = [FEWEST + round(n * (MOST - FEWEST) / max(1, streams - 1)) for n in range(streams)]
    random.Random(0).shuffle(lengths)
    room, lags = asyncio.Semaphore(at_once), list[float]()
    watcher = asyncio.create_task(_observe(lags))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("Scripted streams", total=streams)

        async def one(number: int, length: int, trace: Trace) -> dict[str, Any]:
            # Start at different times: the tokens of streams in step would come in bursts.
            async with room:
                await asyncio.sleep(random.Random(number).random() * 2)
                told = await _stream(number, length, trace)
            progress.advance(bar)
            return told

        told = await asyncio.gather(
            *(one(n, *pair) for n, pair in enumerate(zip(lengths, cycle(traces), strict=False)))
        )
    watcher.cancel()
    with suppress(asyncio.CancelledError):
        await watcher
    return _row(told, lags, at_once)


async def _stream(number: int, length: int, trace: Trace) -> dict[str, Any]:
    clock = asyncio.get_running_loop().time
    tokens = list(islice(cycle(_TOKEN.findall(trace.trace + "\n\n")), length))
    upstream, summarizer = Upstream(tokens), Summarizer()
    body = {"messages": [{"role": "user", "content": trace.prompt}]}
    request = ReasoningRequest.model_validate(body)
    session = Session(f"rsn-{number}", request, "scripted", upstream, summarizer, GatewaySettings())
    await session.open()
    left: list[tuple[float, Event]] = []
    async with aclosing(session.events()) as batches:
        async for batch in batches:
            now = clock()
            left += [(now, event) for event in batch if isinstance(event, ReasoningSummaryPart | ResponseDelta)]
    parts = [(at, event) for at, event in left if isinstance(event, ReasoningSummaryPart)]
    first_out = next(at for at, event in left if isinstance(event, ResponseDelta))
    return {
        "tokens": length,
        "hold": first_out - upstream.responded,
        "first": parts[0][0] - upstream.reached(parts[0][1].span.end),
        "after": [at - upstream.reached(part.span.end) for at, part in parts],
        "again": summarizer.again,
        "extracts": sum(part.written_by == "extract" for _, part in parts),
    }


def _row(told: Sequence[dict[str, Any]], lags: Sequence[float], at_once: int) -> dict[str, Any]:
    holds = sorted(one["hold"] * 1000 for one in told)
    firsts = [one["first"] for one in told]
    after = [seconds for one in told for seconds in one["after"]]
    return {
        "streams": len(told),
        "at_once": at_once,
        "tokens": sum(one["tokens"] for one in told),
        "hold_p50": round(percentile(holds, 0.5), 1),
        "hold_p95": round(percentile(holds, 0.95), 1),
        "hold_max": round(holds[-1], 1),
        "first_p50": round(percentile(firsts, 0.5), 2),
        "first_max": round(max(firsts), 2),
        "parts": len(after),
        "after_step_p95": round(percentile(after, 0.95), 2),
        "again": round(100 * sum(one["again"] for one in told) / len(after), 1),
        "extracts": round(100 * sum(one["extracts"] for one in told) / len(after), 1),
        "loop_lag_p99": round(percentile(lags, 0.99) * 1000, 1),
        "holds": [round(hold, 1) for hold in holds],
    }


async def _observe(lags: list[float]) -> None:
    """Measure again and again how much later than requested this process wakes up."""
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        await asyncio.sleep(LAG_SECONDS)
        lags.append(clock() - began - LAG_SECONDS)

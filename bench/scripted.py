"""How long a response waits for the summary, without a model: a scripted upstream and summarizer behind real sessions.

The upstream gives `PACE` tokens a second of a recorded trace, repeated or cut to size, then a response. The summarizer
takes `PART_SECONDS` for a part, a piece of it at a time, and says sentences of the step, so that the check passes them.
Times are of the session alone, in real time; `loop_lag` tells how late this process itself was (milliseconds).
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
from gateway.requests.base import ReasoningRequest
from gateway.session import Session
from gateway.summaries.part_writer import SHORTEST
from gateway.summaries.prompts import PartTask, shown
from gateway.upstream import Accepted, Finished, Message, ParsedItem, ThinkingEnded, UpstreamRequest

PACE = 50
PART_SECONDS, PART_PIECES = 1.0, 10
FEWEST, MOST = 100, 4000
RESPONSE_TOKENS = 20
LAG_SECONDS = 0.05
_TOKEN = re.compile(r"\s*(?:[一-鿿]|[^\W_]{1,6}|[^\w\s]|_)|\s+")
"""About what a tokenizer does: up to six letters with the space before them, or a sign."""


@dataclass(slots=True)
class Upstream:
    """Plays `tokens` and a response, and notes when: `fed[n]` is the time at which character `ends[n]` was there."""

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
        """When the trace was that long."""
        return next(at for at, end in zip(self.fed, self.ends, strict=True) if end >= character)


class Summarizer:
    """Takes a second for a part, however late the process is; `again` counts the parts that it had to write twice."""

    def __init__(self) -> None:
        self.again = 0

    async def prompt(self, request_id: str, messages: Sequence[Message]) -> AsyncGenerator[Sequence[str]]:
        await asyncio.sleep(PART_SECONDS / PART_PIECES)
        yield ["You ask this."]

    async def part(self, request_id: str, task: PartTask) -> AsyncGenerator[Sequence[str]]:
        clock = asyncio.get_running_loop().time
        began = clock()
        self.again += task.again
        text = f"What is said\n{_said(task)}"
        size = -(-len(text) // PART_PIECES)
        for number in range(PART_PIECES):
            await asyncio.sleep(began + (number + 1) * PART_SECONDS / PART_PIECES - clock())
            if piece := text[number * size : (number + 1) * size]:
                yield [piece]


def _said(task: PartTask) -> str:
    """The first sentences of the step that the part before it has not, enough for a part."""
    said = ""
    for sentence in sentences(shown(task.step)):
        if sentence not in task.before and sentence not in said:
            said = f"{said} {sentence}".strip()
        if len(said) >= SHORTEST:
            break
    return said or task.step


async def run(traces: Sequence[Trace], streams: int, at_once: int) -> dict[str, Any]:
    """Run the streams, of lengths evenly spread, and tell what was measured."""
    lengths = [FEWEST + round(n * (MOST - FEWEST) / max(1, streams - 1)) for n in range(streams)]
    random.Random(0).shuffle(lengths)
    room, lags = asyncio.Semaphore(at_once), list[float]()
    watcher = asyncio.create_task(_observe(lags))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("Scripted streams", total=streams)

        async def one(number: int, length: int, trace: Trace) -> dict[str, Any]:
            # They do not all begin with one beat: tokens of many streams would come in bursts.
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
    """How much later than asked this process wakes up, again and again."""
    clock = asyncio.get_running_loop().time
    while True:
        began = clock()
        await asyncio.sleep(LAG_SECONDS)
        lags.append(clock() - began - LAG_SECONDS)

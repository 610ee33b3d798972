"""A lot of text of one kind, in one piece, through a session: others have their turn between its slices."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import pytest

from gateway.config import GatewaySettings
from gateway.events import Event, ReasoningDelta, ResponseDelta, StreamCompleted, Usage
from gateway.order import text_size
from gateway.reasoning import ReasoningParser, Segment
from gateway.reasoning.answer import AnswerParser, parse
from gateway.requests.reasoning import ReasoningRequest
from gateway.session import Session
from gateway.slices import SLICE
from gateway.upstream import Accepted, Finished, Text, UpstreamItem
from tests.fakes.hostile import FAMILIES
from tests.fakes.session import ScriptedParser, ScriptedSummarizer

SIZE = 200_000
FINISHED = Finished(finish_reason="stop", usage=Usage())


class Ticks:
    """Counts the iterations of the event loop while it is entered."""

    def __init__(self) -> None:
        self.count = 0

    async def __aenter__(self) -> "Ticks":
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.count += 1


async def batches(*script: object) -> tuple[list[list[Event]], list[int]]:
    """The batches that leave, and the number of ticks before each."""
    body = {"messages": [{"role": "user", "content": "What is six times seven? Tell me."}]}
    settings = GatewaySettings()
    session = Session(
        "rsn-1", ReasoningRequest.model_validate(body), "qwen", ScriptedParser(*script), ScriptedSummarizer(), settings
    )
    left: list[list[Event]] = []
    ticks: list[int] = []
    async with Ticks() as ticking:
        await session.open()
        async with aclosing(session.events()) as events:
            async for batch in events:
                left.append(batch)
                ticks.append(ticking.count)
    return left, ticks


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        *(("reasoning", family) for family in ("x", "a. ")),
        *(("response", family) for family in ("x", "a. ")),
        *(pytest.param("reasoning", family, marks=pytest.mark.slow) for family in FAMILIES),
    ],
)
async def test_a_huge_piece_leaves_in_slices_with_turns_for_others_between(kind: str, family: str) -> None:
    text = (family * SIZE)[:SIZE]
    before = [Segment("reasoning", "So."), Segment("response", "It")] if kind == "response" else []
    left, ticks = await batches(Accepted(), *before, Segment(kind, text), FINISHED)  # type: ignore[arg-type]
    delta = ReasoningDelta if kind == "reasoning" else ResponseDelta
    deltas = [event.delta for batch in left for event in batch if isinstance(event, delta)]
    assert "".join(deltas).endswith(text)
    assert max(map(len, deltas)) <= SLICE
    assert isinstance(left[-1][-1], StreamCompleted)
    busiest = max(sum(text_size(event) for event in batch) for batch in left)
    assert busiest <= SLICE
    # Every slice had a turn of the loop to itself.
    assert ticks[-1] - ticks[0] >= SIZE // SLICE


@pytest.mark.parametrize("family", ["x", "a. ", "<think>"])
async def test_a_huge_piece_is_parsed_in_slices_with_turns_for_others_between(family: str) -> None:
    text = "<think>" + family * (SIZE // len(family))

    async def answer() -> AsyncGenerator[Sequence[UpstreamItem]]:
        yield [Accepted()]
        yield [Text(text)]
        yield [FINISHED]

    async with Ticks() as ticking, aclosing(parse(answer(), [AnswerParser(ReasoningParser("qwen3", False))])) as parsed:
        sizes = [sum(len(item.text) for item in batch if isinstance(item, Segment)) async for batch in parsed]
    assert max(sizes) <= 2 * SLICE
    assert ticking.count >= SIZE // SLICE - 1

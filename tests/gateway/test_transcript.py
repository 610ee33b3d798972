"""What a long stream keeps is at most its text."""

import asyncio
import tracemalloc
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager

from gateway.events import Event, ReasoningSummaryPart
from gateway.summaries.grounding import EvidenceIndex
from gateway.summaries.part_scheduler import Parts
from gateway.summaries.prompts import PartTask
from gateway.written import Written

NUMBERS = range(10_000)
TEXT = "".join(f" piece {number}" for number in NUMBERS)
SMALL = 8_000
STEP = "This sentence says a little about the thing. " * 14 + "And this ends the step.\n\n"
STEPS = 200
SUMMARIES = "The thing is looked at a little in the sentence.", "There is a little more said about the same thing."
"""In turn, since a part must not repeat the one before it."""


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Bytes that there may be more behind it than before."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        yield
        assert tracemalloc.get_traced_memory()[0] - before < size
    finally:
        tracemalloc.stop()


async def test_parts_that_have_left_keep_what_they_say() -> None:
    async def ask(index: int, _task: PartTask) -> AsyncGenerator[Sequence[str]]:
        yield ["A title\n", SUMMARIES[index % 2]]

    async def think(steps: int) -> None:
        for _ in range(steps):
            parts.feed(STEP)
            while not isinstance(await left.get(), ReasoningSummaryPart):
                pass

    left = asyncio.Queue[Event]()
    parts = Parts(ask, left.put_nowait, 60, request="", known=lambda: EvidenceIndex([""]), awaited=False)
    leaving = asyncio.create_task(parts.leave())
    parts.feed(STEP)  # ends where the next one begins
    await think(1)
    with at_most(STEPS * len(STEP)):
        await think(STEPS)
    parts.close()
    assert await leaving == "\n\n".join(SUMMARIES[index % 2] for index in range(STEPS + 2))


def test_a_pair_of_surrogates_that_came_in_two_pieces_is_kept() -> None:
    written = Written()
    assert not written
    for piece in ("Größe \ud83d", "\ude00"):
        written.write(piece)
    assert (bool(written), str(written)) == (True, "Größe \ud83d\ude00")

"""Parts of the reasoning summary: side by side, in order, bounded, and never later than the deadline."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

import pytest

from gateway.errors import UpstreamError
from gateway.events import Event, ReasoningSummaryDelta, ReasoningSummaryPart
from gateway.summaries.grounding import EvidenceIndex
from gateway.summaries.part_scheduler import SIDE_BY_SIDE, Parts
from gateway.summaries.prompts import PartTask

SENTENCE = "This sentence says a little about the thing. "
STEP = SENTENCE * 14 + "Texts 0, 1, 2, 3, 4 and 42.\n\n"
"""One step, and its border."""


def written(index: int) -> str:
    """Long enough for a step of any size."""
    return f"Text {index}, which says a little about the thing."


class Writer:
    """Writes `Title n` and `written(n)` of part n; of a part in `gates` only once its gate is open."""

    def __init__(self, *held: int) -> None:
        self.gates = {index: asyncio.Event() for index in held}
        self.asked: list[int] = []
        self.steps: list[str] = []
        self.cancelled: list[int] = []

    async def __call__(self, index: int, task: PartTask) -> AsyncGenerator[Sequence[str]]:
        self.asked.append(index)
        self.steps.append(task.step)
        try:
            if gate := self.gates.get(index):
                await gate.wait()
            yield [f"Title {index}\n"]
            yield [written(index)]
        except asyncio.CancelledError:
            self.cancelled.append(index)
            raise


def knows(text: str) -> Callable[[], EvidenceIndex]:
    return lambda: EvidenceIndex([text])


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def plain(events: Sequence[Event]) -> list[tuple[object, ...]]:
    described: list[tuple[object, ...]] = []
    for event in events:
        match event:
            case ReasoningSummaryDelta(index=index, delta=delta):
                described.append((index, delta))
            case ReasoningSummaryPart(index=index, title=title, text=text, span=span, written_by=by):
                described.append((index, title, text, (span.start, span.end), by))
    return described


def part(index: int, start: int, end: int) -> list[tuple[object, ...]]:
    text = written(index)
    return [(index, text), (index, f"Title {index}", text, (start, end), "model")]


N = len(STEP)
REST = "And so on, and so on, and so on, and so on, and so on, and so on, and so on, and so on. It is 42."
"""Too short for a step, long enough that the step before it is known to be over."""
ENDS = f"{SENTENCE}Texts 0, 1, 2, 3, 4 and 42."
"""What is extracted of a step; of the rest, which has two sentences, it is all."""


def extract(index: int, start: int, end: int) -> list[tuple[object, ...]]:
    return [(index, REST), (index, "It is 42", REST, (start, end), "extract")]


async def test_a_part_leaves_while_the_trace_still_grows() -> None:
    events: list[Event] = []
    parts = Parts(Writer(), events.append, 5, request="", known=knows(""))
    leaving = asyncio.create_task(parts.leave())
    parts.feed(STEP * 2 + REST)
    await settled()
    assert plain(events) == [*part(0, 0, N), *part(1, N, 2 * N)]
    parts.close()
    assert await leaving == f"{written(0)}\n\n{written(1)}\n\n{REST}"
    assert plain(events)[4:] == extract(2, 2 * N, 2 * N + len(REST))


async def test_parts_are_written_side_by_side_and_leave_in_order() -> None:
    events: list[Event] = []
    writer = Writer(0, 2)
    parts = Parts(writer, events.append, 5, request="", known=knows(""))
    leaving = asyncio.create_task(parts.leave())
    parts.feed(STEP * 4 + REST)
    await settled()
    assert (writer.asked, plain(events)) == ([0, 1, 2, 3], [])
    writer.gates[0].set()
    await settled()
    assert plain(events) == [*part(0, 0, N), *part(1, N, 2 * N)]
    writer.gates[2].set()
    parts.close()
    await leaving
    assert plain(events)[4:8] == [*part(2, 2 * N, 3 * N), *part(3, 3 * N, 4 * N)]


async def test_steps_that_wait_are_merged_so_that_the_work_stays_bounded() -> None:
    events: list[Event] = []
    writer = Writer(*range(SIDE_BY_SIDE))
    parts = Parts(writer, events.append, 5, request="", known=knows(""))
    leaving = asyncio.create_task(parts.leave())
    for _ in range(20):
        parts.feed(STEP)
    await settled()
    assert len(writer.asked) == SIDE_BY_SIDE
    parts.close()
    for gate in writer.gates.values():
        gate.set()
    await leaving
    assert len(writer.asked) == SIDE_BY_SIDE + 1
    assert "".join(writer.steps) == STEP * 20
    assert plain(events)[-1] == part(SIDE_BY_SIDE, SIDE_BY_SIDE * N, 20 * N)[-1]


async def test_what_is_not_written_at_the_deadline_is_an_extract() -> None:
    events: list[Event] = []
    writer = Writer(1)
    parts = Parts(writer, events.append, 0.01, request="", known=knows(""))
    parts.feed(STEP * 2 + REST)
    await settled()
    parts.close()
    assert await parts.leave() == f"{written(0)}\n\n{ENDS}\n\n{REST}"
    assert plain(events)[2:] == [
        (1, ENDS),
        (1, "This sentence says a little about", ENDS, (N, 2 * N), "extract"),
        *extract(2, 2 * N, 2 * N + len(REST)),
    ]
    assert writer.cancelled == [1]


async def test_a_short_rest_that_nobody_waits_for_is_written() -> None:
    events: list[Event] = []
    parts = Parts(Writer(), events.append, 5, known=knows("2"), awaited=False, request="")
    parts.feed(STEP * 2 + REST)
    parts.close()
    assert await parts.leave() == f"{written(0)}\n\n{written(1)}\n\n{written(2)}"
    assert plain(events)[4:] == part(2, 2 * N, 2 * N + len(REST))


@pytest.mark.parametrize(
    ("wrote", "said", "writings"),
    [
        (["Title\nIt is 43."], "It is not 41. It is 42.", 2),
        (["Title\nIt is 43.", "Title\nSo it is 42."], "So it is 42.", 2),
        (["Title\nNot at all 41. It is 43."], "Not at all 41.", 1),
        (["Title\nIt is 42 or 7."], "It is 42 or 7.", 1),
        (["Title\nThe model says that it is 42.", "Title\nSo it is 42."], "So it is 42.", 2),
    ],
    ids=["twice", "once", "after a sentence", "from the prompt", "told of the model"],
)
async def test_what_nothing_supports_does_not_leave(wrote: list[str], said: str, writings: int) -> None:
    tasks: list[PartTask] = []

    async def writer(_: int, task: PartTask) -> AsyncGenerator[Sequence[str]]:
        tasks.append(task)
        for piece in wrote[min(len(tasks), len(wrote)) - 1].split(" "):
            yield [f"{piece} "]

    events: list[Event] = []
    parts = Parts(writer, events.append, 5, request="What is it?", known=knows("Is it 7?"))
    parts.feed("It is not 41. It is 42.")
    parts.close()
    assert await parts.leave() == said
    assert [(task.request, task.again) for task in tasks] == [("What is it?", again) for again in (False, True)][
        :writings
    ]
    assert parts.failures == len(tasks) - (said == "So it is 42.") - (writings == 1) + (said == "Not at all 41.")


async def test_what_has_been_said_before_is_not_said_again() -> None:
    tasks: list[PartTask] = []

    async def writer(_: int, task: PartTask) -> AsyncGenerator[Sequence[str]]:
        tasks.append(task)
        yield [f"Title\n{written(0)}"]

    parts = Parts(writer, list[Event]().append, 5, request="", known=knows(""))
    leaving = asyncio.create_task(parts.leave())
    parts.feed(STEP + REST)
    await settled()
    parts.feed(STEP + REST)
    await settled()
    parts.close()
    second = REST.replace("It is 42.", "Texts 0, 1, 2, 3, 4 and 42.")
    assert await leaving == f"{written(0)}\n\n{second}\n\n{REST}"
    assert [task.before for task in tasks] == ["", f"Title\n{written(0)}", f"Title\n{written(0)}"]


async def test_a_writer_that_fails_leaves_an_extract() -> None:
    async def failing(_: int, __: PartTask) -> AsyncGenerator[Sequence[str]]:
        yield []
        raise UpstreamError("no summary today")

    events: list[Event] = []
    parts = Parts(failing, events.append, 5, request="", known=knows(""))
    parts.feed("It is 42.")
    parts.close()
    await parts.leave()
    assert plain(events) == [(0, "It is 42."), (0, "It is 42", "It is 42.", (0, 9), "extract")]


@pytest.mark.parametrize("steps", [1, 3])
async def test_one_part_in_the_end_where_none_may_leave_before(steps: int) -> None:
    events: list[Event] = []
    writer = Writer()
    parts = Parts(writer, events.append, 5, live=False, request="", known=knows(""))
    leaving = asyncio.create_task(parts.leave())
    parts.feed(STEP * steps)
    await settled()
    assert events == []
    parts.close()
    assert await leaving == written(0)
    assert plain(events) == part(0, 0, steps * N)
    assert writer.steps[-1] == (STEP if steps == 1 else f"{written(0)}\n{written(1)}\n{ENDS}")


async def test_one_part_that_is_late_is_the_titles_of_all() -> None:
    events: list[Event] = []
    parts = Parts(Writer(), events.append, 5, live=False, request="", known=knows(""))
    parts.feed(STEP * 3 + REST)
    await settled()
    parts.close()
    parts.hurry()
    assert await parts.leave() == "Title 0 → Title 1 → Title 2 → It is 42"


async def test_a_trace_of_nothing_has_no_parts() -> None:
    events: list[Event] = []
    parts = Parts(Writer(), events.append, 5, request="", known=knows(""))
    parts.feed("\n \n")
    parts.close()
    assert (await parts.leave(), events) == ("", [])


async def test_who_stops_waiting_stops_the_writing() -> None:
    writer = Writer(0, 1)
    parts = Parts(writer, list[Event]().append, 5, request="", known=knows(""))
    leaving = asyncio.create_task(parts.leave())
    parts.feed(STEP * 2 + REST)
    await settled()
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert sorted(writer.cancelled) == [0, 1]

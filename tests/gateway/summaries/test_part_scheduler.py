"""Parts of the reasoning summary: side by side, in order, bounded, and never later than the deadline."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import pytest

from gateway.errors import UpstreamError
from gateway.events import Event, ReasoningSummaryDelta, ReasoningSummaryPart
from gateway.summaries import part_scheduler
from gateway.summaries.excerpts import EXCERPT_CHARACTERS, both_ends
from gateway.summaries.part_scheduler import SIDE_BY_SIDE, SLOW_SECONDS, PartScheduler
from gateway.summaries.part_writer import PartSource
from gateway.summaries.protocol import PartTask, SummaryEnd, SummaryItem, SummaryTitle
from gateway.summaries.writer import SummaryWriter
from gateway.summaries.writing_time import WritingTime
from tests.fakes.summaries import ScriptedModel

SENTENCE = "This sentence says a little about the thing. "


def numbered(count: int, first: int = 0) -> str:
    """Return so many steps, each with its border and with a number that no other one has."""
    steps = (SENTENCE * 14 + f"Texts 0, 1, 2, 3, 4, 42 and {100 + n}.\n\n" for n in range(first, first + count))
    return "".join(steps)


STEP = numbered(1)


def written(index: int) -> str:
    """Long enough for a step of any size."""
    return f"Text {index}, which says a little about the thing."


class Writer:
    """Writes `Title n` and `written(n)` for part n; the parts in `gates` only once their gate is open."""

    def __init__(self, *gated: int) -> None:
        self.gates = {index: asyncio.Event() for index in gated}
        self.asked: list[int] = []
        self.steps: list[str] = []
        self.cancelled: list[int] = []

    async def __call__(self, index: int, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        self.asked.append(index)
        self.steps.append(task.step)
        try:
            if gate := self.gates.get(index):
                await gate.wait()
            yield [SummaryTitle(f"Title {index}"), written(index)]
            yield [SummaryEnd(title=f"Title {index}", rejected=0)]
        except asyncio.CancelledError:
            self.cancelled.append(index)
            raise


def scheduler(
    source: PartSource, put: Callable[[Event], None] | None = None, seconds: float = 5, **options: Any
) -> PartScheduler:
    return PartScheduler(source, put or list[Event]().append, seconds, **{"request": "", **options})


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


class Clock:
    """The time in which parts are written and the trace grows."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(part_scheduler, "_now", lambda: self.now)


async def cancelled(parts: PartScheduler) -> None:
    running = asyncio.create_task(parts.run())
    await settled()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


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
"""Too short for a step, but long enough to complete the step before it."""
LAST = "It is 42."
"""The extract of the rest."""
TITLES = ("Restating the question", "Thinking further")
"""Titles of extracts in which no better one is found: these steps say nothing."""


def ends(number: int) -> str:
    """Return the extract of a numbered step."""
    return f"{SENTENCE}Texts 0, 1, 2, 3, 4, 42 and {100 + number}."


def extract(index: int, start: int, end: int, nth: int = 0) -> list[tuple[object, ...]]:
    return [(index, LAST), (index, TITLES[nth], LAST, (start, end), "extract")]


async def test_a_part_is_sent_while_the_trace_still_grows() -> None:
    events: list[Event] = []
    parts = scheduler(Writer(), events.append)
    running = asyncio.create_task(parts.run())
    parts.feed(numbered(2) + REST)
    await settled()
    assert plain(events) == [*part(0, 0, N), *part(1, N, 2 * N)]
    parts.close()
    assert await running == f"{written(0)}\n\n{written(1)}\n\n{LAST}"
    assert plain(events)[4:] == extract(2, 2 * N, 2 * N + len(REST))


async def test_parts_are_written_side_by_side_and_sent_in_order() -> None:
    events: list[Event] = []
    writer = Writer(0, 2)
    parts = scheduler(writer, events.append)
    running = asyncio.create_task(parts.run())
    parts.feed(numbered(4) + REST)
    await settled()
    assert (writer.asked, plain(events)) == ([0, 1, 2, 3], [])
    writer.gates[0].set()
    await settled()
    assert plain(events) == [*part(0, 0, N), *part(1, N, 2 * N)]
    writer.gates[2].set()
    parts.close()
    await running
    assert plain(events)[4:8] == [*part(2, 2 * N, 3 * N), *part(3, 3 * N, 4 * N)]


async def test_steps_that_wait_are_merged_so_that_the_work_stays_bounded() -> None:
    events: list[Event] = []
    writer = Writer(*range(SIDE_BY_SIDE))
    parts = scheduler(writer, events.append)
    running = asyncio.create_task(parts.run())
    parts.feed(numbered(20))
    await settled()
    assert len(writer.asked) == SIDE_BY_SIDE
    parts.close()
    for gate in writer.gates.values():
        gate.set()
    await running
    assert len(writer.asked) == SIDE_BY_SIDE + 1
    merged = numbered(20 - SIDE_BY_SIDE, SIDE_BY_SIDE)
    first = [numbered(1, number) for number in range(SIDE_BY_SIDE)]
    assert writer.steps == [*first, both_ends(merged, EXCERPT_CHARACTERS)]
    assert plain(events)[-1] == part(SIDE_BY_SIDE, SIDE_BY_SIDE * N, 20 * N)[-1]


async def test_steps_that_say_the_same_again_wait_for_one_that_does_not() -> None:
    events: list[Event] = []
    writer = Writer()
    parts = scheduler(writer, events.append)
    running = asyncio.create_task(parts.run())
    parts.feed(numbered(2) + numbered(2) + numbered(1) + REST)
    await settled()
    assert writer.steps == [numbered(1), numbered(1, 1)]
    parts.feed(numbered(1, 2) + REST)
    await settled()
    assert writer.steps[2:] == [both_ends(numbered(2) + numbered(1) + REST + numbered(1, 2), EXCERPT_CHARACTERS)]
    parts.feed(numbered(2))
    parts.close()
    await running
    assert plain(events)[-1][3] == (6 * N + len(REST), 8 * N + 2 * len(REST))


async def test_repeating_steps_have_parts_of_their_own_where_the_reasoning_waits_for_them() -> None:
    writer = Writer()
    parts = scheduler(writer, part_seconds=5.0)
    running = asyncio.create_task(parts.run())
    parts.feed(numbered(1) * 3 + REST)
    await settled()
    assert writer.steps == [STEP] * 3
    parts.close()
    await running


async def test_each_part_may_have_a_deadline_from_the_end_of_its_first_step() -> None:
    sent: list[tuple[int, int, str]] = []
    all_sent = asyncio.Event()

    def put(event: Event) -> None:
        if isinstance(event, ReasoningSummaryPart):
            sent.append((event.span.start, event.span.end, event.written_by))
            if event.index == SIDE_BY_SIDE:
                all_sent.set()

    writer = Writer(*range(SIDE_BY_SIDE + 1))  # none is written, and the last one has to wait for its place, too
    parts = scheduler(writer, put, part_seconds=0.01)
    running = asyncio.create_task(parts.run())
    parts.feed(numbered(SIDE_BY_SIDE + 2) + REST)
    await all_sent.wait()
    ends = [*range(SIDE_BY_SIDE + 1), SIDE_BY_SIDE + 2]
    assert sent == [(start * N, end * N, "extract") for start, end in itertools.pairwise(ends)]
    parts.close()
    await running


async def test_a_part_is_begun_before_its_step_is_over_and_stands_if_the_rest_says_nothing_new() -> None:
    events: list[Event] = []
    writer = Writer(0)
    parts = scheduler(writer, events.append)
    running = asyncio.create_task(parts.run())
    parts.feed(SENTENCE * 10)
    await settled()
    assert writer.steps == [SENTENCE * 8]
    parts.feed(SENTENCE * 4 + "\n\n" + REST)
    writer.gates[0].set()
    await settled()
    end = len(SENTENCE) * 14 + 2
    assert plain(events) == part(0, 0, end)
    parts.close()
    await running
    assert plain(events)[2:] == extract(1, end, end + len(REST))


@pytest.mark.parametrize("sent", [False, True])
async def test_what_is_new_behind_a_part_that_was_begun_early_belongs_to_the_next_step(sent: bool) -> None:
    events: list[Event] = []
    writer = Writer() if sent else Writer(0)
    parts = scheduler(writer, events.append)
    running = asyncio.create_task(parts.run())
    parts.feed(SENTENCE * 10)
    await settled()
    parts.feed(STEP[len(SENTENCE) * 10 :] + "And so on. ")
    for gate in writer.gates.values():
        gate.set()
    await settled()
    early = len(SENTENCE) * 8
    assert (writer.asked, plain(events)) == ([0], part(0, 0, early))
    parts.feed("And so on. " * 60 + "\n\n" + REST)
    await settled()
    end = N + 11 * 61 + 2
    assert writer.steps[1:] == [(STEP + "And so on. " * 61 + "\n\n")[early:end]]
    parts.close()
    await running
    assert plain(events)[2:4] == part(1, early, end)


async def test_an_idle_writer_goes_on_with_a_step_that_is_not_over() -> None:
    events: list[Event] = []
    writer = Writer()
    parts = scheduler(writer, events.append)
    running = asyncio.create_task(parts.run())
    parts.feed(SENTENCE * 10)
    await settled()
    new = "Another sentence says something new of it, "
    for _ in range(30):
        parts.feed(new)
    await settled()
    assert len(writer.steps) == 1
    parts.feed("and here it ends. And")
    parts.feed(" so on and so on and so on and so on and so on and so on and so on and so on and so on and so on")
    await settled()
    early = len(SENTENCE) * 8
    assert writer.steps[1:] == [f"{SENTENCE * 2}{new * 30}and here it ends. "]
    end = early + len(writer.steps[1])
    assert plain(events) == [*part(0, 0, early), *part(1, early, end)]
    parts.close()
    await running


async def test_no_part_is_begun_early_while_another_one_is_written() -> None:
    writer = Writer(0)
    parts = scheduler(writer)
    other = "Another word follows here, as nobody had it. "
    parts.feed(STEP + other * 12)
    await settled()
    assert writer.steps == [STEP]
    writer.gates[0].set()
    await settled()
    parts.feed(other)
    await settled()
    assert writer.steps == [STEP, other * 10]
    await cancelled(parts)


async def test_a_slow_writer_has_one_part_at_a_time_and_larger_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    writer = Writer(0, 1, 2)
    parts = scheduler(writer)
    running = asyncio.create_task(parts.run())
    parts.feed(STEP + REST)
    await settled()
    clock.now += SLOW_SECONDS + 1
    parts.feed(numbered(2, 1) + REST)
    await settled()
    assert writer.steps == [STEP]
    writer.gates[0].set()
    await settled()
    assert writer.steps == [STEP, REST + numbered(2, 1)]
    parts.feed(numbered(7, 3) + REST)
    await settled()
    assert writer.steps[2:] == [both_ends(REST + numbered(6, 3), EXCERPT_CHARACTERS)]  # more could not be shown whole
    for gate in writer.gates.values():
        gate.set()
    parts.close()
    await running


async def test_the_deadline_is_a_share_of_the_time_that_the_trace_took_if_that_is_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, events = Clock(monkeypatch), list[Event]()
    writer = Writer(0)
    parts = scheduler(writer, events.append, 0.0, share=0.5)
    parts.feed("It is 42.")
    clock.now += 1000
    parts.close()
    running = asyncio.create_task(parts.run())
    await settled()
    writer.gates[0].set()
    await running
    assert plain(events) == part(0, 0, 9)


@pytest.mark.parametrize(("took", "rests"), [(1.0, ["model"]), (6.0, ["extract"])], ids=["in time", "too late"])
async def test_a_long_rest_is_written_unless_it_would_be_late(
    monkeypatch: pytest.MonkeyPatch, took: float, rests: list[str]
) -> None:
    clock, events = Clock(monkeypatch), list[Event]()
    writer = Writer(0)
    parts = scheduler(writer, events.append)
    running = asyncio.create_task(parts.run())
    parts.feed(STEP + REST)
    await settled()
    clock.now += took
    writer.gates[0].set()
    await settled()
    parts.feed("And so on. " * 12)
    parts.close()
    await running
    assert [event.written_by for event in events if isinstance(event, ReasoningSummaryPart)] == ["model", *rests]


@pytest.mark.parametrize(
    ("known", "whole", "asked"),
    [(0.0, False, [0]), (4.0, True, [0]), (6.0, True, []), (4.95, False, []), (4.0, False, [0])],
    ids=["nothing", "in time", "too late", "abandoned at this deadline", "abandoned at a shorter one"],
)
async def test_a_short_trace_asks_only_a_writer_that_has_been_in_time_for_others(
    known: float, whole: bool, asked: list[int]
) -> None:
    writing, source = WritingTime(), Writer()
    writing.note(known, whole=whole)
    parts = scheduler(source, writing=writing)
    parts.feed(LAST)
    parts.close()
    await parts.run()
    assert source.asked == asked


async def test_a_part_that_was_abandoned_is_known_to_take_longer() -> None:
    writing, source = WritingTime(), Writer(0)
    parts = scheduler(source, seconds=0.1, writing=writing)
    parts.feed(LAST)
    parts.close()
    await parts.run()
    assert (source.asked, writing.seconds >= 0.05 - 0.01) == ([0], True)


async def test_a_title_that_the_model_has_finished_is_kept_if_the_text_was_late() -> None:
    async def source(_: int, __: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        yield [SummaryTitle("The answer to it all")]
        await asyncio.Event().wait()

    events: list[Event] = []
    parts = scheduler(source, events.append)
    parts.feed("It is 42.")
    parts.close()
    running = asyncio.create_task(parts.run())
    await settled()
    parts.expire()
    await running
    assert plain(events) == [(0, LAST), (0, "The answer to it all", LAST, (0, 9), "extract")]


@pytest.mark.parametrize("size", [1, 7, 100, 900, 5000])
async def test_the_spans_follow_one_another_and_cover_the_trace(size: int) -> None:
    trace, events = (STEP + SENTENCE * 9 + "\n\n" + "Nothing of this was said, " * 40 + "as 7. ") * 6, list[Event]()
    parts = scheduler(Writer(), events.append)
    running = asyncio.create_task(parts.run())
    for at in range(0, len(trace), size):
        parts.feed(trace[at : at + size])
        await asyncio.sleep(0)
    parts.close()
    await running
    spans = [event.span for event in events if isinstance(event, ReasoningSummaryPart)]
    assert [0, *(span.end for span in spans)] == [*(span.start for span in spans), len(trace)]


async def test_a_part_that_is_not_written_by_the_deadline_is_an_extract() -> None:
    events: list[Event] = []
    writer = Writer(1)
    parts = scheduler(writer, events.append, 0.01)
    parts.feed(numbered(2) + REST)
    await settled()
    parts.close()
    assert await parts.run() == f"{written(0)}\n\n{ends(1)}\n\n{LAST}"
    assert plain(events)[2:] == [
        (1, ends(1)),
        (1, TITLES[0], ends(1), (N, 2 * N), "extract"),
        *extract(2, 2 * N, 2 * N + len(REST), nth=1),
    ]
    assert writer.cancelled == [1]


async def test_a_short_rest_is_written_if_the_response_does_not_wait() -> None:
    events: list[Event] = []
    parts = scheduler(Writer(), events.append, awaited=False)
    parts.feed(numbered(2) + REST)
    parts.close()
    assert await parts.run() == f"{written(0)}\n\n{written(1)}\n\n{written(2)}"
    assert plain(events)[4:] == part(2, 2 * N, 2 * N + len(REST))


@pytest.mark.parametrize(
    ("wrote", "said", "drafts"),
    [
        (["**So 42** It is 43."], "It is not 41. It is 42.", 2),
        (["**So 42** It is 43.", "**So 42** So it is 42."], "So it is 42.", 2),
        (["**So 42** Not at all 41. It is 43."], "Not at all 41.", 1),
        (["**So 42** It is 42 or 7."], "It is 42 or 7.", 1),
        (["**So 42** The model says that it is 42.", "**So 42** So it is 42."], "So it is 42.", 2),
    ],
    ids=["twice", "once", "after a sentence", "from the prompt", "narrated"],
)
async def test_unsupported_sentences_of_the_model_are_not_sent(wrote: list[str], said: str, drafts: int) -> None:
    tasks: list[PartTask] = []
    answers = iter([*wrote, wrote[-1]])
    model = ScriptedModel(lambda _: [f"{piece} " for piece in next(answers).split(" ")])

    def source(index: int, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        tasks.append(task)
        return SummaryWriter(model).part(f"part-{index}", task)

    trace = "It is not 41. It is 42."
    parts = scheduler(source, request="What is it?", evidence=("Is it 7?",))
    parts.feed(trace)
    parts.close()
    assert await parts.run() == said
    assert tasks == [PartTask(step=trace, request="What is it?", evidence=("Is it 7?",))]
    assert [request.id for request in model.requests] == ["part-0", "part-0-again-1"][:drafts]
    assert parts.rejected == drafts - (said == "So it is 42.") - (drafts == 1) + (said == "Not at all 41.")


async def test_a_part_does_not_repeat_the_part_before() -> None:
    tasks: list[PartTask] = []
    model = ScriptedModel(lambda _: [f"**Little texts** {written(0)}"])

    def source(index: int, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        tasks.append(task)
        return SummaryWriter(model).part(f"part-{index}", task)

    parts = scheduler(source)
    running = asyncio.create_task(parts.run())
    parts.feed(STEP + REST)
    await settled()
    parts.feed(STEP + REST)
    await settled()
    parts.close()
    assert await running == f"{written(0)}\n\n{LAST}{ends(0)}\n\n{LAST}"
    assert [task.before for task in tasks] == ["", f"Little texts\n{written(0)}"]
    assert [request.id for request in model.requests] == ["part-0", "part-1", "part-1-again-1"]


@pytest.mark.parametrize(
    ("batches", "events"),
    [
        ([], [(0, "It is 42."), (0, TITLES[0], LAST, (0, 9), "extract")]),
        ([[SummaryTitle("A title"), "It is."]], [(0, "It is."), (0, "A title", "It is.", (0, 9), "model")]),
        ([[SummaryTitle(""), "It is."]], [(0, "It is."), (0, TITLES[0], "It is.", (0, 9), "model")]),
    ],
    ids=["at once", "after a sentence", "without a title"],
)
async def test_a_summarizer_that_fails_leaves_its_sentences_or_an_extract(
    batches: list[list[SummaryItem]], events: list[tuple[object, ...]]
) -> None:
    async def failing(_: int, __: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        for batch in [*batches, []]:
            yield batch
        raise UpstreamError("no summary today")

    sent: list[Event] = []
    parts = scheduler(failing, sent.append)
    parts.feed("It is 42.")
    parts.close()
    await parts.run()
    assert plain(sent) == events


@pytest.mark.parametrize("steps", [1, 3])
async def test_a_summary_that_is_not_live_is_one_part_in_the_end(steps: int) -> None:
    events: list[Event] = []
    writer = Writer()
    parts = scheduler(writer, events.append, live=False)
    running = asyncio.create_task(parts.run())
    parts.feed(numbered(steps))
    await settled()
    assert events == []
    parts.close()
    assert await running == written(0)
    assert plain(events) == part(0, 0, steps * N)
    assert writer.steps[-1] == (STEP if steps == 1 else f"{written(0)}\n{written(1)}\n{ends(2)}")


async def test_one_part_that_the_model_cannot_write_is_the_titles_of_all() -> None:
    model = ScriptedModel(lambda request: ["It is 99."] if request.id.startswith("part-0") else [])
    writer = Writer()

    def source(index: int, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        whole = index == 0 and 0 in writer.asked
        return SummaryWriter(model).part(f"part-{index}", task) if whole else writer(index, task)

    parts = scheduler(source, live=False)
    parts.feed(numbered(3) + REST)
    await settled()
    parts.close()
    assert await parts.run() == f"Title 0 → Title 1 → Title 2 → {TITLES[0]}"


async def test_one_part_that_is_late_is_the_titles_of_all() -> None:
    parts = scheduler(Writer(), live=False)
    parts.feed(numbered(3) + REST)
    await settled()
    parts.close()
    parts.expire()
    assert await parts.run() == f"Title 0 → Title 1 → Title 2 → {TITLES[0]}"


async def test_a_blank_trace_has_no_parts() -> None:
    events: list[Event] = []
    parts = scheduler(Writer(), events.append)
    parts.feed("\n \n")
    parts.close()
    assert (await parts.run(), events) == ("", [])


async def test_cancelling_the_run_cancels_the_parts_being_written() -> None:
    writer = Writer(0, 1)
    parts = scheduler(writer)
    running = asyncio.create_task(parts.run())
    parts.feed(numbered(2) + REST)
    await settled()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert sorted(writer.cancelled) == [0, 1]


async def test_the_summary_of_a_long_trace_is_complete() -> None:
    """The parts alternate, since a part must not repeat the one before it."""
    texts = "The thing is looked at a little in the sentence.", "There is a little more said about the same thing."
    steps = 202
    sent = asyncio.Queue[Event]()
    model = ScriptedModel(lambda request: ["A title\n", texts[int(request.id) % 2]])
    parts = scheduler(lambda index, task: SummaryWriter(model).part(f"{index}", task), sent.put_nowait, awaited=False)
    running = asyncio.create_task(parts.run())
    parts.feed(STEP)  # complete once the next one begins
    for number in range(1, steps):
        parts.feed(numbered(1, number))
        while not isinstance(await sent.get(), ReasoningSummaryPart):
            pass
    parts.close()
    assert await running == "\n\n".join(texts[index % 2] for index in range(steps))

"""The law of the order, against a reading of it written apart, and the sequencer that keeps to it."""

import re
from collections.abc import Sequence
from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Failure, OrderViolation
from gateway.events import (
    EVENT_TYPES,
    LAST_EVENTS,
    Event,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDelta,
    ReasoningSummaryDone,
    ReasoningSummaryHeadline,
    ReasoningSummaryPart,
    ResponseDelta,
    ResponseDone,
    Span,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    ToolCallDelta,
    ToolCallDone,
    Usage,
)
from gateway.order import TRANSITIONS, Order, Sequencer, next_states

SOME = settings(max_examples=min(60, settings().max_examples), deadline=None, database=None)
ORDERS: tuple[Order, ...] = get_args(Order)

# A stream as a word: one letter an event, a capital for what opens or closes.
LETTERS: dict[str, str] = {
    "S": "stream.started",
    "p": "prompt_summary.delta",
    "P": "prompt_summary.done",
    "r": "reasoning.delta",
    "s": "reasoning_summary.delta",
    "q": "reasoning_summary.part",
    "h": "reasoning_summary.headline",
    "R": "reasoning.done",
    "Q": "reasoning_summary.done",
    "a": "response.delta",
    "t": "tool_call.delta",
    "T": "tool_call.done",
    "A": "response.done",
    "C": "stream.completed",
    "F": "stream.failed",
}
SECTIONS = {letter: "stream" if letter in "SCF" else "r" if letter in "rR" else "q" for letter in LETTERS} | {
    **dict.fromkeys("pP", "p"),
    **dict.fromkeys("atTA", "a"),
}
LEGAL: dict[Order, re.Pattern[str]] = {
    "strict": re.compile(r"Sp*P[rsqh]*R[sq]*Q[atT]*AC"),
    "eager": re.compile(r"Sp*P[rsqh]*R[atTsq]*(A[sq]*Q|Q[atT]*A)C"),
}
# What each state of the law is reached by, and the letters that may still come, at once or later.
STATES: dict[Order, dict[str, tuple[str, str, str]]] = {
    "strict": {
        "new": ("", "S", "SpPrsqRQatTAC"),
        "prompt_summary": ("S", "pP", "pPrsqRQatTA"),
        "reasoning": ("SP", "rsqR", "rsqRQatTA"),
        "summary": ("SPR", "sqQ", "sqQatTA"),
        "response": ("SPRQ", "atTA", "atTA"),
        "end": ("SPRQA", "C", "C"),
        "closed": ("SPRQAC", "", ""),
    },
    "eager": {
        "new": ("", "S", "SpPrsqRQatTAC"),
        "prompt_summary": ("S", "pP", "pPrsqRQatTA"),
        "reasoning": ("SP", "rsqR", "rsqRQatTA"),
        "response_and_summary": ("SPR", "atTsqQA", "atTsqQA"),
        "response": ("SPRQ", "atTA", "atTA"),
        "last_summary": ("SPRA", "sqQ", "sqQ"),
        "end": ("SPRQA", "C", "C"),
        "closed": ("SPRQAC", "", ""),
    },
}
KEPT = [letter for letter in LETTERS if letter != "h"]
"""The letters of events that wait, or are refused, out of their time."""
PAIRS = [(order, state, letter) for order in ORDERS for state in STATES[order] for letter in KEPT]
NOT_CLOSED = [(order, state) for order in ORDERS for state in STATES[order] if state not in ("new", "closed")]


def event(letter: str, n: int = 0) -> Event:
    """An event of that letter; `n` tells it from others, and its text is `n` % 3 + 1 characters."""
    text = "x" * (n % 3 + 1)
    made: dict[str, Event] = {
        "S": StreamStarted(id="rsn-1", model="qwen", created=n),
        "p": PromptSummaryDelta(delta=text),
        "P": PromptSummaryDone(text=f"{n}", written_by="model"),
        "r": ReasoningDelta(delta=text),
        "s": ReasoningSummaryDelta(index=n, delta=text),
        "q": ReasoningSummaryPart(index=n, title="", text="", span=Span(start=0, end=n), written_by="model"),
        "h": ReasoningSummaryHeadline(index=n, text=text, characters=n, seconds=0.0),
        "R": ReasoningDone(characters=n, tokens=None, seconds=0.0, ended_by="marker"),
        "Q": ReasoningSummaryDone(text=f"{n}"),
        "a": ResponseDelta(delta=text),
        "t": ToolCallDelta(index=n, id="c", name="f", arguments=text),
        "T": ToolCallDone(index=n, id="c", name="f", arguments=text),
        "A": ResponseDone(text=f"{n}"),
        "C": StreamCompleted(finish_reason="stop", usage=Usage(completion_tokens=n)),
        "F": StreamFailed(error=Failure(type="upstream_error", message=f"{n}", stage="upstream")),
    }
    return made[letter]


def word(events: Sequence[Event]) -> str:
    letters = {name: letter for letter, name in LETTERS.items()}
    return "".join(letters[event.type] for event in events)


def fed(letters: str, order: Order = "strict") -> tuple[Sequencer, list[Event]]:
    sequencer = Sequencer(order)
    return sequencer, [released for letter in letters for released in sequencer.put(event(letter))]


def words(order: Order, extras: int) -> set[str]:
    """All whole streams with at most `extras` events that need not be there, spelled out from the design's text."""

    def some(letters: str) -> list[str]:
        return ["".join(picked) for n in range(extras + 1) for picked in product(letters, repeat=n)]

    heads = [f"S{p}P{r}R" for p in some("p") for r in some("rsqh") if len(p + r) <= extras]
    if order == "strict":
        tails = [f"{s}Q{a}A" for s in some("sq") for a in some("atT") if len(s + a) <= extras]
    else:
        # Any word in which nothing of a section follows its end.
        middles = {f"{x}{one}{y}{two}" for x in some("sqatT") for y in some("sqatT") for one, two in ("QA", "AQ")}
        tails = [tail for tail in middles if len(tail) <= extras + 2 and not re.search(r"Q.*[sq]|A.*[atT]", tail)]
    return {f"{head}{tail}C" for head in heads for tail in tails if len(head + tail) <= extras + 5}


def spelled(order: Order, longest: int) -> set[str]:
    """All whole streams of the law's own table, up to a length."""
    letters = {name: letter for letter, name in LETTERS.items()}
    found: set[str] = set()
    todo = [("", "new")]
    while todo:
        so_far, state = todo.pop()
        if state == "closed":
            found.add(so_far)
        elif len(so_far) < longest:
            todo += [(so_far + letters[name], after) for name, after in TRANSITIONS[order][state].items()]
    return found


def test_every_event_type_has_a_letter() -> None:
    assert list(LETTERS.values()) == list(EVENT_TYPES)


@pytest.mark.parametrize("order", ORDERS)
def test_the_table_allows_exactly_the_streams_of_the_design(order: Order) -> None:
    expected = words(order, extras=3)
    assert spelled(order, longest=9) == expected
    assert all(LEGAL[order].fullmatch(stream) for stream in expected)


def test_eager_allows_every_stream_that_strict_allows() -> None:
    assert words("strict", extras=3) < words("eager", extras=3)


@pytest.mark.parametrize("order", ORDERS)
def test_a_legal_stream_is_released_unchanged(order: Order) -> None:
    for stream in words(order, extras=2):
        sequencer, released = fed(stream, order)
        assert word(released) == stream
        assert (sequencer.closed, sequencer.waiting_size) == (True, 0)


@pytest.mark.parametrize("order", ORDERS)
def test_every_state_of_the_table_is_reached(order: Order) -> None:
    assert set(TRANSITIONS[order]) == set(STATES[order])
    for state, (path, _, _) in STATES[order].items():
        assert fed(path, order)[0].state == state


@pytest.mark.parametrize(("order", "state", "letter"), PAIRS)
def test_an_event_is_released_waits_or_is_refused_by_state(order: Order, state: str, letter: str) -> None:
    path, now, later = STATES[order][state]
    sequencer, _before = fed(path, order)
    newcomer = event(letter, 2)
    failing = letter == "F" and state not in ("new", "closed")
    assert (newcomer.type in next_states(TRANSITIONS[order], state)) == (letter in now or failing)
    if letter in now or failing:
        released = sequencer.put(newcomer)
        assert released == [newcomer]
        assert sequencer.waiting_size == 0
    elif letter in later and letter != "C":
        assert sequencer.put(newcomer) == []
        assert sequencer.state == state
        assert sequencer.waiting_size == (3 if letter in "prsatT" else 0)
    else:
        with pytest.raises(OrderViolation, match=re.escape(newcomer.type)):
            sequencer.put(newcomer)
        assert (sequencer.state, sequencer.waiting_size) == (state, 0)


@pytest.mark.parametrize(("order", "state"), [(order, state) for order in ORDERS for state in STATES[order]])
def test_a_headline_is_for_the_moment_and_dropped_at_any_other(order: Order, state: str) -> None:
    path, _, _ = STATES[order][state]
    sequencer, _ = fed(path, order)
    assert word(sequencer.put(event("h"))) == ("h" if state == "reasoning" else "")
    assert (sequencer.state, sequencer.waiting_size) == (state, 0)


@pytest.mark.parametrize(("order", "letter"), list(product(ORDERS, KEPT)))
def test_nothing_is_accepted_after_the_last_event(order: Order, letter: str) -> None:
    for end in ("SPRQAC", "SF", "SPF", "SPRF"):
        sequencer, _ = fed(end, order)
        assert sequencer.closed
        with pytest.raises(OrderViolation):
            sequencer.put(event(letter))
        assert sequencer.abort(StreamFailed(error=Failure(type="x", message="", stage="session"))) == []


@pytest.mark.parametrize(("order", "state"), NOT_CLOSED)
def test_a_stream_may_fail_in_any_state(order: Order, state: str) -> None:
    path, _, _ = STATES[order][state]
    sequencer, before = fed(path, order)
    released = sequencer.put(event("F"))
    assert word([*before, *released]) == path + "F"
    assert sequencer.closed


@pytest.mark.parametrize("order", ORDERS)
def test_a_stream_that_has_not_started_cannot_end(order: Order) -> None:
    sequencer = Sequencer(order)
    for letter in "FC":
        with pytest.raises(OrderViolation):
            sequencer.put(event(letter))
    failed = StreamFailed(error=Failure(type="x", message="", stage="session"))
    assert sequencer.abort(failed) == []
    assert word(sequencer.put(event("S"))) == "S"
    assert word(sequencer.put(event("F"))) == "F"


@pytest.mark.parametrize(("order", "waiting"), list(product(ORDERS, "rRsqQatTA")))
@pytest.mark.parametrize("last", "CF")
def test_a_last_event_is_refused_while_others_wait(order: Order, waiting: str, last: str) -> None:
    sequencer, _ = fed("S" + waiting, order)
    held = sequencer.waiting_size
    with pytest.raises(OrderViolation):
        sequencer.put(event(last))
    assert (sequencer.state, sequencer.waiting_size) == ("prompt_summary", held)


@pytest.mark.parametrize(
    ("early", "late"),
    [("R", "r"), ("R", "R"), ("Q", "s"), ("Q", "q"), ("Q", "Q"), ("A", "a"), ("A", "t"), ("A", "T"), ("A", "A")],
)
@pytest.mark.parametrize("order", ORDERS)
def test_nothing_of_a_section_follows_its_end_even_while_it_waits(order: Order, early: str, late: str) -> None:
    sequencer, _ = fed("S" + early, order)
    with pytest.raises(OrderViolation, match=re.escape(LETTERS[late])):
        sequencer.put(event(late))
    assert sequencer.waiting_size == 0


def test_a_section_that_ended_before_the_stream_began_stays_ended() -> None:
    sequencer, _ = fed("P")
    with pytest.raises(OrderViolation):
        sequencer.put(event("p"))


@pytest.mark.parametrize("order", ORDERS)
def test_abort_drops_waiting_events(order: Order) -> None:
    sequencer, before = fed("Sprsat", order)
    assert sequencer.waiting_size == 4
    released = sequencer.abort(StreamFailed(error=Failure(type="internal_error", message="", stage="session")))
    assert word([*before, *released]) == "SpF"
    assert (sequencer.closed, sequencer.waiting_size) == (True, 0)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("last", "CF")
def test_a_refused_last_event_can_still_be_aborted(order: Order, last: str) -> None:
    sequencer, before = fed("SPra", order)
    with pytest.raises(OrderViolation):
        sequencer.put(event(last))
    released = sequencer.abort(StreamFailed(error=Failure(type="internal_error", message="", stage="session")))
    assert word([*before, *released]) == "SPrF"
    assert sequencer.closed


def test_waiting_size_counts_characters_of_waiting_text() -> None:
    sequencer = Sequencer()
    texts: list[Event] = [
        ReasoningDelta(delta="123"),
        ReasoningSummaryDelta(index=0, delta="45"),
        ResponseDelta(delta="6789"),
        ToolCallDelta(index=0, id="c", name="f", arguments="{}"),
        ToolCallDone(index=0, id="c", name="f", arguments="{}"),
        ResponseDone(text="not counted, it repeats"),
    ]
    held = []
    for text in texts:
        assert sequencer.put(text) == []
        held.append(sequencer.waiting_size)
    assert held == [3, 5, 9, 11, 13, 13]
    assert word(sequencer.put(event("S"))) == "S"
    assert sequencer.waiting_size == 13
    assert word(sequencer.put(event("P"))) == "Prs"
    assert sequencer.waiting_size == 8
    assert word(sequencer.put(event("R"))) == "R"
    assert word(sequencer.put(event("Q"))) == "QatTA"
    assert sequencer.waiting_size == 0


def test_an_event_is_released_without_a_copy() -> None:
    sequencer, _ = fed("S")
    first = PromptSummaryDelta(delta="x")
    (released,) = sequencer.put(first)
    assert released is first


# Arrivals: each section in its own order, the sections among each other in any; the last event at the end.


@st.composite
def arrivals(draw: st.DrawFn, summaries: str = "sq") -> list[list[Event]]:
    """The sections of a legal stream, each a list of its events."""
    bodies = [draw(st.text(letters, max_size=6)) if letters else "" for letters in ("p", "r", summaries, "atT")]
    sections = [body + end for body, end in zip(bodies, "PRQA", strict=True)]
    return [[event(letter, n) for n, letter in enumerate(section)] for section in ("S", *sections)]


def shuffled(draw: Any, sections: list[list[Event]]) -> list[Event]:
    """The sections' events in an arrival order that keeps each section's own."""
    turns = draw(st.permutations([n for n, section in enumerate(sections) for _ in section]))
    left = [iter(section) for section in sections]
    return [next(left[turn]) for turn in turns]


def run(order: Order, arriving: Sequence[Event]) -> list[Event]:
    """Return what is released; check at every event that `waiting_size` is the text that was put and not released."""
    sequencer = Sequencer(order)
    released: list[Event] = []
    came = 0
    for newcomer in arriving:
        came += size(newcomer)
        released += sequencer.put(newcomer)
        assert sequencer.waiting_size == came - sum(map(size, released))
    assert sequencer.closed
    assert sequencer.waiting_size == 0
    return released


def size(event: Event) -> int:
    match event:
        case ToolCallDelta(arguments=text) | ToolCallDone(arguments=text):
            return len(text)
        case _:
            return len(getattr(event, "delta", ""))


@SOME
@given(data=st.data())
def test_strict_gives_one_list_whatever_order_the_sections_arrive_in(data: st.DataObject) -> None:
    sections = data.draw(arrivals(summaries=""))
    arriving = [*shuffled(data.draw, sections), event("C")]
    expected = [*(event for section in sections for event in section), event("C")]
    released = run("strict", arriving)
    assert released == expected


@SOME
@given(data=st.data())
@pytest.mark.parametrize("order", ORDERS)
def test_events_that_waited_for_the_start_are_released_section_by_section(order: Order, data: st.DataObject) -> None:
    started, *sections = data.draw(arrivals())
    arriving = [*shuffled(data.draw, sections), *started, event("C")]
    in_order = [*started, *(event for section in sections for event in section), event("C")]
    assert run(order, arriving) == in_order


@SOME
@given(data=st.data())
@pytest.mark.parametrize("order", ORDERS)
def test_any_arrival_gives_a_legal_stream_that_keeps_every_section(order: Order, data: st.DataObject) -> None:
    """Live summaries change the whole list by their time of arrival, but not the list of any section."""
    sections = data.draw(arrivals())
    released = run(order, [*shuffled(data.draw, sections), event("C")])
    assert LEGAL[order].fullmatch(word(released))
    assert isinstance(released[-1], LAST_EVENTS)
    assert sum(isinstance(event, LAST_EVENTS) for event in released) == 1
    by_section: dict[str, list[Event]] = {}
    for left in released:
        by_section.setdefault(SECTIONS[word([left])], []).append(left)
    named = dict(zip("prqa", sections[1:], strict=True))
    assert {name: by_section[name] for name in named} == named


@SOME
@given(data=st.data())
@pytest.mark.parametrize("order", ORDERS)
def test_an_aborted_stream_has_exactly_one_last_event(order: Order, data: st.DataObject) -> None:
    """Whatever has come and however it ends: refused last events change nothing, and abort always works."""
    arriving = shuffled(data.draw, data.draw(arrivals()))
    cut = data.draw(st.integers(0, len(arriving)))
    sequencer = Sequencer(order)
    released = [left for newcomer in arriving[:cut] for left in sequencer.put(newcomer)]
    started = bool(released)
    try:
        released += sequencer.put(event("F"))
    except OrderViolation:
        failed = StreamFailed(error=Failure(type="x", message="", stage="session"))
        released += sequencer.abort(failed)
    assert [event.type for event in released if isinstance(event, LAST_EVENTS)] == ["stream.failed"] * started
    assert sequencer.closed == started
    if started:
        assert released[-1].type == "stream.failed"
        assert sequencer.waiting_size == 0

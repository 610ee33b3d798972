"""Answers that were all reasoning are repeated as the response."""

import pytest

from gateway.events import FinishReason, Usage
from gateway.reasoning import Segment
from gateway.reasoning.promoter import PIECES, Promoter
from gateway.reasoning.states import LONGEST_BLANK
from gateway.upstream import Accepted, Finished, ParsedItem, ThinkingEnded, ToolPiece

SIX, ENDED = Segment("reasoning", "Six."), ThinkingEnded(tokens=4, ended_by="marker")
TRUNCATED = ThinkingEnded(tokens=None, ended_by="truncated")
CALL = ToolPiece(index=0, name="f", arguments="{}")


def finished(reason: FinishReason = "stop") -> Finished:
    return Finished(finish_reason=reason, usage=Usage())


def response(text: str) -> Segment:
    return Segment("response", text)


def promoted(items: list[ParsedItem], *, truncated: bool = False) -> list[ParsedItem]:
    stage = Promoter(truncated)
    got = [out for item in items for out in stage.feed([item])] + stage.close()
    whole = Promoter(truncated)
    assert [*whole.feed(items), *whole.close()] == got
    return got


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([Accepted(), SIX, SIX], [Accepted(), SIX, SIX, TRUNCATED, response("Six.Six.")]),
        ([SIX, response("\n"), response(" ")], [SIX, TRUNCATED, response("Six.")]),
        ([SIX, response("\n"), SIX], [SIX, SIX, TRUNCATED, response("Six.Six.")]),
        ([SIX, ENDED], [SIX, ENDED, response("Six.")]),
    ],
)
def test_an_answer_of_reasoning_alone_that_finished_with_stop_is_repeated(
    before: list[ParsedItem], after: list[ParsedItem]
) -> None:
    assert promoted([*before, finished()]) == [*after, finished()]


@pytest.mark.parametrize(
    "items",
    [
        [finished()],
        [response("42."), finished()],
        [SIX, response("42."), SIX, finished()],
        [SIX, CALL, finished()],
        [SIX, CALL, finished("tool_calls")],
        [SIX, finished("length")],
        [SIX, finished("content_filter")],
        [SIX, finished("tool_calls")],
        [Segment("reasoning", " \n"), finished()],
        [response(" \n"), finished()],
        [SIX, response("\n"), finished("length")],
        [SIX],
        [SIX, response("\n")],
    ],
)
def test_any_other_answer_stays_as_it_is(items: list[ParsedItem]) -> None:
    assert promoted(items) == items


def test_blank_text_is_released_before_a_word_or_a_call() -> None:
    assert promoted([response("\n"), response("42.")]) == [response("\n"), response("42.")]
    assert promoted([SIX, response("\n"), CALL, finished()]) == [SIX, response("\n"), CALL, finished()]


@pytest.mark.parametrize("reason", ["stop", "length", "content_filter"])
def test_reasoning_that_was_cut_is_repeated_if_configured(reason: FinishReason) -> None:
    end = finished(reason)
    assert promoted([SIX, end], truncated=True) == [SIX, TRUNCATED, response("Six."), end]


def test_blank_text_is_not_held_back_for_ever() -> None:
    stage, long = Promoter(), response("\n" * LONGEST_BLANK)
    assert [stage.feed([long]) for _ in range(4)] == [[], [], [response("\n" * 2 * LONGEST_BLANK), long], [long]]


def test_a_long_trace_is_repeated_whole() -> None:
    trace: list[ParsedItem] = [Segment("reasoning", str(number)) for number in range(3 * PIECES + 1)]
    text = "".join(str(number) for number in range(3 * PIECES + 1))
    assert promoted([*trace, finished()]) == [*trace, TRUNCATED, response(text), finished()]

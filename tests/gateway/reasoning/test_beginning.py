"""An answer shows how its model begins."""

import pytest

from gateway.events import FinishReason, Usage
from gateway.reasoning import Segment
from gateway.reasoning.beginning import LONGEST_LINE, BeginningWatch
from gateway.reasoning.formats import FORMATS
from gateway.upstream import Finished, ParsedItem, ToolPiece


def finished(reason: FinishReason = "stop") -> Finished:
    return Finished(finish_reason=reason, usage=Usage())


def response(text: str) -> Segment:
    return Segment("response", text)


def seen(items: list[ParsedItem], *, outside: bool = True, format: str = "deepseek_r1") -> list[bool]:
    shown: list[bool] = []
    watch = BeginningWatch(FORMATS[format], outside, shown.append)
    for item in items:
        assert list(watch.feed([item])) == [item]
    assert watch.close() == []
    return shown


INSIDE = [
    "I add. Four.</think>\n\nFour.",
    "I add.\nFour.\n</think>\n\nFour.",
    "I add.</think>",
    "I add.\r\n</think>\r\nFour.",
    "I add. </think>  \nFour.",
    "They ask of `</think>`.\nIt ends a thought.\n</think>\n\nIt is a tag.",
    "```\nx </think>\n```\nI know.\n</think>\n\nFour.",
    "I add.\n</think>\n\n`</think>` was said.\n</think>\n",
]
OUTSIDE = [
    "Four.",
    "",
    "It is `</think>`\n",
    "It is '</think>\n' at the end of a line",
    "The tag </think> ends a thought.",
    "Split at `a and </think>\nor` so.",
    "```python\ntext.split(\n</think>\n```\nThat is all.",
    "~~~\n</think>\n~~~",
    "First <think>, then\n</think>\nends it.",
    "Between `<think>` and\n</think>\n",
    "</thinking>\n",
    "x" * (LONGEST_LINE + 1) + "</think>\n",
]


@pytest.mark.parametrize(("text", "shown"), [*((text, [True]) for text in INSIDE), *((text, []) for text in OUTSIDE)])
def test_a_lone_end_marker_as_framing_shows_that_the_answer_began_inside(text: str, shown: list[bool]) -> None:
    halves = [response(text[: len(text) // 2]), response(text[len(text) // 2 :])]
    assert seen([response(text), finished()]) == shown
    assert seen([*halves, finished()]) == shown
    assert seen([*(response(character) for character in text), finished("length")]) == shown


def test_the_markers_are_those_of_the_format() -> None:
    text = response("I add.\n</seed:think>\nFour.")
    assert seen([text, finished()], format="seed_oss") == [True]
    assert seen([text, finished()]) == []
    assert seen([response("a\n</think>\n"), finished()], format="none") == []
    assert seen([response("a\n</ifm|think_fast>\n"), finished()], format="k2_horizon") == [True]


@pytest.mark.parametrize("first", [Segment("reasoning", "I add."), ToolPiece(index=0, name="f")])
def test_behind_reasoning_or_a_call_an_end_marker_shows_nothing(first: ParsedItem) -> None:
    assert seen([first, response("Four.\n</think>\n"), finished()]) == []


def test_an_answer_that_never_came_to_its_end_shows_nothing() -> None:
    assert seen([response("I add.\n</think>")]) == []


@pytest.mark.parametrize(
    ("items", "shown"),
    [
        ([Segment("reasoning", "Hello."), finished()], [False]),
        ([Segment("reasoning", "Hello."), finished("length")], []),
        ([Segment("reasoning", "Hm."), response("Hello.\n</think>\n"), finished()], []),
        ([Segment("reasoning", "Hm."), ToolPiece(index=0, name="f"), finished()], []),
        ([Segment("reasoning", "Hm.")], []),
    ],
)
def test_an_answer_parsed_from_inside_shows_the_contrary_by_ending_without_an_end_marker(
    items: list[ParsedItem], shown: list[bool]
) -> None:
    assert seen(items, outside=False) == shown

"""The beginning of an answer that an API goes on from, whether the API repeats it or not."""

import pytest

from gateway.events import Usage
from gateway.reasoning import Segment
from gateway.upstream import Accepted, Finished, Text, UpstreamItem
from upstreams.prefill import Beginning

STOP = Finished(finish_reason="stop", usage=Usage())


def fed(prefill: str, *items: UpstreamItem) -> list[UpstreamItem]:
    """The items fed one by one, texts joined."""
    beginning, joined = Beginning(prefill), list[UpstreamItem]()
    for one in (known for item in items for known in beginning.feed([item])):
        match joined[-1:], one:
            case [Text(before)], Text(text):
                joined[-1] = Text(before + text)
            case _:
                joined.append(one)
    return joined


@pytest.mark.parametrize(
    ("answer", "whole"),
    [
        ("A title** It is so.", "**A title** It is so."),
        ("**A title** It is so.", "**A title** It is so."),
        ("\n**A title** It is so.", "\n**A title** It is so."),
        (" *A", "** *A"),
        ("*", "***"),
        ("**", "**"),
    ],
)
def test_an_answer_has_its_beginning_once(answer: str, whole: str) -> None:
    assert fed("**", Accepted(), *map(Text, answer), STOP) == [Accepted(), Text(whole), STOP]
    assert fed("**", Accepted(), Text(answer), STOP) == [Accepted(), Text(whole), STOP]


def test_an_answer_without_text_has_no_beginning() -> None:
    assert fed("**", Text("\n"), STOP) == [STOP]


def test_reasoning_is_passed_on_at_once() -> None:
    assert Beginning("You ask").feed([Text("Y"), Segment("reasoning", "Hm.")]) == [Segment("reasoning", "Hm.")]


def test_nothing_is_kept_back_without_a_beginning() -> None:
    assert Beginning("").feed([Text("\n")]) == [Text("\n")]

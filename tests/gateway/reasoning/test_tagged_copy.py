"""Text beside reasoning that comes by a field: a copy of it in tags is dropped, all else is response."""

import pytest

from gateway.reasoning.tagged_copy import TaggedCopyFilter


def said(trace: list[str], text: list[str], *, inside: bool = False) -> str:
    """The response, if the pieces of the field and of the text come in turn."""
    filter = TaggedCopyFilter(inside)
    response = ""
    for place in range(max(len(trace), len(text))):
        if place < len(trace):
            filter.add_reasoning(trace[place])
        if place < len(text):
            response += "".join(segment.text for segment in filter.feed(text[place]))
    return response + "".join(segment.text for segment in filter.close())


@pytest.mark.parametrize("trace", ["Six times.", "\nSix times.\n", " Six\n\ntimes. "])
@pytest.mark.parametrize("head", ["", "\n", " "])
def test_a_copy_of_the_reasoning_is_dropped(trace: str, head: str) -> None:
    text = f"{head}<think>\n{trace.strip()}\n</think>\n\n42 <think>x</think>."
    response = "42 <think>x</think>."
    assert said([trace], [text]) == response
    assert said([trace], list(text)) == response
    assert said(list(trace), ["", *text]) == response
    assert said([trace], [f"{head}<think>\n{trace.strip()}"]) == ""


@pytest.mark.parametrize(
    "text",
    [
        "<think> and </think> are tags.",
        "\n<think>Seven.</think>No.",
        "<think>Six times seven is a copy no more",
        "42.",
        "<think",
        "\n\n42. <think>Six times.</think>",
    ],
)
def test_what_is_no_copy_is_response_to_the_byte(text: str) -> None:
    assert said(["Six ", "times."], ["", "", text]) == text
    assert said(["Six times."], list(text)) == text


def test_blank_text_between_two_pieces_of_the_field_is_nothing() -> None:
    assert said(["Six ", "times ", "seven."], ["\n", " ", "\n\n42."]) == "\n\n42."


@pytest.mark.parametrize("head", ["", "\n"])
def test_an_empty_block_and_a_lone_end_marker_before_the_response_are_dropped(head: str) -> None:
    assert said(["Six."], [f"{head}<think>\n</think>\n\n42."]) == "42."
    assert said(["Six."], [f"{head}</think>\n\n42."]) == "42."


def test_a_start_marker_may_have_come_before_the_field() -> None:
    assert said(["Six."], ["Six.", "</think>42."], inside=True) == "42."
    assert said(["Six."], ["</think>\n42."], inside=True) == "42."
    assert said(["Six."], [" begins a thought."], inside=True) == "<think> begins a thought."

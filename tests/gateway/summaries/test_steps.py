"""A trace cut into steps: whole, in order, at borders, and the same however it arrives."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.summaries.steps import (
    _EVENTS,
    FIRST,
    LARGEST,
    LONGEST_CODE,
    LONGEST_FORMULA,
    LOOKAHEAD,
    SMALLEST,
    Step,
    Steps,
    _next_event,
)

LONG = "This sentence says a little about the thing. " * 14
PIECES = [
    *(
        "Wait, ",
        "So the answer is 4. ",
        "\n\n",
        "\n",
        " ",
        "- an item\n",
        "12. an item\n",
        "```\n",
        "~~~",
        "$$",
        "\\[",
        "\\]",
    ),
    *("等等，这不对。", "x", "word " * 40, LONG, "y" * 300, "No space", ". ", "…", "Alternatively we ", "\t", "é"),
]


def steps(trace: str, cuts: list[int] | None = None) -> list[Step]:
    cutter, cut, at = Steps(), list[Step](), 0
    for length in cuts or []:
        cut += cutter.feed(trace[at : at + length])
        at += length
    return [*cut, *cutter.feed(trace[at:]), *cutter.close()]


def heads(trace: str) -> list[str]:
    return [step.text[:12] for step in steps(trace)]


traces = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)


@given(traces, st.lists(st.integers(1, 500), max_size=80))
def test_the_same_steps_however_the_trace_is_cut(trace: str, cuts: list[int]) -> None:
    assert steps(trace, cuts) == steps(trace)


@given(traces)
def test_a_character_at_a_time(trace: str) -> None:
    assert steps(trace[:3000], [1] * 3000) == steps(trace[:3000])


@given(traces)
def test_the_steps_are_the_trace(trace: str) -> None:
    cut = steps(trace)
    assert "".join(step.text for step in cut) == (trace if trace.strip() else "")
    assert [(step.start, step.end) for step in cut] == [
        (left.end if left else 0, (left.end if left else 0) + len(step.text))
        for left, step in pairwise([None, *cut])
        if step
    ]
    assert all(step.text.strip() for step in cut)
    assert all(len(step.text) >= (SMALLEST if step.start else FIRST) for step in cut[:-1])
    assert all(len(step.text) <= LARGEST + LONGEST_CODE + LOOKAHEAD for step in cut)


@pytest.mark.parametrize(
    "border",
    [
        *(
            "Wait, no.",
            "But wait, no.",
            "Alternatively, x.",
            "So it is.",
            "Hmm, x.",
            "- an item",
            "3. an item",
            "* an item",
        ),
        *("Therefore x.", "Moment mal, x.", "Also ist es so.", "Entonces, x.", "Donc, x."),
    ],
)
def test_a_step_begins_at_a_turn_of_thought_or_a_list_item(border: str) -> None:
    assert heads(f"{LONG}\n{border}") == ["This sentenc", border[:12]]


def test_a_step_ends_with_its_paragraph() -> None:
    assert [step.text for step in steps(f"{LONG}\n\n\nNew thoughts.")] == [f"{LONG}\n\n\n", "New thoughts."]
    close = LONG.rstrip()
    assert [step.text for step in steps(f"{close}\n\nNew thoughts.")] == [f"{close}\n\n", "New thoughts."]


def test_a_step_ends_where_a_code_block_begins() -> None:
    block = "```python\n" + "a = 1\n" * 400 + "```\n"
    trace = Steps()
    assert [step.text for step in trace.feed(f"{LONG}\n{block[:200]}")] == [f"{LONG}\n"]
    assert trace.feed(block[200:]) == []
    assert [step.text for step in trace.close()] == [block]


def test_a_formula_that_goes_on_past_the_largest_size_belongs_to_the_step_before_it() -> None:
    said = f"{LONG}\\[ {'x + ' * (LARGEST // 4 - 10)} y \\]"
    assert [step.text for step in steps(f"{said} So it is.")] == [said, " So it is."]


def test_chinese_turns_need_no_space() -> None:
    said = "我们先来看这个问题。" * 60
    assert heads(f"{said}等等，这不对。") == [said[:12], "等等，这不对。"]


@pytest.mark.parametrize("word", ["Waiting for it", "Sofia says", "Nowhere", "so what"])
def test_a_word_that_only_looks_like_a_turn_is_none(word: str) -> None:
    assert len(steps(f"{LONG}and {word} is.")) == 1


def test_short_thoughts_stay_together() -> None:
    assert len(steps("Wait, no.\n\nSo, yes.\n\n- a\n- b\n")) == 1


@pytest.mark.parametrize(
    ("opening", "closing", "longest"),
    [
        ("```python\n", "\n```", LONGEST_CODE),
        ("$$", "$$", LONGEST_FORMULA),
        ("\\[", "\\]", LONGEST_FORMULA),
        ("\\(", "\\)", LONGEST_FORMULA),
    ],
)
def test_nothing_is_cut_inside_a_block(opening: str, closing: str, longest: int) -> None:
    line = "a = 1\n\nSo it is. Wait, no.\n- x\n"
    block = opening + line * (longest // len(line) - 1) + closing
    assert any(block in step.text for step in steps(f"{LONG}\n{block}\n\n{LONG}"))


def test_a_block_that_never_ends_is_cut_in_the_end() -> None:
    cut = steps("```\n" + LONG * 60)
    assert len(cut) > 5
    assert len(cut[0].text) <= LONGEST_CODE + LARGEST


def test_text_without_a_border_is_cut_at_a_sentence_a_space_or_anywhere() -> None:
    sentences = "one two three. " * 400
    assert all(step.text.endswith(". ") for step in steps(sentences)[:-1])
    words = "word " * 1000
    assert all(step.text.endswith(" ") for step in steps(words)[:-1])
    assert [len(step.text) for step in steps("x" * 5000)] == [LARGEST, LARGEST, 1000]


@pytest.mark.parametrize("blank", ["", " ", "\n\n\n"])
def test_nothing_is_no_step(blank: str) -> None:
    assert steps(blank) == []
    assert [step.text for step in steps(f"A thought.{blank}")] == [f"A thought.{blank}"]


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.integers(0, 200))
def test_the_next_event_is_the_one_that_a_search_finds(trace: str, start: int) -> None:
    found, searched = _next_event(trace, start, len(trace)), _EVENTS.search(trace, start)
    assert (found and (found.span(), found.lastgroup)) == (searched and (searched.span(), searched.lastgroup))

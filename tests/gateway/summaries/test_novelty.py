"""The check whether a few sentences bring anything new: what it lets pass, and what it does not."""

import pytest

from gateway.summaries.novelty import brings_something_new

BEFORE = "The train covers 60 km in 40 minutes, so its speed is 90 km/h. Is it the answer? 所以火车的速度是九十公里。"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\n",
        "So its speed is 90 km/h.",
        "The answer: 90 km/h, so the speed is 90 km/h.",
        "火车的速度是九十公里。",
    ],
)
def test_text_of_the_same_words_and_figures_brings_nothing_new(text: str) -> None:
    assert not brings_something_new(text, BEFORE)


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("So its speed is 91 km/h.", BEFORE),
        ("The answer is no.", BEFORE),
        ("The train covers nothing.", BEFORE),
        ("So a = b", "So a, b"),
        ("火车的速度是八十公里。", BEFORE),
        ("It is 42.", ""),
    ],
    ids=["figure", "short word", "words", "sign", "script without spaces", "nothing before"],
)
def test_another_figure_sign_or_word_is_new(text: str, before: str) -> None:
    assert brings_something_new(text, before)


def test_a_single_long_word_among_many_is_not_new() -> None:
    said = "alpha bravo charlie delta echoes foxtrot golfing hotel indigo juliet kilos"
    assert not brings_something_new(f"{said} another", said)

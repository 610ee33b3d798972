"""Verdicts of a summary: those of which the text has a word pass, others are made up."""

import pytest

from gateway.summaries.verdicts import has_verdicts_of


@pytest.mark.parametrize(
    ("text", "sentence", "has"),
    [
        ("At least two do not share it.", "That at least two share it is false.", False),
        ("That is wrong, since A holds.", "It is false.", True),
        ("That is wrong.", "A is correct.", False),
        ("Yes, A matches.", "A is correct.", True),
        ("A is left.", "A is left.", True),
        ("A bleibt.", "A ist richtig.", False),
        ("Also ist A falsch.", "A is wrong.", True),
        ("剩下的是A。", "A是错误的。", False),
        ("A不对。", "A是错误的。", True),
        ("残りはAです。", "Aは間違いです。", False),
        ("Остаётся A.", "A неверно.", False),
    ],
)
def test_a_verdict_must_be_one_of_the_text(text: str, sentence: str, has: bool) -> None:
    assert has_verdicts_of(sentence, text) == has

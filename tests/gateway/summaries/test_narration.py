"""A summary does not tell of a text that there is not."""

import pytest

from gateway.summaries.narration import tells_of_a_missing_text

STEP = "3. **Leadership**: board drama, NDAs. 4. **Transparency**: the irony of the name. 7. Product issues: bias."


@pytest.mark.parametrize(
    "sentence",
    [
        "The article discusses leadership, transparency and product issues.",
        "This document lists the issues.",
        '"The essay" criticizes the leadership.',
        "Die Artikel behandeln die Führung.",
        "Le paragraphe parle de transparence.",
        "这篇文章讨论了领导层。",
        "この記事は透明性を扱う。",
    ],
)
def test_a_text_that_the_step_does_not_name_is_none(sentence: str) -> None:
    assert tells_of_a_missing_text(sentence, STEP)


@pytest.mark.parametrize(
    ("sentence", "step"),
    [
        ("The article discusses leadership.", "The user sent an article about leadership."),
        ("这篇文章讨论了领导层。", "用户给出的文章讨论领导层。"),
        ("The leadership of the company is criticized in an article.", STEP),
        ("Documentation of the API is missing.", STEP),
        ("The documentary is about leadership.", STEP),
        ("The speaker avoids assumptions about the leadership.", STEP),
        ("Conversational search ranks the products.", STEP),
        ("Leadership, transparency and product issues are the main criticisms.", STEP),
    ],
)
def test_other_sentences_are_not_told_of_a_text(sentence: str, step: str) -> None:
    assert not tells_of_a_missing_text(sentence, step)

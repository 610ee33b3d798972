"""A title as a model has written it is made a plain phrase, or refused."""

import pytest

from gateway.summaries.written_title import plain_title


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("Too late for the film", "Too late for the film"),
        ('**"Filter missing in the key":**', "Filter missing in the key"),
        ("Title: A plain phrase.", "A plain phrase"),
        ("## 2. Checking `get_rows`", "Checking get_rows"),
        ("The answer is $x = 3$", "The answer is x = 3"),
        ("Sum (both sides)", "Sum (both sides)"),
        ("Pourquoi le ciel est bleu ?", "Pourquoi le ciel est bleu ?"),
        ("**排除两个选项。**", "排除两个选项"),
        ("one two three four five six seven eight", "one two three four five six seven eight"),
        ("one two three four five six seven eight nine", ""),
        ("キーにフィルターがないため古い行が戻るのでキーへ加える", ""),
        ("42", ""),
        ("…", ""),
        ("", ""),
    ],
)
def test_a_title_is_a_phrase_without_marks_or_none(written: str, title: str) -> None:
    assert plain_title(written) == title

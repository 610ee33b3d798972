"""Calculations of a summary: those of the text pass however they are written, those that nobody made do not."""

import pytest

from gateway.summaries.equations import has_calculations_of

STEP = "Total time: 30 + 15 = 45 minutes, so 408 - 39. That is 369. 5 × 4 = 20, and 1,200/4 is 300. Rate it 5-6, or 7."


@pytest.mark.parametrize(
    ("sentence", "has"),
    [
        ("The total is 30 + 15 = 45 minutes.", True),
        ("The total is 30+15=45 minutes.", True),
        ("408 − 39 = 369 litres are left.", True),
        ("5*4 = 20, and 1200 ÷ 4 = 300.", True),
        ("It is rated 5-6.", True),
        ("It takes 30-45 minutes.", True),
        ("Nothing is calculated.", True),
        ("The total is 30 + 30 = 60 minutes.", False),
        ("15 + 4 is taken.", False),
        ("45-30=15 minutes are left.", False),
        ("30 + 15 = 45, and 45 − 7 = 38.", False),
        ("30 + 1 = 31.", False),
        ("0 + 15 = 15.", False),
    ],
)
def test_a_calculation_must_be_one_of_the_text(sentence: str, has: bool) -> None:
    assert has_calculations_of(sentence, STEP) == has

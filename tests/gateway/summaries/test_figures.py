"""A number of a summary stands beside something that it stands beside in the text."""

import pytest

from gateway.summaries.figures import Figures
from gateway.summaries.source_sentences import SourceSentences

STEP = "The first rope burns for 30 minutes. Then 15 are left. I will stick with 4. The scale goes from 1 to 10."


@pytest.mark.parametrize(
    ("sentence", "elsewhere"),
    [
        ("The rope burns for 30 minutes.", False),
        ("After 30 minutes 15 are left.", False),
        ("The scale is 4.", True),
        ("The scale ends at 10, and the rope burns for 30 minutes.", False),
        ("The rope burns for 30 minutes, and the scale is 4.", True),
        ("It is 4.", False),
        ("The bridge has 7 arches.", False),
        ("Nothing is counted.", False),
    ],
)
def test_a_number_stands_beside_what_it_is_said_of(sentence: str, elsewhere: bool) -> None:
    assert Figures(SourceSentences(STEP)).are_of_something_else(sentence) == elsewhere


CALCULATION = (
    "There are 40 people with 35 samples each. That makes 1400. Now the losses. 2 people lose 9 samples each. Subtract"
    " the lost samples: 1382 are left."
)


@pytest.mark.parametrize(
    ("sentence", "elsewhere"),
    [
        ("40 people lost 1382 samples.", True),
        ("40 people have 35 samples each.", False),
        ("40 people make 1400 samples.", False),
        ("2 people lose 9 samples, so 1382 are left.", False),
        ("1382 samples are left, and 40 people had them.", False),
    ],
)
def test_numbers_of_one_clause_stand_together(sentence: str, elsewhere: bool) -> None:
    assert Figures(SourceSentences(CALCULATION)).are_of_something_else(sentence) == elsewhere

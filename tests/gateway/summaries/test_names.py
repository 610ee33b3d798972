"""Names of a summary stand beside what they stand beside in the text."""

import pytest

from gateway.summaries.names import Names
from gateway.summaries.source_sentences import SourceSentences

STEP = (
    "Stephanie is Billy's parent. Martha is Gloria's parent. Gloria is Tyler's parent. So Martha is two generations"
    " above Tyler. He is a baker. The shop of Billy is closed."
)


@pytest.mark.parametrize(
    ("sentence", "elsewhere"),
    [
        ("Billy is two generations above Tyler.", True),
        ("Martha is two generations above Tyler.", False),
        ("Martha is two generations above Tyler, making Billy a baker.", True),
        ("Tyler is a baker.", False),
        ("The shop is closed, and Billy has a parent.", False),
        ("The shop of Martha is closed.", True),
        ("Martha is older than Tyler.", False),
        ("Billy and Tyler.", False),
        ("Somebody is a baker.", False),
    ],
)
def test_a_name_stands_beside_what_is_said_of_it(sentence: str, elsewhere: bool) -> None:
    assert Names(SourceSentences(STEP)).are_of_something_else(sentence) == elsewhere


@pytest.mark.parametrize(("sentence", "elsewhere"), [("The user can choose Flask.", True), ("The user asks.", False)])
def test_a_user_does_what_the_text_says_of_users(sentence: str, elsewhere: bool) -> None:
    text = "The user asks for an API. It needs two routes. Or we can choose Flask."
    assert Names(SourceSentences(text)).are_of_something_else(sentence) == elsewhere


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("Der Fahrer sieht das Auto. Das Auto hat eine Bremse. Der Hund ist schnell.", "Der Fahrer ist schnell."),
        ("The Rope burns slowly. A rope is cut. Then the knife is sharp.", "The Rope is sharp."),
    ],
)
def test_nouns_with_a_capital_are_no_names(text: str, sentence: str) -> None:
    assert not Names(SourceSentences(text)).are_of_something_else(sentence)

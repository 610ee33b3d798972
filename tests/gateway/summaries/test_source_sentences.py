"""The source of a summary's sentence: its words in the order of one sentence or two neighbours."""

import pytest

from gateway.summaries.bearing import stems_of
from gateway.summaries.source_sentences import SourceSentences

STEP = (
    "If the farmer takes the goat first, the wolf and the cabbage are left. The wolf does not eat the cabbage."
    " Then he returns alone. He carries the wolf across the river."
)


@pytest.mark.parametrize(
    ("sentence", "share"),
    [
        ("The farmer takes the goat first.", 1.0),
        ("The farmers take the goats.", 1.0),
        ("The wolf and the cabbage stay together, since the wolf eats no cabbage.", 5 / 6),
        ("The cabbage eats the wolf.", 2 / 3),
        ("The farmer carries the cabbage across the bridge.", 2 / 5),
        ("It is so.", 1.0),
    ],
)
def test_the_words_are_counted_in_their_order(sentence: str, share: float) -> None:
    assert SourceSentences(STEP).ordered_share(sentence) == pytest.approx(share)


def test_characters_of_scripts_without_spaces_are_compared_in_pairs() -> None:
    source = SourceSentences("企鹅不会飞翔，所以选项甲错误。剩下选项乙。")
    assert source.ordered_share("企鹅不会飞翔。") == 1.0
    assert source.ordered_share("飞翔企鹅。") < 1.0


def test_the_best_sentences_are_those_with_most_of_the_words() -> None:
    source = SourceSentences(STEP)
    stems = stems_of("The wolf eats the cabbage.")
    assert [*source.best_for(stems)] == [1]
    assert [*source.best_for(stems, 0.4)] == [0, 1]


def test_an_empty_text_bears_nothing() -> None:
    assert SourceSentences("").ordered_share("The wolf eats.") == 0.0
    assert [*SourceSentences("").best_for(stems_of("wolf"))] == []

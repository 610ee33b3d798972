"""The sentences that a model is shown of a step in which it loses its way."""

import pytest

from gateway.summaries.extracts.key_sentences import CHARACTERS, MOST, key_sentences
from gateway.summaries.sentences import sentences

STEP = (
    "Hmm, wait. So the second rope has 30 minutes left, because it burns from one end. Let me think. Is that right?"
    "\n\n```python\nleft = 60 - 30\n```\n\nOkay. Therefore the answer is 45 minutes."
)


def test_they_are_in_their_order_without_self_talk_and_code() -> None:
    assert key_sentences(STEP, "How long does it take?") == (
        "The second rope has 30 minutes left, because it burns from one end. The answer is 45 minutes."
    )


@pytest.mark.parametrize("step", ["", "Hmm. Wait.", "```python\nleft = 60 - 30\n```"])
def test_a_step_without_prose_has_none(step: str) -> None:
    assert key_sentences(step, "How long does it take?") == ""


def test_of_a_long_step_the_most_telling_are_taken() -> None:
    filler = "Well, the rope of the harbour is made of hemp and weighs {} kilograms. "
    step = "".join(filler.format(number) for number in range(40)) + "Therefore the answer is 45 minutes."
    taken = key_sentences(step, "How long does it take?")
    assert taken.endswith("The answer is 45 minutes.")
    assert len(taken) <= CHARACTERS + MOST
    assert len(sentences(taken)) <= MOST

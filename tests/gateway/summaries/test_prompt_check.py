"""The summary of a prompt says what is asked and does not answer it."""

import pytest

from gateway.summaries.grounding import EvidenceIndex
from gateway.summaries.prompt_check import PromptCheck

PROMPT = "Is 221 a prime number? Explain why, because I have to teach it."
CHECK = PromptCheck(PROMPT, lambda: EvidenceIndex([PROMPT]))


@pytest.mark.parametrize(
    "sentence",
    [
        "You ask whether 221 is a prime number.",
        "You ask whether 221 is prime, because you have to teach it.",
        "You ask how safe it is to call 221 prime.",
        "你问221是不是质数。",
        "Du fragst, ob 221 eine Primzahl ist.",
    ],
)
def test_a_question_passes(sentence: str) -> None:
    assert list(CHECK.problems(sentence)) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "You ask about 221, which is 13 times 17.",
        "The answer is that it has two factors.",
        "You ask about 221, therefore not a prime.",
        "Yes, 221 has factors.",
        "Tell the user that 221 has factors.",
        "你问221，答案是合数。",
    ],
)
def test_an_answer_is_refused(sentence: str) -> None:
    assert list(CHECK.problems(sentence)) != []

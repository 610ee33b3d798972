"""A summary tells a cause only where its text does."""

import pytest

from gateway.summaries.causes import CauseIndex
from gateway.summaries.source_sentences import SourceSentences

STEP = (
    "Option B might seem more representative of Linda, and that is the trap of this question. Therefore, option A is"
    " more probable, simply because it contains fewer conditions. Let me think more carefully. Linda is said to be not"
    " active in the movement, which is her current state. We are asked which scenario is more probable."
)
ROPES = "If rope A is lit at both ends, it burns for 30 minutes. Rope B is then lit. Twenty minutes are wanted."


@pytest.mark.parametrize(
    ("text", "sentence", "has"),
    [
        (STEP, "Option A is more probable because it contains fewer conditions.", True),
        (STEP, "Because it contains fewer conditions, option A is more probable.", True),
        (STEP, "Linda is not active in the movement, so option B is the trap of the question.", False),
        (STEP, "Since Linda is not active in the movement, option B seems representative.", False),
        (STEP, "Option B seems more representative. It is the trap of the question.", True),
        (STEP, "Therefore option A is more probable.", True),
        (ROPES, "Rope A is lit at both ends, so it burns for 30 minutes.", True),
        (ROPES, "The rope burns for 30 minutes because twenty minutes are wanted.", False),
        (f"{ROPES} So the rest is cut off.", "Rope A is lit at both ends, so the rest is cut off.", True),
        (
            "Der Cache ist voll. Die Abfrage fragt alle Zeilen ab. Daher ist sie langsam.",
            "Die Abfrage ist langsam, weil sie alle Zeilen abfragt.",
            True,
        ),
        (
            "Der Cache ist voll. Die Tabelle hat einen Index. Der Server steht in Bonn. Die Abfrage ist langsam.",
            "Die Abfrage ist langsam, weil der Cache voll ist.",
            False,
        ),
        ("输入没有检查。日志写入文件。路径由用户给出。", "因为输入没有检查，所以路径由用户给出。", False),
        ("输入没有检查，因此路径由用户给出。", "因为输入没有检查，所以路径由用户给出。", True),
        (
            "The car is red. It has four wheels. It stands outside.",
            "The red car has four wheels and stands outside.",
            True,
        ),
        ("It is so large. It is heavy. It is blue.", "It is so large and blue.", True),
        ("", "It is slow because it is full.", False),
        ("", "It is slow.", True),
    ],
)
def test_a_cause_must_be_one_of_the_text(text: str, sentence: str, has: bool) -> None:
    assert CauseIndex(SourceSentences(text)).has(sentence) == has

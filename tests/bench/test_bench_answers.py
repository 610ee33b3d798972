"""The instruments of the answers' benchmark: which answers are right, what leaks, and the prompts that are asked."""

import re
from typing import Any

import pytest

from bench.answer_check import Prompt, faults, leaks, prompts
from bench.answer_tasks import KINDS, Task, right
from engine.harness.prompts import ANSWER, THINK


def task(answer: str) -> Task:
    return Task(id="kind-0", kind="kind", question="?", answer=answer)


def prompt(question: str = "How far is it?", **fields: Any) -> Prompt:
    return Prompt(id="far", kind="question", messages=[{"role": "user", "content": question}], **fields)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("24", "2400 o = 57600, so o = 24."),
        ("1204.5", "It costs **$1,204.50**"),
        ("-7", "x = \u22127"),
        ("12", "\\boxed{12} is it, since 3 * 4 holds."),
        ("Yes", "No cat is a dog. Yes"),
        ("mother-in-law", "She is his mother-in-law, the mother of his wife: his mother-in-law."),
        ("Monday", "From Sunday on it is a day: MONDAY."),
    ],
)
def test_an_answer_is_right_if_its_last_candidate_is(answer: str, text: str) -> None:
    assert right(task(answer), text)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("24", "It is 24, not 25."),
        ("24", "24.5"),
        ("24", "A24"),
        ("Yes", "No"),
        ("mother", "mother-in-law"),
        ("24", ""),
    ],
)
def test_any_other_answer_is_wrong(answer: str, text: str) -> None:
    assert not right(task(answer), text)


def test_every_part_of_the_instructions_is_a_leak() -> None:
    for instruction in (THINK, *ANSWER.split("{notes}")):
        words = instruction.split()
        for at in range(0, len(words) - 5, 5):
            assert leaks(" ".join(words[at : at + 6]), prompt())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<think>\nIt is far.", ["<think"]),
        ("As my notes say, it is far.", ["my notes"]),
        ("根据笔记，很远。", ["笔记"]),
        ("It is ten kilometres.", []),
    ],
)
def test_markers_and_notes_are_leaks(text: str, found: list[str]) -> None:
    assert leaks(text, prompt()) == found


def test_the_words_of_the_prompt_are_no_leak() -> None:
    assert leaks("Here are your notes.", prompt("Where are my notes, or your notes?")) == []


def test_faults_of_an_answer() -> None:
    assert faults("Es sind genau zehn Kilometer bis dorthin.", prompt(language="en", needs="10|ten")) == [
        "language",
        "needs",
    ]
    assert faults(" ", prompt(needs="10")) == ["empty", "needs"]
    assert faults("It is TEN kilometres from here to there.", prompt(language="en", needs="ten")) == []


def test_the_prompts_are_of_all_kinds() -> None:
    asked = list(prompts())
    assert len({each.id for each in asked}) == len(asked) >= 60
    assert sum(each.open for each in asked) == 24
    assert len({each.language for each in asked} - {"", "en"}) >= 8
    assert {each.kind for each in asked} >= {"order", "rewrite", "translation", "talk", "code", "sql", "tools"}
    for each in asked:
        re.compile(each.needs)
        assert each.messages[-1]["role"] in ("user", "tool")
        assert each.question


def test_the_tasks_are_ninety() -> None:
    assert sum(KINDS.values()) == 90

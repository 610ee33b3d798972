"""Prompts for summaries."""

from dataclasses import replace
from typing import Any, Literal

import pytest

from gateway.summaries.prompts import part_request, prompt_request
from gateway.summaries.protocol import PartTask
from gateway.upstream import Message, UpstreamRequest

STEP = "Six times seven, that is it. So 42."


def test_what_is_asked_for_a_prompt_summary() -> None:
    messages = [Message(role="system", content="S"), Message(role="user", content="What is 6 x 7?\nTell me.")]
    assert prompt_request("rsn-1-prompt", messages) == UpstreamRequest(
        id="rsn-1-prompt",
        messages=(
            Message(
                role="system",
                content="Rewrite the request as one short sentence in English that starts with 'You ask'. Do not"
                " answer it. Name code and documents, do not copy them.",
            ),
            Message(role="user", content="What is 6 x 7?\nTell me."),
        ),
        max_tokens=60,
        temperature=0.0,
        top_p=None,
        seed=0,
        stop=("\n",),
        budget=0,
        prefill="You ask",
    )


def test_the_conversation_is_shown_in_short_and_code_is_named() -> None:
    code = "Fix this:\n```python\na = 1\nb = 2\n```\nPlease."
    turns = ["What is a?", f"{'word ' * 100}", code]
    roles: list[Literal["user", "assistant"]] = ["user", "assistant", "user"]
    messages = [Message(role=role, content=turn) for role, turn in zip(roles, turns, strict=True)]
    shown_turn = prompt_request("x", messages).messages[-1].content
    assert shown_turn == "\n".join(
        [
            "Earlier:",
            "user: What is a?",
            f"assistant: {'word ' * 20}… {'word ' * 20}".rstrip(),
            "",
            "The request:",
            "Fix this:",
            "[code: python, 2 lines]",
            "Please.",
        ]
    )


@pytest.mark.parametrize(
    ("text", "name", "prefill"),
    [
        ("Wie viele Tage sind das? Und warum?", "German", "Du fragst"),
        ("一共有多少天？为什么？", "Chinese", "你问"),
        ("日本の首都はどこですか", "Japanese", ""),
        ("Поясни, чому небо блакитне. І чому ввечері червоне?", "Ukrainian", ""),
        ("x = 3", "English", "You ask"),
    ],
)
def test_a_prompt_is_summarized_in_its_language(text: str, name: str, prefill: str) -> None:
    request = prompt_request("x", [Message(role="user", content=text)])
    assert f"in {name} that" in request.messages[0].content
    assert request.prefill == prefill


def asked(step: str, *, second: bool = False, **task: Any) -> UpstreamRequest:
    task = {"request": "What is six times seven?", **task}
    return part_request("rsn-1-part-0", PartTask(step=step, **task), step, second=second)


def test_what_is_asked_for_a_step_of_reasoning() -> None:
    request = asked(STEP)
    system, *examples, last = request.messages
    assert "Write in English: a title" in system.content
    assert "one plain sentence" in system.content
    assert [turn.role for turn in examples] == ["user", "assistant"] * 2
    assert examples[1].content == "Speed of the train\n60 km in two thirds of an hour makes 90 km/h."
    assert last == Message(role="user", content=f"> {STEP}")
    assert replace(request, messages=()) == UpstreamRequest(
        id="rsn-1-part-0", messages=(), max_tokens=48, temperature=0.3, seed=0, stop=("\n\n",), budget=0
    )


def test_the_part_before_is_context_and_a_second_draft_is_colder() -> None:
    request = asked(STEP, before="Title\nText.", second=True)
    assert [turn.content for turn in request.messages[-3:]] == ["> …", "Title\nText.", f"> {STEP}"]
    assert request.temperature == 0.0


def test_a_summary_is_in_the_language_of_the_prompt_and_in_proportion_to_the_step() -> None:
    request = asked(STEP * 60, request="Wie viele Tage sind das?")
    assert "Write in German" in request.messages[0].content
    assert "one or two plain sentences" in request.messages[0].content
    assert request.messages[2].content.startswith("Geschwindigkeit des Zuges\n")
    assert request.max_tokens == 96
    assert asked(STEP * 37).max_tokens == len(STEP * 37) // 20


@pytest.mark.parametrize(
    ("language", "name", "example"),
    [
        ("auto", "Ukrainian", "Speed of the train\n"),
        ("pl", "Polish", "Speed of the train\n"),
        ("pt-BR", "Brazilian Portuguese", "Speed of the train\n"),
        ("zh-Hant", "Traditional Chinese", "Speed of the train\n"),
        ("zh-CN", "Simplified Chinese", "火车的速度\n"),
        ("de-AT", "Austrian German", "Geschwindigkeit des Zuges\n"),
    ],
)
def test_a_language_is_asked_for_by_name_whether_or_not_there_are_examples_in_it(
    language: str, name: str, example: str
) -> None:
    asks = "Поясни, чому небо блакитне."
    system, *turns = asked(STEP, request=asks, language=language, before="Title\nText.").messages
    assert f"Write in {name}: a title" in system.content
    assert turns[1].content.startswith(example)
    foreign = example.startswith("Speed")
    pieces = [turn.content for turn in turns if turn.role == "user"]
    assert [piece.endswith("\n\nWrite in English.") for piece in pieces] == [foreign, foreign, False, False]
    assert [piece.endswith(f"\n\nWrite in {name}.") for piece in pieces] == [False, False, foreign, foreign]
    assert f"in {name} that" in prompt_request("x", [Message(role="user", content=asks)], language).messages[0].content


def test_a_request_that_is_too_short_to_tell_its_language_has_that_of_the_one_before() -> None:
    assert (
        "Write in Polish"
        in asked(STEP, request="ok", earlier=("Wyjaśnij, dlaczego niebo jest niebieskie.",)).messages[0].content
    )
    turns = [Message(role="user", content=text) for text in ("Wyjaśnij, dlaczego niebo jest niebieskie.", "ok")]
    assert "in Polish that" in prompt_request("x", turns).messages[0].content


def test_a_request_whose_language_cannot_be_told_is_summarized_in_english_whatever_the_step_is_in() -> None:
    assert (
        "Write in English"
        in asked("Wie viele Tage haben drei Wochen? Es sind 21.", request="Fix bug").messages[0].content
    )

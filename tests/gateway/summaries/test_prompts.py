"""Prompts for summaries."""

from dataclasses import replace
from typing import Any, Literal

import pytest

from gateway.summaries.prompts import first_part_request, part_request, prompt_request
from gateway.summaries.protocol import PartTask
from gateway.summaries.wordings import examples_for
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


def asked(step: str, *, draft: int = 0, **task: Any) -> UpstreamRequest:
    task = {"request": "What is six times seven?", **task}
    return part_request("rsn-1-part-0", PartTask(step=step, **task), step, draft, warm=draft > 1)


def form(language: str, length: str = "one plain sentence") -> str:
    return f"\n\nIn {language}, on one line: **title**, then {length} on what this piece finds out."


def test_what_is_asked_for_a_step_of_reasoning() -> None:
    request = asked(STEP)
    system, *examples, last = request.messages
    assert "a title of two to six words" in system.content
    assert [turn.role for turn in examples] == ["user", "assistant"] * 3
    assert all(turn.content.endswith(form("English")) for turn in examples[::2])
    assert examples[1].content == "**Too late for the film** Bus and walk take 100 minutes, five more than there are."
    assert last == Message(role="user", content=f"<piece>\n{STEP}\n</piece>{form('English')}")
    assert replace(request, messages=()) == UpstreamRequest(
        id="rsn-1-part-0", messages=(), max_tokens=48, temperature=0.0, seed=0, stop=("\n",), budget=0, prefill="**"
    )


def test_the_part_before_is_context_and_warm_drafts_have_a_temperature() -> None:
    request = asked(STEP, before="Title\nText.", draft=2)
    assert [turn.content for turn in request.messages[-3:]] == [
        f"<piece>\n…\n</piece>{form('English')}",
        "**Title** Text.",
        f"<piece>\n{STEP}\n</piece>{form('English')}",
    ]
    assert (request.id, request.temperature, request.seed) == ("rsn-1-part-0-again-2", 0.7, 2)


@pytest.mark.parametrize("language", ["auto", "en", "ja", "sw"])
def test_the_first_part_of_a_trace_begins_as_the_request_for_it_that_is_known_before(language: str) -> None:
    known, real = first_part_request(language), asked("x = 2, so it is even.", language=language, request="Is 2 even?")
    assert known.messages[:-1] == real.messages[:-1]
    assert real.messages[-1].content.startswith("<piece>\nx") and known.messages[-1].content.startswith("<piece>\n")
    assert (known.prefill, known.budget) == (real.prefill, real.budget)


def test_the_marks_of_a_piece_cannot_be_closed_from_inside() -> None:
    assert asked("It is </piece> 42.").messages[-1].content == f"<piece>\nIt is  42.\n</piece>{form('English')}"


def test_a_summary_is_in_the_language_of_the_prompt_and_in_proportion_to_the_step() -> None:
    request = asked(STEP * 60, request="Wie viele Tage sind das?")
    assert request.messages[-1].content.endswith(form("German", "one or two plain sentences"))
    assert request.messages[2].content.startswith("**Zu spät für den Film** ")
    assert request.max_tokens == 96
    assert asked(STEP * 37).max_tokens == len(STEP * 37) // 20


@pytest.mark.parametrize(
    ("language", "name", "example"),
    [
        ("zh-CN", "Simplified Chinese", "**赶不上电影** "),
        ("de-AT", "Austrian German", "**Zu spät für den Film** "),
        ("pt-BR", "Brazilian Portuguese", "**Tarde para o filme** "),
    ],
)
def test_the_examples_are_in_the_language_of_the_summary(language: str, name: str, example: str) -> None:
    _, *turns = asked(STEP, request="Поясни, чому небо блакитне.", language=language).messages
    assert turns[1].content.startswith(example)
    assert [turn.content.endswith(form(name)) for turn in turns if turn.role == "user"] == [True] * 4


@pytest.mark.parametrize(
    ("language", "name"), [("uk", "Ukrainian"), ("pl", "Polish"), ("zh-Hant", "Traditional Chinese")]
)
def test_a_language_without_examples_has_those_of_several_others_each_asked_for_by_name(
    language: str, name: str
) -> None:
    _, *turns = asked(STEP, request="Поясни, чому небо блакитне.", language=language).messages
    examples = [example for _, example in examples_for(language)]
    assert [turn.content for turn in turns if turn.role == "assistant"] == examples
    asks = [turn.content.rpartition("\n\n")[2] for turn in turns if turn.role == "user"]
    assert asks == [form(other).strip() for other in ("German", "Russian", "Japanese", name)]


def test_a_request_that_is_too_short_to_tell_its_language_has_that_of_the_one_before() -> None:
    request = asked(STEP, request="ok", earlier=("Wyjaśnij, dlaczego niebo jest niebieskie.",))
    assert request.messages[-1].content.endswith(form("Polish"))
    turns = [Message(role="user", content=text) for text in ("Wyjaśnij, dlaczego niebo jest niebieskie.", "ok")]
    assert "in Polish that" in prompt_request("x", turns).messages[0].content


def test_a_request_whose_language_cannot_be_told_is_summarized_in_english_whatever_the_step_is_in() -> None:
    request = asked("Wie viele Tage haben drei Wochen? Es sind 21.", request="Fix bug")
    assert request.messages[-1].content.endswith(form("English"))

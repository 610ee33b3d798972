"""Requests that clients send in the background are told from those that people send.

`side_tasks.json` holds requests for titles, by the client that asks in these words.
"""

import json
from pathlib import Path

import pytest

from gateway.summaries.side_tasks import SYSTEM_TURNS, is_side_task
from gateway.upstream import Message, Tool, UpstreamRequest

TASKS: dict[str, str] = json.loads(Path(__file__).with_name("side_tasks.json").read_text("utf-8"))
PEOPLE = [
    "Why is the sky blue?",
    "Write a script that generates a title for each chat session and stores it in the database.",
    "Implement a function to generate a title for a conversation from its first message, with tests.",
    "Create a React component that shows the title of the conversation and a button.",
    "Generate a title for my blog post about gardening.",
    "Suggest ten titles for a novel about the sea.",
    "What is the title of the book that you named before?",
    "Fix the page title. The chat widget overlaps it.",
    "Our conversation was helpful. What is the title of your favourite film?",
    "Give me a summary of this conversation.",
    "写一首关于标题的诗",
]


def request(*turns: tuple[str, str], **fields: object) -> UpstreamRequest:
    messages = tuple(Message(role=role, content=text) for role, text in turns)  # type: ignore[arg-type]
    return UpstreamRequest(id="x", messages=messages, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("role", ["user", "system"])
def test_a_title_is_a_side_task_whichever_turn_asks_for_it(name: str, role: str) -> None:
    turns = [(role, TASKS[name])] if role == "user" else [(role, TASKS[name]), ("user", "Why is the sky blue?")]
    assert is_side_task(request(*turns))
    assert is_side_task(request(("user", "Why is the sky blue?"), ("assistant", "Because."), *turns))


def test_opencode_asks_in_both() -> None:
    system = (
        "You are a title generator. You output ONLY a thread title. Nothing else.\n\n<task>\nGenerate a brief title"
    )
    asks = [("system", system), ("user", "Generate a title for this conversation:\n"), ("user", '"Fix the login test"')]
    assert is_side_task(request(*asks))
    assert is_side_task(request(*asks[1:2]))


def test_a_title_asked_for_behind_a_long_conversation_is_one() -> None:
    assert is_side_task(request(("user", f"{'User: Why? ' * 400}\n\n{TASKS['LibreChat'].partition('Only')[0]}")))


@pytest.mark.parametrize("text", PEOPLE)
def test_what_people_ask_is_none(text: str) -> None:
    assert not is_side_task(request(("user", text)))


def test_an_agent_that_has_tools_asks_for_more_than_a_title() -> None:
    tools = (Tool(name="read"),)
    assert not is_side_task(request(("user", TASKS["Codex"]), tools=tools))


def test_a_system_prompt_that_names_titles_somewhere_is_none() -> None:
    system = (
        f"You are a coding agent. {'Be careful with files. ' * 60} Generate a title for the conversation when asked."
    )
    assert not is_side_task(request(("system", system), ("user", "Why is the sky blue?")))


def test_only_the_first_system_turns_are_looked_at() -> None:
    many = [("system", "Be brief.")] * SYSTEM_TURNS
    asks = ("system", "Generate a title for this conversation:")
    told = [is_side_task(request(*turns, ("user", "Why?"))) for turns in ([*many[1:], asks], [*many, asks])]
    assert told == [True, False]


@pytest.mark.parametrize(("tokens", "tiny"), [(None, False), (1, True), (63, True), (64, False), (4096, False)])
def test_an_answer_of_a_few_tokens_is_tiny(tokens: int | None, tiny: bool) -> None:
    assert is_side_task(request(("user", "Why is the sky blue?"), max_tokens=tokens)) is tiny

"""The prompts that models are given: taught ones by messages behind the conversation, the others by their templates."""

from typing import Any

import pytest

from engine.harness import Finished, Text, ThinkingEnded
from engine.harness.opening import opening_of
from engine.harness.prompts import ANSWER, CLOSING, END, OPENED, START, THINK, TaughtPrompts
from tests.fakes.harness_stage import (
    CONTENT,
    OPENED_TEMPLATE,
    SWITCHED_TEMPLATE,
    TURNS,
    request,
    stage,
    with_template,
)
from tests.fakes.tiny_model import CHATML, END_OF_TURN

HISTORY = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "How many days are there in three weeks?"},
    {"role": "assistant", "content": "21"},
    {"role": "user", "content": "And in four?"},
]
HISTORY_TURNS = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in HISTORY)
MODELS_TURN = "<|im_start|>assistant\n"
OPENING = 'Let\'s see: "And in four?"\n'


def test_the_conversation_is_kept_as_it_was_and_the_instructions_are_behind_it(tokenizer: Any) -> None:
    prompts, asked = TaughtPrompts(tokenizer), request(messages=HISTORY, prefill="It")
    thinking = prompts.thinking(asked)
    answering = prompts.answering(asked, f"{OPENED}{OPENING}Four times seven.\n")
    kept = HISTORY_TURNS.removesuffix("<|im_end|>\n")
    assert (thinking.prompt, thinking.beginning) == (
        f"{kept}\n\n{THINK}<|im_end|>\n{MODELS_TURN}",
        OPENED + OPENING,
    )
    assert (answering.prompt, answering.beginning) == (
        f"{kept}\n\n{ANSWER.format(notes=f'{OPENING}Four times seven.')}<|im_end|>\n{MODELS_TURN}",
        "It",
    )


def test_behind_another_message_the_instructions_are_one_of_the_user(tokenizer: Any) -> None:
    messages = [*HISTORY, {"role": "tool", "content": "28"}]
    thinking = TaughtPrompts(tokenizer).thinking(request(messages=messages))
    assert thinking.prompt == (
        f"{HISTORY_TURNS}<|im_start|>tool\n28<|im_end|>\n<|im_start|>user\n{THINK}<|im_end|>\n{MODELS_TURN}"
    )
    assert thinking.beginning == OPENED + OPENING


@pytest.mark.parametrize("thought", ["", OPENED, f"{OPENED}{OPENING} \n"])
def test_without_notes_the_answer_is_asked_for_plainly(tokenizer: Any, thought: str) -> None:
    answering = TaughtPrompts(tokenizer).answering(request(messages=HISTORY), thought)
    assert (answering.prompt, answering.beginning) == (f"{HISTORY_TURNS}{MODELS_TURN}", "")


TOOL = {"type": "function", "function": {"name": "weather"}}
WITH_TOOLS = "{% for tool in tools or [] %}[{{ tool.function.name }}]{% endfor %}" + CHATML
"""A template that shows the names of tools."""


@pytest.mark.parametrize(("tools", "shown"), [((), ""), ((TOOL,), "[weather]")])
async def test_tools_are_shown_as_the_template_shows_them(tokenizer: Any, tools: Any, shown: str) -> None:
    prompts = TaughtPrompts(with_template(tokenizer.backend_tokenizer, WITH_TOOLS))
    assert prompts.answering(request(tools=tools), "").prompt == shown + TURNS


async def test_a_call_in_the_thinking_ends_it_and_is_left_to_the_answer(tokenizer: Any) -> None:
    call = '<tool_call>\n{"name": "weather"}\n</tool_call>'
    on = stage(tokenizer, ["It depends.\n", call, " never read"], [call, END_OF_TURN])
    got = await on.stream(tools=[TOOL])
    spent = on.size("It depends.\n", call)
    assert [item.text for item in got if isinstance(item, Text)] == [
        f"{OPENED}{opening_of(CONTENT)}It depends.\n",
        CLOSING,
        call,
    ]
    assert got[2] == ThinkingEnded(tokens=spent, ended_by="marker")
    without_tools = stage(tokenizer, [call, END], [END_OF_TURN])
    assert (await without_tools.stream())[0] == Text(f"{OPENED}{opening_of(CONTENT)}{call}")


@pytest.mark.parametrize("template", [OPENED_TEMPLATE, SWITCHED_TEMPLATE], ids=["opened", "switched"])
async def test_a_model_that_thinks_by_itself_is_not_taught_to(tokenizer: Any, template: str) -> None:
    native = with_template(tokenizer.backend_tokenizer, template)
    on = stage(native, ["Three times seven.", f"\n{END}"], ["21", END_OF_TURN])
    spent = on.size("Three times seven.", f"\n{END}")
    assert await on.stream() == [
        Text(f"{START}\nThree times seven."),
        Text("\n"),
        Text(CLOSING),
        ThinkingEnded(tokens=spent, ended_by="marker"),
        Text("21"),
        Finished(finish_reason="stop", tokens=spent + on.size("21", END_OF_TURN), thinking_tokens=spent),
    ]
    assert on.prompts == [f"{TURNS}{START}\n", f"{TURNS}{START}\nThree times seven.{CLOSING}"]


@pytest.mark.parametrize("template", [OPENED_TEMPLATE, SWITCHED_TEMPLATE], ids=["opened", "switched"])
async def test_a_model_that_thinks_by_itself_is_kept_from_it_at_a_budget_of_0(tokenizer: Any, template: str) -> None:
    on = stage(with_template(tokenizer.backend_tokenizer, template), ["21", END_OF_TURN])
    got = await on.stream(budget=0)
    assert got == [Text("21"), Finished(finish_reason="stop", tokens=on.size("21", END_OF_TURN), thinking_tokens=0)]
    (prompt,) = on.prompts
    assert "".join(prompt.removeprefix(TURNS).split()) == START + END
    assert prompt.endswith(f"{END}\n\n")

"""The harness against a scripted engine: whole lists of items, and each prompt that the model is given."""

from contextlib import aclosing
from typing import Any

import pytest

from engine.harness import Finished, Text, ThinkingEnded
from engine.harness.prompts import ANSWER, CLOSING, END, THINK
from engine.harness.prompts import OPENED as MARKER
from gateway.errors import ContextTooLong
from tests.fakes.harness_stage import CONTENT, TURNS, request, stage
from tests.fakes.scripted_engine import encode
from tests.fakes.tiny_model import END_OF_TEXT, END_OF_TURN


def behind(text: str) -> str:
    """Return the conversation with `text` behind the question, up to where the model's own text begins."""
    return f"<|im_start|>user\n{CONTENT}\n\n{text}<|im_end|>\n<|im_start|>assistant\n"


OPENING = f'Let\'s see: "{CONTENT}"\n'
OPENED = f"{MARKER}{OPENING}"
THINKS = f"{behind(THINK)}{OPENED}"
"""The prompt of a model that is taught to think."""


def answers(thought: str) -> str:
    """Return the prompt of its answer."""
    return behind(ANSWER.format(notes=f"{OPENING}{thought}".strip()))


async def test_the_models_own_marker_ends_its_thinking_however_it_is_cut(tokenizer: Any) -> None:
    thinking = [" about weeks.", " Three times", " seven.<", "/th", "ink", "> dropped", " never read"]
    on = stage(tokenizer, thinking, ["It is ", "21", END_OF_TURN])
    spent = on.size(*thinking[:-1])
    assert await on.stream() == [
        Text(f"{OPENED} about weeks."),
        Text(" Three times"),
        Text(" seven."),
        Text(CLOSING),
        ThinkingEnded(tokens=spent, ended_by="marker"),
        Text("It is "),
        Text("21"),
        Finished(finish_reason="stop", tokens=spent + on.size("It is ", "21", END_OF_TURN), thinking_tokens=spent),
    ]
    assert on.prompts == [THINKS, answers(" about weeks. Three times seven.")]
    assert on.limits == [100, 200 - spent]
    assert " never read" not in on.engine.played


@pytest.mark.parametrize(("budget", "scripts"), [(0, [["21"]]), (100, [[" Hm.</think>"], ["21"]])])
async def test_the_end_tells_the_cached_tokens_of_the_prompt(
    tokenizer: Any, budget: int, scripts: list[list[str]]
) -> None:
    *_, end = await stage(tokenizer, *scripts, cached=7).stream(budget=budget)
    assert isinstance(end, Finished)
    assert end.cached_tokens == 7


async def test_a_marker_that_a_text_only_resembles_is_part_of_the_thinking(tokenizer: Any) -> None:
    thinking = [" a </thin", "g> and </", "b> then </think", ">"]
    on = stage(tokenizer, thinking, [END_OF_TURN])
    assert (await on.stream())[:4] == [
        Text(f"{OPENED} a "),
        Text("</thing> and "),
        Text("</b> then "),
        Text(CLOSING),
    ]


@pytest.mark.parametrize("end", [END_OF_TURN, END_OF_TEXT])
async def test_an_end_token_ends_the_thinking_and_the_model_still_answers(tokenizer: Any, end: str) -> None:
    on = stage(tokenizer, [" about weeks. \n", end], ["21", end])
    spent = on.size(" about weeks. \n", end)
    assert await on.stream() == [
        Text(f"{OPENED} about weeks. \n"),
        Text(CLOSING),
        ThinkingEnded(tokens=spent, ended_by="marker"),
        Text("21"),
        Finished(finish_reason="stop", tokens=spent + on.size("21", end), thinking_tokens=spent),
    ]
    assert on.prompts[1] == answers(" about weeks.")


@pytest.mark.parametrize("end", [END, END_OF_TURN])
async def test_thinking_that_ends_at_once_is_still_opened_and_closed(tokenizer: Any, end: str) -> None:
    on = stage(tokenizer, [end], ["21", END_OF_TURN])
    spent = on.size(end)
    assert await on.stream() == [
        Text(OPENED),
        Text(CLOSING),
        ThinkingEnded(tokens=spent, ended_by="marker"),
        Text("21"),
        Finished(finish_reason="stop", tokens=spent + on.size("21", END_OF_TURN), thinking_tokens=spent),
    ]
    assert on.prompts == [THINKS, TURNS]


async def test_the_budget_closes_the_block_and_the_thinking_is_the_notes_of_the_answer(tokenizer: Any) -> None:
    thinking = [" about weeks.", " Three times seven", " and on"]
    on = stage(tokenizer, thinking, ["It is 21.", END_OF_TURN])
    budget = on.size(*thinking[:2])
    assert await on.stream(budget=budget) == [
        Text(f"{OPENED} about weeks."),
        Text(" Three times seven"),
        Text(CLOSING),
        ThinkingEnded(tokens=budget, ended_by="budget"),
        Text("It is 21."),
        Finished(finish_reason="stop", tokens=budget + on.size("It is 21.", END_OF_TURN), thinking_tokens=budget),
    ]
    assert on.prompts[1] == answers(" about weeks. Three times seven")
    assert on.limits == [budget, 200 - budget]


async def test_half_a_marker_at_the_budget_is_text(tokenizer: Any) -> None:
    on = stage(tokenizer, [" weeks </th"], ["21", END_OF_TURN])
    budget = on.size(" weeks </th")
    assert (await on.stream(budget=budget))[:4] == [
        Text(f"{OPENED} weeks "),
        Text("</th"),
        Text(CLOSING),
        ThinkingEnded(tokens=budget, ended_by="budget"),
    ]
    assert on.prompts[1] == answers(" weeks </th")


@pytest.mark.parametrize("budget", [13, 1000])
async def test_thinking_that_uses_up_all_tokens_is_truncated_and_never_closed(tokenizer: Any, budget: int) -> None:
    on = stage(tokenizer, [" weeks" * 13])
    assert on.size(" weeks" * 13) >= 13
    got = await on.stream(budget=budget, max_tokens=13)
    assert got[1:] == [
        ThinkingEnded(tokens=13, ended_by="truncated"),
        Finished(finish_reason="length", tokens=13, thinking_tokens=13),
    ]
    assert isinstance(got[0], Text)
    assert got[0].text.startswith(f"{OPENED} weeks")
    assert on.limits == [13]


async def test_a_marker_in_the_last_token_closes_the_block_and_leaves_no_answer(tokenizer: Any) -> None:
    on = stage(tokenizer, [f" weeks{END}"])
    spent = on.size(f" weeks{END}")
    assert await on.stream(max_tokens=spent) == [
        Text(f"{OPENED} weeks"),
        Text(CLOSING),
        ThinkingEnded(tokens=spent, ended_by="marker"),
        Finished(finish_reason="length", tokens=spent, thinking_tokens=spent),
    ]


async def test_an_answer_cut_at_max_tokens_ends_by_length(tokenizer: Any) -> None:
    on = stage(tokenizer, [END], ["It", " is", " 21"])
    spent = on.size(END)
    total = spent + on.size("It", " is")
    assert (await on.stream(max_tokens=total))[3:] == [
        Text("It"),
        Text(" is"),
        Finished(finish_reason="length", tokens=total, thinking_tokens=spent),
    ]


async def test_without_thinking_the_prefill_leads_and_a_stop_string_ends(tokenizer: Any) -> None:
    answer = [" how many", " days.", "\n", "\nAnd more", " never read"]
    on = stage(tokenizer, answer)
    assert await on.stream(budget=0, prefill="You ask", stop=["\n\n"]) == [
        Text("You ask how many"),
        Text(" days."),
        Finished(finish_reason="stop", tokens=on.size(*answer[:-1]), thinking_tokens=0),
    ]
    assert on.engine.calls[0].prompt == f"{TURNS}You ask"
    assert on.limits == [200]
    assert " never read" not in on.engine.played


async def test_a_prefill_that_nothing_follows_is_the_answer(tokenizer: Any) -> None:
    on = stage(tokenizer, [END_OF_TURN])
    assert await on.stream(budget=0, prefill="You ask") == [
        Text("You ask"),
        Finished(finish_reason="stop", tokens=1, thinking_tokens=0),
    ]


async def test_half_a_stop_string_at_the_end_is_text(tokenizer: Any) -> None:
    on = stage(tokenizer, ["21\n", END_OF_TURN])
    assert (await on.stream(budget=0, stop=["\n\n"]))[:2] == [Text("21"), Text("\n")]


async def test_stop_strings_are_for_the_answer_and_not_for_the_thinking(tokenizer: Any) -> None:
    thinking = [" about weeks.", " STOP", f" seven.{END}"]
    on = stage(tokenizer, thinking, ["21", " STOP", " never read"])
    spent = on.size(*thinking)
    assert await on.stream(stop=["STOP"]) == [
        Text(f"{OPENED} about weeks."),
        Text(" STOP"),
        Text(" seven."),
        Text(CLOSING),
        ThinkingEnded(tokens=spent, ended_by="marker"),
        Text("21"),
        Text(" "),
        Finished(finish_reason="stop", tokens=spent + on.size("21", " STOP"), thinking_tokens=spent),
    ]


async def test_an_end_marker_in_the_answer_is_text(tokenizer: Any) -> None:
    on = stage(tokenizer, [END], [f"Close it with {END}.", END_OF_TURN])
    assert (await on.stream())[3] == Text(f"Close it with {END}.")


@pytest.mark.parametrize("fields", [{}, {"budget": 0}])
async def test_a_reader_that_leaves_closes_the_request(tokenizer: Any, fields: dict[str, Any]) -> None:
    on = stage(tokenizer, [" one", " two", " three"])
    async with aclosing(on.harness.stream(request(**fields))) as pieces:
        await anext(pieces)
        assert on.engine.open == 1
    assert (on.engine.open, on.engine.played) == (0, [" one"])


async def test_a_prefill_begins_the_answer_behind_the_thinking_too(tokenizer: Any) -> None:
    on = stage(tokenizer, [" So.", END_OF_TURN], ["weather", END_OF_TURN])
    pieces = await on.stream(prefill='{"name": "')
    assert pieces[-2] == Text('{"name": "weather')
    assert on.prompts[1] == answers(" So.") + '{"name": "'


def test_a_prompt_that_leaves_no_room_names_both_lengths(tokenizer: Any) -> None:
    length = len(encode(tokenizer, THINKS))
    assert stage(tokenizer, context_tokens=length + 1).harness.count(request()) == length
    with pytest.raises(ContextTooLong) as refused:
        stage(tokenizer, context_tokens=length).harness.count(request())
    assert (refused.value.param, refused.value.message) == (
        "messages",
        f"the prompt has {length} tokens and the context window {length}; shorten the conversation",
    )


async def test_the_engine_is_asked_for_no_more_tokens_than_fit_into_the_context(tokenizer: Any) -> None:
    length = len(encode(tokenizer, TURNS))
    on = stage(tokenizer, ["21", END_OF_TURN], context_tokens=length + 7)
    await on.stream(budget=0)
    assert on.limits == [7]


async def test_thinking_leaves_half_of_the_context_to_the_answer(tokenizer: Any) -> None:
    length = len(encode(tokenizer, THINKS))
    on = stage(tokenizer, ["a a a a a a a a"], ["21", END_OF_TURN], context_tokens=length + 9)
    assert (await on.stream())[1:3] == [Text(CLOSING), ThinkingEnded(tokens=5, ended_by="budget")]
    assert on.limits[0] == 5


async def test_thinking_that_goes_round_in_circles_is_ended_as_by_the_budget(tokenizer: Any) -> None:
    round = " I should check that again."
    on = stage(tokenizer, [" It is 21.", *[round] * 50], ["21", END_OF_TURN], context_tokens=4096)
    got = await on.stream(budget=2000, max_tokens=3000)
    rounds = on.engine.played.count(round)
    spent = on.size(" It is 21.", *[round] * rounds)
    assert got[-4:] == [
        Text(CLOSING),
        ThinkingEnded(tokens=spent, ended_by="budget"),
        Text("21"),
        Finished(finish_reason="stop", tokens=spent + on.size("21", END_OF_TURN), thinking_tokens=spent),
    ]
    assert 5 <= rounds <= 8
    assert on.prompts[1] == answers(f" It is 21.{round}")


async def test_an_answer_may_repeat_itself(tokenizer: Any) -> None:
    line = "I will not talk in class.\n"
    on = stage(tokenizer, [*[line] * 30, END_OF_TURN])
    await on.stream(budget=0, max_tokens=2000)
    assert on.engine.played == [*[line] * 30, END_OF_TURN]

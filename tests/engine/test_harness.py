"""The harness against a scripted engine: whole lists of pieces, and each prompt that the model is given."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, PreTrainedTokenizerFast

from engine.harness import (
    CLOSING,
    END,
    EXAMPLE,
    OPENING,
    START,
    SYSTEM,
    Finished,
    GenerationRequest,
    Harness,
    Text,
    ThinkingEnded,
)
from engine.sampling import Adjustments
from gateway.errors import ContextTooLong
from tests.fakes.scripted_engine import ScriptedEngine, encode
from tests.fakes.tiny_model import CHATML, END_OF_TEXT, END_OF_TURN

QUESTION = [{"role": "user", "content": "How many days are there in three weeks?"}]
TURNS = "<|im_start|>user\nHow many days are there in three weeks?<|im_end|>\n<|im_start|>assistant\n"
EXAMPLE_TURNS = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in EXAMPLE)
SHOWN = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n{EXAMPLE_TURNS}{TURNS}"
"""The prompt of a model that is taught to think, up to where its own text begins."""


def request(**fields: Any) -> GenerationRequest:
    defaults: dict[str, Any] = {"messages": QUESTION, "max_tokens": 200, "budget": 100}
    return GenerationRequest(**defaults | fields)


@dataclass(frozen=True)
class Stage:
    """A harness on a scripted engine; `size` is the number of tokens of a script's texts."""

    engine: ScriptedEngine
    harness: Harness

    async def stream(self, **fields: Any) -> list[Text | ThinkingEnded | Finished]:
        async with aclosing(self.harness.stream(request(**fields))) as items:
            got = [item async for item in items]
        assert self.engine.open == 0
        return got

    def size(self, *texts: str) -> int:
        return sum(len(encode(self.engine.tokenizer, text)) for text in texts)

    @property
    def prompts(self) -> list[str]:
        return [call.prompt for call in self.engine.calls]

    @property
    def limits(self) -> list[int]:
        return [call.limit for call in self.engine.calls]


def stage(tokenizer: Any, *scripts: Sequence[str], **engine: Any) -> Stage:
    scripted = ScriptedEngine(tokenizer, scripts, **engine)
    return Stage(scripted, Harness(scripted, tokenizer))


def with_template(tokenizer: Tokenizer, template: str) -> Any:
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, chat_template=template
    )


async def test_the_models_own_marker_ends_its_thinking_however_it_is_cut(tokenizer: Any) -> None:
    thinking = [" about weeks.", " Three times", " seven.<", "/th", "ink", "> dropped", " never read"]
    on = stage(tokenizer, thinking, ["It is ", "21", END_OF_TURN])
    spent = on.size(*thinking[:-1])
    assert await on.stream() == [
        Text(f"{OPENING} about weeks."),
        Text(" Three times"),
        Text(" seven."),
        Text(CLOSING),
        ThinkingEnded(tokens=spent, ended_by="marker"),
        Text("It is "),
        Text("21"),
        Finished(finish_reason="stop", tokens=spent + on.size("It is ", "21", END_OF_TURN), thinking_tokens=spent),
    ]
    first = f"{SHOWN}{OPENING}"
    assert on.prompts == [first, f"{first} about weeks. Three times seven.{CLOSING}"]
    assert on.limits == [100, 200 - spent]
    assert " never read" not in on.engine.played


async def test_a_marker_that_a_text_only_resembles_is_part_of_the_thinking(tokenizer: Any) -> None:
    thinking = [" a </thin", "g> and </", "b> then </think", ">"]
    on = stage(tokenizer, thinking, [END_OF_TURN])
    assert (await on.stream())[:4] == [
        Text(f"{OPENING} a "),
        Text("</thing> and "),
        Text("</b> then "),
        Text(CLOSING),
    ]


@pytest.mark.parametrize("end", [END_OF_TURN, END_OF_TEXT])
async def test_an_end_token_ends_the_thinking_and_the_model_still_answers(tokenizer: Any, end: str) -> None:
    on = stage(tokenizer, [" about weeks. \n", end], ["21", end])
    spent = on.size(" about weeks. \n", end)
    assert await on.stream() == [
        Text(f"{OPENING} about weeks. \n"),
        Text(CLOSING),
        ThinkingEnded(tokens=spent, ended_by="marker"),
        Text("21"),
        Finished(finish_reason="stop", tokens=spent + on.size("21", end), thinking_tokens=spent),
    ]
    assert on.prompts[1] == f"{SHOWN}{OPENING} about weeks.{CLOSING}"


@pytest.mark.parametrize("end", [END, END_OF_TURN])
async def test_thinking_that_ends_at_once_is_still_opened_and_closed(tokenizer: Any, end: str) -> None:
    on = stage(tokenizer, [end], ["21", END_OF_TURN])
    spent = on.size(end)
    assert await on.stream() == [
        Text(OPENING),
        Text(CLOSING),
        ThinkingEnded(tokens=spent, ended_by="marker"),
        Text("21"),
        Finished(finish_reason="stop", tokens=spent + on.size("21", END_OF_TURN), thinking_tokens=spent),
    ]
    assert on.prompts == [f"{SHOWN}{OPENING}", f"{SHOWN}{OPENING}{CLOSING}"]


async def test_the_budget_closes_the_block_and_the_answer_goes_on_from_it(tokenizer: Any) -> None:
    thinking = [" about weeks.", " Three times seven", " and on"]
    on = stage(tokenizer, thinking, ["It is 21.", END_OF_TURN])
    budget = on.size(*thinking[:2])
    assert await on.stream(budget=budget) == [
        Text(f"{OPENING} about weeks."),
        Text(" Three times seven"),
        Text(CLOSING),
        ThinkingEnded(tokens=budget, ended_by="budget"),
        Text("It is 21."),
        Finished(finish_reason="stop", tokens=budget + on.size("It is 21.", END_OF_TURN), thinking_tokens=budget),
    ]
    assert on.prompts[1] == f"{on.prompts[0]} about weeks. Three times seven{CLOSING}"
    assert on.limits == [budget, 200 - budget]


async def test_half_a_marker_at_the_budget_is_text(tokenizer: Any) -> None:
    on = stage(tokenizer, [" weeks </th"], ["21", END_OF_TURN])
    budget = on.size(" weeks </th")
    assert (await on.stream(budget=budget))[:4] == [
        Text(f"{OPENING} weeks "),
        Text("</th"),
        Text(CLOSING),
        ThinkingEnded(tokens=budget, ended_by="budget"),
    ]
    assert on.prompts[1] == f"{SHOWN}{OPENING} weeks </th{CLOSING}"


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
    assert got[0].text.startswith(f"{OPENING} weeks")
    assert on.limits == [13]


async def test_a_marker_in_the_last_token_closes_the_block_and_leaves_no_answer(tokenizer: Any) -> None:
    on = stage(tokenizer, [f" weeks{END}"])
    spent = on.size(f" weeks{END}")
    assert await on.stream(max_tokens=spent) == [
        Text(f"{OPENING} weeks"),
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
        Text(f"{OPENING} about weeks."),
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


async def test_a_system_message_of_the_client_is_kept_behind_the_instruction(tokenizer: Any) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        *QUESTION,
        {"role": "assistant", "content": "21"},
        {"role": "user", "content": "And in four?"},
    ]
    on = stage(tokenizer)
    rest = TURNS + "21<|im_end|>\n<|im_start|>user\nAnd in four?<|im_end|>\n<|im_start|>assistant\n"
    assert on.harness.prompt(request(messages=messages)) == (
        f"<|im_start|>system\n{SYSTEM}\n\nBe brief.<|im_end|>\n{EXAMPLE_TURNS}{rest}"
    )
    assert on.harness.prompt(request(messages=messages, budget=0)) == (
        f"<|im_start|>system\nBe brief.<|im_end|>\n{rest}"
    )


TOOL = {"type": "function", "function": {"name": "weather"}}
WITH_TOOLS = "{% for tool in tools or [] %}[{{ tool.function.name }}]{% endfor %}" + CHATML
"""A template that shows the names of tools."""


@pytest.mark.parametrize(("tools", "shown"), [((), ""), ((TOOL,), "[weather]")])
async def test_tools_are_shown_as_the_template_shows_them(tokenizer: Any, tools: Any, shown: str) -> None:
    on = stage(with_template(tokenizer.backend_tokenizer, WITH_TOOLS))
    assert on.harness.prompt(request(tools=tools, budget=0)) == shown + TURNS


async def test_a_prefill_begins_the_answer_behind_the_thinking_too(tokenizer: Any) -> None:
    on = stage(tokenizer, [" So.", END_OF_TURN], ["weather", END_OF_TURN])
    pieces = await on.stream(prefill='{"name": "')
    assert pieces[-2] == Text('{"name": "weather')
    assert on.prompts[1] == f'{on.prompts[0]} So.{CLOSING}{{"name": "'


OPENED = CHATML.replace("<|im_start|>assistant\n{% endif", "<|im_start|>assistant\n<think>\n{% endif")
"""A template that begins the model's thinking itself, even at a budget of 0."""

SWITCHED = CHATML.replace(
    "<|im_start|>assistant\n{% endif",
    "<|im_start|>assistant\n{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif",
)
"""A template that closes an empty block where no thinking is wanted."""


@pytest.mark.parametrize("template", [OPENED, SWITCHED], ids=["opened", "switched"])
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


@pytest.mark.parametrize("template", [OPENED, SWITCHED], ids=["opened", "switched"])
async def test_a_model_that_thinks_by_itself_is_kept_from_it_at_a_budget_of_0(tokenizer: Any, template: str) -> None:
    on = stage(with_template(tokenizer.backend_tokenizer, template), ["21", END_OF_TURN])
    got = await on.stream(budget=0)
    assert got == [Text("21"), Finished(finish_reason="stop", tokens=on.size("21", END_OF_TURN), thinking_tokens=0)]
    (prompt,) = on.prompts
    assert "".join(prompt.removeprefix(TURNS).split()) == START + END
    assert prompt.endswith(f"{END}\n\n")


def test_a_prompt_that_leaves_no_room_names_both_lengths(tokenizer: Any) -> None:
    length = len(encode(tokenizer, f"{SHOWN}{OPENING}"))
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


async def test_thinking_that_fills_the_context_leaves_no_answer(tokenizer: Any) -> None:
    length = len(encode(tokenizer, f"{SHOWN}{OPENING}"))
    on = stage(tokenizer, ["a a a a a a a a"], context_tokens=length + 5)
    got = await on.stream()
    assert got[1:] == [
        ThinkingEnded(tokens=5, ended_by="truncated"),
        Finished(finish_reason="length", tokens=5, thinking_tokens=5),
    ]
    assert on.limits == [5]


def spelling(merges: Sequence[tuple[str, str]], *added: str) -> Any:
    """A tokenizer of single bytes and these merges."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {text: number for number, text in enumerate([*alphabet, *("".join(merge) for merge in merges)])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in added])
    tokenizer.add_special_tokens([END_OF_TURN, END_OF_TEXT])
    return with_template(tokenizer, CHATML)


@pytest.mark.parametrize(
    ("tokenizer", "banned"),
    [
        (spelling([]), {"<": "t"}),
        (spelling([("Ġ", "<")]), {"<": "t", "Ġ<": "t"}),
        (spelling([("t", "h"), ("Ġ", "<")]), {"<": "th", "Ġ<": "th"}),
        (spelling([], START), {None: START}),
    ],
    ids=["bytes", "behind a space", "merged", "one token"],
)
async def test_no_spelling_of_the_marker_can_be_begun_again(tokenizer: Any, banned: dict[str | None, str]) -> None:
    on = stage(tokenizer, [])
    await on.stream(budget=0)
    number = tokenizer.convert_tokens_to_ids
    assert on.engine.calls[0].sampling.banned == {
        None if before is None else number(before): number(token) for before, token in banned.items()
    }


SAMPLED = {"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20}


@pytest.mark.parametrize(
    ("defaults", "fields", "sampling"),
    [
        ({}, {}, (0.0, 1.0, 0)),
        ({"temperature": 0.7, "top_p": 0.8, "top_k": 20}, {}, (0.0, 1.0, 0)),
        ({"do_sample": False}, {"temperature": 0.4, "top_p": 0.5}, (0.4, 0.5, 0)),
        ({"do_sample": True}, {}, (1.0, 1.0, 0)),
        (SAMPLED, {}, (0.7, 0.8, 20)),
        (SAMPLED, {"temperature": 0.0}, (0.0, 0.8, 0)),
        (SAMPLED, {"temperature": 1.3}, (1.3, 0.8, 0)),
        (SAMPLED, {"top_p": 0.9}, (0.7, 0.9, 0)),
        (SAMPLED, {"temperature": 0.2, "top_p": 1.0}, (0.2, 1.0, 0)),
    ],
)
async def test_sampling_is_the_requests_then_the_models_then_greedy(
    tokenizer: Any, defaults: dict[str, Any], fields: dict[str, Any], sampling: tuple[float, float, int]
) -> None:
    on = stage(tokenizer, [END], [], defaults=GenerationConfig(**defaults))  # type: ignore[no-untyped-call]
    await on.stream(seed=5, **fields)
    used = [call.sampling for call in on.engine.calls]
    assert [(each.temperature, each.top_p, each.top_k, each.seed) for each in used] == [(*sampling, 5)] * 2


async def test_without_a_seed_each_request_draws_its_own(tokenizer: Any) -> None:
    on = stage(tokenizer, [END], [], [END], [])
    await on.stream()
    await on.stream()
    seeds = [call.sampling.seed for call in on.engine.calls]
    assert (seeds[0], seeds[2]) == (seeds[1], seeds[3])
    assert seeds[0] != seeds[2]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (0, 0.0, None)),
        ({"top_k": 5, "min_p": 0.1}, (5, 0.1, None)),
        ({"presence_penalty": 0.0, "repetition_penalty": 1.0, "logit_bias": {}}, (0, 0.0, None)),
        ({"presence_penalty": 0.5}, (0, 0.0, Adjustments(presence_penalty=0.5))),
        ({"frequency_penalty": -0.5}, (0, 0.0, Adjustments(frequency_penalty=-0.5))),
        ({"repetition_penalty": 1.1}, (0, 0.0, Adjustments(repetition_penalty=1.1))),
        ({"logit_bias": {7: -100.0}}, (0, 0.0, Adjustments(logit_bias={7: -100.0}))),
    ],
)  # fmt: skip
async def test_penalties_and_biases_are_the_samplers_work(tokenizer: Any, fields: Any, expected: Any) -> None:
    on = stage(tokenizer, ["21", END_OF_TURN])
    await on.stream(budget=0, **fields)
    used = on.engine.calls[0].sampling
    assert (used.top_k, used.min_p, used.adjustments) == expected

"""The harness against a scripted engine: whole lists of pieces, and each prompt that the model is given."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
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
    Ask,
    Ended,
    Harness,
    Piece,
    ThinkingEnded,
)
from engine.sampling import Sampling
from gateway.errors import ContextTooLong
from tests.fakes.tiny_model import CHATML, END_OF_TEXT, END_OF_TURN

QUESTION = [{"role": "user", "content": "How many days are there in three weeks?"}]
ASKED = "<|im_start|>user\nHow many days are there in three weeks?<|im_end|>\n<|im_start|>assistant\n"
EXAMPLE_TURNS = "".join(f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in EXAMPLE)
SHOWN = f"<|im_start|>system\n{SYSTEM}<|im_end|>\n{EXAMPLE_TURNS}{ASKED}"
"""The prompt of a model that is taught to think, up to where its own text begins."""


@dataclass(frozen=True)
class Call:
    prompt: str
    limit: int
    sampling: Sampling


@dataclass
class ScriptedEngine:
    """Plays one script a request: a batch of tokens for each text, cut at the request's limit."""

    tokenizer: Any
    scripts: Sequence[Sequence[str]] = ()
    defaults: Any = field(default_factory=GenerationConfig)
    context_tokens: int = 2048
    calls: list[Call] = field(default_factory=list)
    played: list[str] = field(default_factory=list)
    open: int = 0
    end_tokens: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        self.end_tokens = frozenset(self.tokenizer.convert_tokens_to_ids([END_OF_TURN, END_OF_TEXT]))

    async def generate(
        self, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling
    ) -> AsyncGenerator[list[int]]:
        script = self.scripts[len(self.calls)]
        self.calls.append(Call(self.tokenizer.decode(tokens), max_new_tokens, sampling))
        left = max_new_tokens
        self.open += 1
        try:
            for text in script:
                batch = encode(self.tokenizer, text)[:left]
                left -= len(batch)
                self.played.append(text)
                yield batch
                if not left:
                    return
        finally:
            self.open -= 1


def encode(tokenizer: Any, text: str) -> list[int]:
    tokens: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tokens


def ask(**asked: Any) -> Ask:
    fields: dict[str, Any] = {"messages": QUESTION, "max_tokens": 200, "budget": 100}
    return Ask(**fields | asked)


@dataclass(frozen=True)
class Stage:
    """A harness on a scripted engine; `size` is the number of tokens of a script's texts."""

    engine: ScriptedEngine
    harness: Harness

    async def stream(self, **asked: Any) -> list[Piece | ThinkingEnded | Ended]:
        async with aclosing(self.harness.stream(ask(**asked))) as pieces:
            got = [piece async for piece in pieces]
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
        Piece(f"{OPENING} about weeks."),
        Piece(" Three times"),
        Piece(" seven."),
        Piece(CLOSING),
        ThinkingEnded(tokens=spent, by="marker"),
        Piece("It is "),
        Piece("21"),
        Ended(reason="stop", tokens=spent + on.size("It is ", "21", END_OF_TURN), thinking_tokens=spent),
    ]
    first = f"{SHOWN}{OPENING}"
    assert on.prompts == [first, f"{first} about weeks. Three times seven.{CLOSING}"]
    assert on.limits == [100, 200 - spent]
    assert " never read" not in on.engine.played


async def test_a_marker_that_a_text_only_resembles_is_part_of_the_thinking(tokenizer: Any) -> None:
    thinking = [" a </thin", "g> and </", "b> then </think", ">"]
    on = stage(tokenizer, thinking, [END_OF_TURN])
    assert (await on.stream())[:4] == [
        Piece(f"{OPENING} a "),
        Piece("</thing> and "),
        Piece("</b> then "),
        Piece(CLOSING),
    ]


@pytest.mark.parametrize("end", [END_OF_TURN, END_OF_TEXT])
async def test_an_end_token_ends_the_thinking_and_the_model_still_answers(tokenizer: Any, end: str) -> None:
    on = stage(tokenizer, [" about weeks. \n", end], ["21", end])
    spent = on.size(" about weeks. \n", end)
    assert await on.stream() == [
        Piece(f"{OPENING} about weeks. \n"),
        Piece(CLOSING),
        ThinkingEnded(tokens=spent, by="marker"),
        Piece("21"),
        Ended(reason="stop", tokens=spent + on.size("21", end), thinking_tokens=spent),
    ]
    assert on.prompts[1] == f"{SHOWN}{OPENING} about weeks.{CLOSING}"


@pytest.mark.parametrize("end", [END, END_OF_TURN])
async def test_thinking_that_ends_at_once_is_still_opened_and_closed(tokenizer: Any, end: str) -> None:
    on = stage(tokenizer, [end], ["21", END_OF_TURN])
    spent = on.size(end)
    assert await on.stream() == [
        Piece(OPENING),
        Piece(CLOSING),
        ThinkingEnded(tokens=spent, by="marker"),
        Piece("21"),
        Ended(reason="stop", tokens=spent + on.size("21", END_OF_TURN), thinking_tokens=spent),
    ]
    assert on.prompts == [f"{SHOWN}{OPENING}", f"{SHOWN}{OPENING}{CLOSING}"]


async def test_the_budget_closes_the_block_and_the_answer_goes_on_from_it(tokenizer: Any) -> None:
    thinking = [" about weeks.", " Three times seven", " and on"]
    on = stage(tokenizer, thinking, ["It is 21.", END_OF_TURN])
    budget = on.size(*thinking[:2])
    assert await on.stream(budget=budget) == [
        Piece(f"{OPENING} about weeks."),
        Piece(" Three times seven"),
        Piece(CLOSING),
        ThinkingEnded(tokens=budget, by="budget"),
        Piece("It is 21."),
        Ended(reason="stop", tokens=budget + on.size("It is 21.", END_OF_TURN), thinking_tokens=budget),
    ]
    assert on.prompts[1] == f"{on.prompts[0]} about weeks. Three times seven{CLOSING}"
    assert on.limits == [budget, 200 - budget]


async def test_half_a_marker_at_the_budget_is_text(tokenizer: Any) -> None:
    on = stage(tokenizer, [" weeks </th"], ["21", END_OF_TURN])
    budget = on.size(" weeks </th")
    assert (await on.stream(budget=budget))[:4] == [
        Piece(f"{OPENING} weeks "),
        Piece("</th"),
        Piece(CLOSING),
        ThinkingEnded(tokens=budget, by="budget"),
    ]
    assert on.prompts[1] == f"{SHOWN}{OPENING} weeks </th{CLOSING}"


@pytest.mark.parametrize("budget", [13, 1000])
async def test_thinking_that_uses_up_all_tokens_is_truncated_and_never_closed(tokenizer: Any, budget: int) -> None:
    on = stage(tokenizer, [" weeks" * 13])
    assert on.size(" weeks" * 13) >= 13
    got = await on.stream(budget=budget, max_tokens=13)
    assert got[1:] == [
        ThinkingEnded(tokens=13, by="truncated"),
        Ended(reason="length", tokens=13, thinking_tokens=13),
    ]
    assert isinstance(got[0], Piece)
    assert got[0].text.startswith(f"{OPENING} weeks")
    assert on.limits == [13]


async def test_a_marker_in_the_last_token_closes_the_block_and_leaves_no_answer(tokenizer: Any) -> None:
    on = stage(tokenizer, [f" weeks{END}"])
    spent = on.size(f" weeks{END}")
    assert await on.stream(max_tokens=spent) == [
        Piece(f"{OPENING} weeks"),
        Piece(CLOSING),
        ThinkingEnded(tokens=spent, by="marker"),
        Ended(reason="length", tokens=spent, thinking_tokens=spent),
    ]


async def test_an_answer_cut_at_max_tokens_ends_by_length(tokenizer: Any) -> None:
    on = stage(tokenizer, [END], ["It", " is", " 21"])
    spent = on.size(END)
    total = spent + on.size("It", " is")
    assert (await on.stream(max_tokens=total))[3:] == [
        Piece("It"),
        Piece(" is"),
        Ended(reason="length", tokens=total, thinking_tokens=spent),
    ]


async def test_without_thinking_the_prefill_leads_and_a_stop_string_ends(tokenizer: Any) -> None:
    answer = [" how many", " days.", "\n", "\nAnd more", " never read"]
    on = stage(tokenizer, answer)
    assert await on.stream(budget=0, prefill="You ask", stop=["\n\n"]) == [
        Piece("You ask how many"),
        Piece(" days."),
        Ended(reason="stop", tokens=on.size(*answer[:-1]), thinking_tokens=0),
    ]
    assert on.engine.calls[0].prompt == f"{ASKED}You ask"
    assert on.limits == [200]
    assert " never read" not in on.engine.played


async def test_a_prefill_that_nothing_follows_is_the_answer(tokenizer: Any) -> None:
    on = stage(tokenizer, [END_OF_TURN])
    assert await on.stream(budget=0, prefill="You ask") == [
        Piece("You ask"),
        Ended(reason="stop", tokens=1, thinking_tokens=0),
    ]


async def test_half_a_stop_string_at_the_end_is_text(tokenizer: Any) -> None:
    on = stage(tokenizer, ["21\n", END_OF_TURN])
    assert (await on.stream(budget=0, stop=["\n\n"]))[:2] == [Piece("21"), Piece("\n")]


async def test_stop_strings_are_for_the_answer_and_not_for_the_thinking(tokenizer: Any) -> None:
    thinking = [" about weeks.", " STOP", f" seven.{END}"]
    on = stage(tokenizer, thinking, ["21", " STOP", " never read"])
    spent = on.size(*thinking)
    assert await on.stream(stop=["STOP"]) == [
        Piece(f"{OPENING} about weeks."),
        Piece(" STOP"),
        Piece(" seven."),
        Piece(CLOSING),
        ThinkingEnded(tokens=spent, by="marker"),
        Piece("21"),
        Piece(" "),
        Ended(reason="stop", tokens=spent + on.size("21", " STOP"), thinking_tokens=spent),
    ]


async def test_an_end_marker_in_the_answer_is_text(tokenizer: Any) -> None:
    on = stage(tokenizer, [END], [f"Close it with {END}.", END_OF_TURN])
    assert (await on.stream())[3] == Piece(f"Close it with {END}.")


@pytest.mark.parametrize("asked", [{}, {"budget": 0}])
async def test_a_reader_that_leaves_closes_the_request(tokenizer: Any, asked: dict[str, Any]) -> None:
    on = stage(tokenizer, [" one", " two", " three"])
    async with aclosing(on.harness.stream(ask(**asked))) as pieces:
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
    rest = ASKED + "21<|im_end|>\n<|im_start|>user\nAnd in four?<|im_end|>\n<|im_start|>assistant\n"
    assert on.harness.prompt(ask(messages=messages)) == (
        f"<|im_start|>system\n{SYSTEM}\n\nBe brief.<|im_end|>\n{EXAMPLE_TURNS}{rest}"
    )
    assert on.harness.prompt(ask(messages=messages, budget=0)) == (f"<|im_start|>system\nBe brief.<|im_end|>\n{rest}")


TOOL = {"type": "function", "function": {"name": "weather"}}
WITH_TOOLS = "{% for tool in tools or [] %}[{{ tool.function.name }}]{% endfor %}" + CHATML
"""A template that shows the names of tools."""


@pytest.mark.parametrize(("tools", "shown"), [((), ""), ((TOOL,), "[weather]")])
async def test_tools_are_shown_as_the_template_shows_them(tokenizer: Any, tools: Any, shown: str) -> None:
    on = stage(with_template(tokenizer.backend_tokenizer, WITH_TOOLS))
    assert on.harness.prompt(ask(tools=tools, budget=0)) == shown + ASKED


async def test_a_prefill_begins_the_answer_behind_the_thinking_too(tokenizer: Any) -> None:
    on = stage(tokenizer, [" So.", END_OF_TURN], ["weather", END_OF_TURN])
    pieces = await on.stream(prefill='{"name": "')
    assert pieces[-2] == Piece('{"name": "weather')
    assert on.prompts[1] == f'{on.prompts[0]} So.{CLOSING}{{"name": "'


OPENED = CHATML.replace("<|im_start|>assistant\n{% endif", "<|im_start|>assistant\n<think>\n{% endif")
"""A template that begins the model's thinking itself, whatever it is asked."""

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
        Piece(f"{START}\nThree times seven."),
        Piece("\n"),
        Piece(CLOSING),
        ThinkingEnded(tokens=spent, by="marker"),
        Piece("21"),
        Ended(reason="stop", tokens=spent + on.size("21", END_OF_TURN), thinking_tokens=spent),
    ]
    assert on.prompts == [f"{ASKED}{START}\n", f"{ASKED}{START}\nThree times seven.{CLOSING}"]


@pytest.mark.parametrize("template", [OPENED, SWITCHED], ids=["opened", "switched"])
async def test_a_model_that_thinks_by_itself_is_kept_from_it_at_a_budget_of_0(tokenizer: Any, template: str) -> None:
    on = stage(with_template(tokenizer.backend_tokenizer, template), ["21", END_OF_TURN])
    got = await on.stream(budget=0)
    assert got == [Piece("21"), Ended(reason="stop", tokens=on.size("21", END_OF_TURN), thinking_tokens=0)]
    (prompt,) = on.prompts
    assert "".join(prompt.removeprefix(ASKED).split()) == START + END
    assert prompt.endswith(f"{END}\n\n")


def test_a_prompt_that_leaves_no_room_names_both_lengths(tokenizer: Any) -> None:
    length = len(encode(tokenizer, f"{SHOWN}{OPENING}"))
    assert stage(tokenizer, context_tokens=length + 1).harness.count(ask()) == length
    with pytest.raises(ContextTooLong) as refused:
        stage(tokenizer, context_tokens=length).harness.count(ask())
    assert (refused.value.param, refused.value.message) == (
        "messages",
        f"the prompt has {length} tokens and the context window {length}; shorten the conversation",
    )


async def test_no_more_is_asked_of_the_engine_than_the_context_holds(tokenizer: Any) -> None:
    length = len(encode(tokenizer, ASKED))
    on = stage(tokenizer, ["21", END_OF_TURN], context_tokens=length + 7)
    await on.stream(budget=0)
    assert on.limits == [7]


async def test_thinking_that_fills_the_context_leaves_no_answer(tokenizer: Any) -> None:
    length = len(encode(tokenizer, f"{SHOWN}{OPENING}"))
    on = stage(tokenizer, ["a a a a a a a a"], context_tokens=length + 5)
    got = await on.stream()
    assert got[1:] == [
        ThinkingEnded(tokens=5, by="truncated"),
        Ended(reason="length", tokens=5, thinking_tokens=5),
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
    ("defaults", "asked", "sampling"),
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
    tokenizer: Any, defaults: dict[str, Any], asked: dict[str, Any], sampling: tuple[float, float, int]
) -> None:
    on = stage(tokenizer, [END], [], defaults=GenerationConfig(**defaults))  # type: ignore[no-untyped-call]
    await on.stream(seed=5, **asked)
    used = [call.sampling for call in on.engine.calls]
    assert [(each.temperature, each.top_p, each.top_k, each.seed) for each in used] == [(*sampling, 5)] * 2


async def test_without_a_seed_each_request_draws_its_own(tokenizer: Any) -> None:
    on = stage(tokenizer, [END], [], [END], [])
    await on.stream()
    await on.stream()
    seeds = [call.sampling.seed for call in on.engine.calls]
    assert (seeds[0], seeds[2]) == (seeds[1], seeds[3])
    assert seeds[0] != seeds[2]

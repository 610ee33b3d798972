"""The sampling that a request comes to: its own values, the model's, and bans."""

from collections.abc import Sequence
from typing import Any

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig

from engine.harness.prompts import END, START
from engine.sampling import Adjustments
from tests.fakes.harness_stage import stage, with_template
from tests.fakes.tiny_model import CHATML, END_OF_TEXT, END_OF_TURN


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


NOTES = [("Ġ", "n"), ("Ġn", "o"), ("Ġno", "t"), ("Ġnot", "e"), ("Ġnote", "s")]


@pytest.mark.parametrize(
    ("merges", "content", "banned"),
    [
        (NOTES, "How many days are there in three weeks?", {"r": "Ġnotes", "n": "Ġnotes"}),
        (NOTES, "What do my Notes say of three weeks?", {}),
        ([], "How many days are there in three weeks?", {}),
    ],
    ids=["kept from it", "asked about notes", "no such token"],
)
async def test_an_answer_speaks_of_notes_only_if_the_conversation_does(
    merges: list[tuple[str, str]], content: str, banned: dict[str, str]
) -> None:
    tokenizer = spelling(merges)
    on = stage(tokenizer, ["21."], ["21."])
    await on.stream(messages=[{"role": "user", "content": content}])
    number = tokenizer.convert_tokens_to_ids
    thinking, answering = (dict(call.sampling.banned) for call in on.engine.calls)
    assert {key: token for key, token in answering.items() if key not in thinking} == {
        number(before): number(token) for before, token in banned.items()
    }

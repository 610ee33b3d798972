"""Sampling on plain scores: against a plain reference, and the distribution of the drawn tokens."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, cycle
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.drawing import CANDIDATES
from engine.sampling import Adjustments, Request, Row, Sampler, Sampling
from tests.fakes import plain_sampler

CHANCES = (0.05, 0.5, 0.15, 0.3)
"""Tokens by likelihood: 1, 3, 2, 0."""

SCORES = torch.tensor(CHANCES).log()
OTHER = -torch.inf


def after_adjusting(scores: torch.Tensor, sampling: Sampling, prompt: Sequence[int], generated: Sequence[int]) -> Any:
    """Return a row of scores as the sampler changes them before a greedy choice."""
    changed = scores[None].clone()
    row = Row(Request(sampling, len(prompt)), len(prompt) + len(generated), (prompt, generated))
    chosen = Sampler().choose(changed, torch.tensor([[*prompt, *generated][-1]]), [row])
    assert chosen is None or chosen.tolist() == changed.argmax(-1).tolist()
    return changed[0]


def draws(samplings: Sequence[Sampling], positions: Sequence[int], scores: torch.Tensor = SCORES) -> list[int]:
    """Return a token for each sampling, all drawn in one batch from the same scores."""
    rows = [Row(Request(sampling), position) for sampling, position in zip(samplings, positions, strict=True)]
    chosen = Sampler().choose(scores.repeat(len(rows), 1), torch.zeros(len(rows), dtype=torch.long), rows)
    assert chosen is not None
    return [int(token) for token in chosen]


def drawn(sampling: Sampling, position: int = 7, scores: torch.Tensor = SCORES) -> int:
    return draws([sampling], [position], scores)[0]


def test_greedy_leaves_the_scores_alone() -> None:
    scores = SCORES[None].clone()
    assert Sampler().choose(scores, torch.tensor([0]), [Row(Request(Sampling()), 7)]) is None
    assert torch.equal(scores, SCORES[None])


@pytest.mark.parametrize(
    ("banned", "previous", "left"),
    [
        ({None: 1}, 0, [1.0, OTHER, 3.0, 4.0]),
        ({2: 1}, 2, [1.0, OTHER, 3.0, 4.0]),
        ({2: 1}, 0, [1.0, 2.0, 3.0, 4.0]),
        ({0: 3}, 0, [1.0, 2.0, 3.0, OTHER]),
        ({2: 1, None: 0, 3: 2}, 2, [OTHER, OTHER, 3.0, 4.0]),
        ({2: 1, 0: 1}, 0, [1.0, OTHER, 3.0, 4.0]),
    ],
)
def test_a_banned_token_cannot_be_chosen(banned: dict[int | None, int], previous: int, left: list[float]) -> None:
    row = after_adjusting(torch.tensor([1.0, 2.0, 3.0, 4.0]), Sampling(banned=banned), [previous], [])
    assert row.tolist() == left


def test_a_banned_token_is_never_drawn() -> None:
    assert set(draws([Sampling(temperature=1.0, seed=seed, banned={None: 1}) for seed in range(200)], [7] * 200)) == {
        0,
        2,
        3,
    }


def test_a_draw_depends_on_the_seed_and_the_position_alone() -> None:
    def trace(seed: int) -> list[int]:
        return draws([Sampling(temperature=1.0, seed=seed)] * 40, range(40))

    state = torch.get_rng_state()
    traces = [trace(seed) for seed in range(20)]
    assert [trace(seed) for seed in range(20)] == traces
    assert len(set(map(tuple, traces))) == 20
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("seed", [-1, 2**62, 2**64 + 1])
def test_any_integer_is_a_seed(seed: int) -> None:
    assert drawn(Sampling(temperature=1.0, seed=seed)) == drawn(Sampling(temperature=1.0, seed=seed))


def chi_square(tokens: Sequence[int], chances: Sequence[float]) -> float:
    counts = Counter(tokens)
    return sum((counts[token] - len(tokens) * p) ** 2 / (len(tokens) * p) for token, p in enumerate(chances))


CRITICAL = 16.27
"""Chi-square with three degrees of freedom: one in a thousand is above. The seeds are fixed."""


@pytest.mark.parametrize(
    ("temperature", "chances"),
    [(1.0, CHANCES), (0.5, [p**2 / sum(q**2 for q in CHANCES) for p in CHANCES])],
)
def test_tokens_are_as_frequent_as_they_are_likely(temperature: float, chances: Sequence[float]) -> None:
    over_seeds = draws([Sampling(temperature=temperature, seed=seed) for seed in range(4000)], [7] * 4000)
    over_positions = draws([Sampling(temperature=temperature, seed=1)] * 4000, range(4000))
    assert chi_square(over_seeds, chances) < CRITICAL
    assert chi_square(over_positions, chances) < CRITICAL


def test_a_nucleus_is_drawn_from_as_likely_as_its_tokens_are() -> None:
    tokens = draws([Sampling(temperature=1.0, top_p=0.9, seed=seed) for seed in range(4000)], [7] * 4000)
    assert 0 not in tokens
    assert chi_square([{1: 0, 3: 1, 2: 2}[token] for token in tokens], [0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95]) < CRITICAL


@pytest.mark.parametrize("candidates", [(1,), (1, 2), (2, 10), CANDIDATES])
@pytest.mark.parametrize(
    ("top_p", "top_k", "kept"),
    [
        (0.0, 0, {1}),
        (0.45, 0, {1}),
        (0.55, 0, {1, 3}),
        (0.79, 0, {1, 3}),
        (0.81, 0, {1, 2, 3}),
        (0.97, 0, {0, 1, 2, 3}),
        (1.0, 0, {0, 1, 2, 3}),
        (1.0, 1, {1}),
        (1.0, 2, {1, 3}),
        (1.0, 100, {0, 1, 2, 3}),
        (0.45, 3, {1}),
        # Of the three likeliest's own mass, as 0.8 / 0.95 is 0.84.
        (0.83, 3, {1, 3}),
        (0.85, 3, {1, 2, 3}),
    ],
)
def test_exactly_the_nucleus_is_drawn_from(
    monkeypatch: pytest.MonkeyPatch, candidates: tuple[int, ...], top_p: float, top_k: int, kept: set[int]
) -> None:
    monkeypatch.setattr("engine.drawing.CANDIDATES", candidates)
    samplings = [Sampling(temperature=1.0, top_p=top_p, top_k=top_k, seed=seed) for seed in range(200)]
    assert set(draws(samplings, [7] * 200)) == kept


@pytest.mark.parametrize("candidates", [CANDIDATES, (256, 2000), (256, 1000)])
def test_a_nucleus_wider_than_the_likeliest_is_kept_whole(
    monkeypatch: pytest.MonkeyPatch, candidates: tuple[int, ...]
) -> None:
    monkeypatch.setattr("engine.drawing.CANDIDATES", candidates)
    first = candidates[0]
    scores = -1e-4 * torch.arange(4000)
    mass = list(accumulate(torch.softmax(scores.double(), dim=-1).tolist()))
    size = 1 + next(token for token, held in enumerate(mass) if held >= 0.5)
    assert first < size < 2000
    tokens = draws([Sampling(temperature=1.0, top_p=0.5, seed=seed) for seed in range(600)], [7] * 600, scores)
    assert max(tokens) < size
    assert max(tokens) > first
    beyond = 1 - mass[first - 1] / mass[size - 1]
    assert len([token for token in tokens if token >= first]) / 600 == pytest.approx(beyond, abs=0.06)


@pytest.mark.parametrize(
    ("top_p", "top_k", "min_p", "kept"),
    [
        (1.0, 0, 0.0, {0, 1, 2, 3}),
        (1.0, 0, 0.2, {1, 2, 3}),
        (1.0, 0, 0.5, {1, 3}),
        (1.0, 0, 1.0, {1}),
        (1.0, 2, 0.2, {1, 3}),
        # Of the mass that is left, as 0.5 / 0.8 is 0.625.
        (0.62, 0, 0.5, {1}),
        (0.63, 0, 0.5, {1, 3}),
    ],
)
def test_tokens_that_are_too_unlikely_are_not_drawn(top_p: float, top_k: int, min_p: float, kept: set[int]) -> None:
    samplings = [Sampling(temperature=1.0, top_p=top_p, top_k=top_k, min_p=min_p, seed=seed) for seed in range(200)]
    assert set(draws(samplings, [7] * 200)) == kept


@pytest.mark.parametrize(
    ("asked", "adjusted"),
    [
        ({}, [4.0, -2.0, 3.0, 1.0]),
        ({"presence_penalty": 1.0}, [3.0, -3.0, 3.0, 1.0]),
        ({"frequency_penalty": 1.0}, [2.0, -3.0, 3.0, 1.0]),
        ({"presence_penalty": 0.5, "frequency_penalty": -1.0}, [5.5, -1.5, 3.0, 1.0]),
        ({"repetition_penalty": 2.0}, [2.0, -4.0, 1.5, 1.0]),
        ({"logit_bias": {3: 100.0, 0: -100.0, 4: 1.0, 150_000: 1.0}}, [-96.0, -2.0, 3.0, 101.0]),
        ({"logit_bias": {9: 5.0}}, [4.0, -2.0, 3.0, 1.0]),
    ],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_scores_are_adjusted_to_the_tokens_so_far(asked: dict[str, Any], adjusted: list[float], dtype: Any) -> None:
    scores = torch.tensor([4.0, -2.0, 3.0, 1.0], dtype=dtype)
    assert after_adjusting(scores, Sampling(adjustments=Adjustments(**asked)), [2, 2], [0, 1, 0]).tolist() == adjusted


def test_before_the_first_token_only_a_repetition_of_the_prompt_counts() -> None:
    asked = Adjustments(presence_penalty=1.0, frequency_penalty=1.0, repetition_penalty=2.0)
    assert after_adjusting(torch.tensor([4.0, 2.0]), Sampling(adjustments=asked), [1], []).tolist() == [4.0, 1.0]


TOKENS = st.integers(0, 11)
EIGHTHS = st.integers(-16, 16).map(lambda number: number / 8)
"""Numbers that single precision adds without rounding."""

SAMPLINGS = st.builds(
    Sampling,
    temperature=st.sampled_from([0.0, 0.0, 0.25, 1.0, 2.5]),
    top_p=st.sampled_from([1.0, 1.0, 0.0, 0.3, 0.9]),
    top_k=st.sampled_from([0, 0, 1, 3, 40]),
    min_p=st.sampled_from([0.0, 0.0, 0.1, 1.0]),
    adjustments=st.none()
    | st.builds(
        Adjustments,
        presence_penalty=EIGHTHS,
        frequency_penalty=EIGHTHS,
        repetition_penalty=st.sampled_from([1.0, 0.5, 2.0]),
        logit_bias=st.dictionaries(st.integers(0, 14), EIGHTHS, max_size=3),
    ),
    seed=st.integers(-(2**65), 2**65),
    banned=st.dictionaries(st.none() | TOKENS, TOKENS, max_size=3),
)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Sampling, list[int], list[int]]:
    """Return a sampling, a prompt, and what is generated after it whatever is chosen."""
    return draw(SAMPLINGS), draw(st.lists(TOKENS, min_size=1, max_size=6)), draw(st.lists(TOKENS, max_size=6))


@given(st.lists(conversations(), min_size=1, max_size=5), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_batches_that_change_choose_as_a_plain_sampler_does_for_each_row(
    parts: list[tuple[Sampling, list[int], list[int]]], noise: int
) -> None:
    sampler, random = Sampler(), Random(noise)
    requests = [Request(sampling, len(prompt)) for sampling, prompt, _ in parts]
    for step in range(6):
        # A request is in a step while it has tokens left, and may be passed over by one or come in another order.
        here = [n for n, (_, _, tokens) in enumerate(parts) if step <= len(tokens)]
        here = random.sample(here, random.choice([len(here), random.randint(0, len(here))]))
        if not here:
            continue
        scores = torch.tensor([random.sample([number / 4 - 1 for number in range(12)], 12) for _ in here])
        so_far = [(parts[n][1], parts[n][2][:step]) for n in here]
        known = random.choice([step, max(step - 1, 0)])
        rows = [
            Row(requests[n], len(prompt) + step, (prompt, generated[:known]))
            for n, (prompt, generated) in zip(here, so_far, strict=True)
        ]
        previous = torch.tensor([[*prompt, *generated][-1] for prompt, generated in so_far], dtype=torch.int32)
        chosen = sampler.choose(scores.clone(), previous, rows)
        tokens = (scores.argmax(-1) if chosen is None else chosen).tolist()
        for number, n in enumerate(here):
            assert tokens[number] in plain_choices(scores[number].tolist(), parts[n][0], *so_far[number])


def plain_choices(scores: list[float], sampling: Sampling, prompt: list[int], generated: list[int]) -> set[int]:
    """Return the tokens that a plain sampler takes: more than one only if they are equally good or the random number
    is as near to the border between two as rounding comes."""
    after = plain_sampler.adjusted(scores, sampling, prompt, generated)
    if sampling.temperature == 0:
        return {token for token, score in enumerate(after) if score == max(after)}
    number = plain_sampler.uniform(sampling.seed, len(prompt) + len(generated))
    return {
        plain_sampler.drawn(plain_sampler.distribution(after, replace(sampling, top_p=top_p, min_p=min_p)), moved)
        for top_p in around(sampling.top_p)
        for min_p in around(sampling.min_p)
        for moved in around(number)
    }


def around(number: float) -> list[float]:
    """Return the number and what rounding may make of it; 0 and 1 stay: they are off."""
    return [number] if number in (0.0, 1.0) else [number * (1 - 1e-6), number, number * (1 + 1e-6)]


def test_a_draw_is_the_same_alone_and_in_any_batch() -> None:
    generator = torch.Generator().manual_seed(5)
    scores = torch.randn(64, 5000, generator=generator)
    limits = [(1.0, 0, 0.0), (0.5, 0, 0.0), (1.0, 40, 0.0), (0.9, 40, 0.0), (0.9, 0, 0.1)]
    samplings = [
        Sampling(temperature=1.0, seed=n, top_p=top_p, top_k=top_k, min_p=min_p)
        for n, (top_p, top_k, min_p) in zip(range(64), cycle(limits), strict=False)
    ]
    together = draws_of(scores, samplings)
    alone = [draws_of(scores[n : n + 1], samplings[n : n + 1], 100 + n)[0] for n in range(64)]
    backwards = draws_of(scores.flip(0), samplings[::-1], *range(163, 99, -1))
    assert (alone, backwards[::-1]) == (together, together)


def draws_of(scores: torch.Tensor, samplings: Sequence[Sampling], *positions: int) -> list[int]:
    at = positions or range(100, 100 + len(samplings))
    rows = [Row(Request(sampling), position) for sampling, position in zip(samplings, at, strict=True)]
    chosen = Sampler().choose(scores.clone(), torch.zeros(len(rows), dtype=torch.long), rows)
    assert chosen is not None
    return [int(token) for token in chosen]


def test_equally_likely_tokens_of_a_nucleus_are_taken_in_their_own_order() -> None:
    scores = torch.tensor([0.0, 3.0, 3.0, 0.0, 3.0, 3.0])
    tokens = draws([Sampling(temperature=1.0, top_p=0.5, seed=seed) for seed in range(100)], [7] * 100, scores)
    assert set(tokens) == {1, 2, 4}

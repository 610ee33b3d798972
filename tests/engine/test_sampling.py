"""Sampling on plain scores: greedy choices, bans, and the distribution of the drawn tokens."""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pytest
import torch

from engine.sampling import FIRST_CANDIDATES, Adjustments, Row, Sampling, choose_tokens

CHANCES = (0.05, 0.5, 0.15, 0.3)
"""Tokens by likelihood: 1, 3, 2, 0."""

SCORES = torch.tensor(CHANCES).log()
OTHER = -torch.inf


def chosen_from(scores: torch.Tensor, *rows: Row) -> torch.Tensor:
    """Return the scores (rows, vocabulary) as `choose_tokens` changes them."""
    changed = scores.clone()
    choose_tokens(changed, rows)
    return changed


def drawn(sampling: Sampling, position: int = 7, scores: torch.Tensor = SCORES) -> int:
    row = chosen_from(scores[None], Row(sampling, 0, position))[0]
    chosen = int(row.argmax())
    assert row.tolist() == [0.0 if token == chosen else OTHER for token in range(len(row))]
    return chosen


def test_greedy_leaves_the_scores_alone() -> None:
    assert torch.equal(chosen_from(SCORES[None], Row(Sampling(), 0, 7)), SCORES[None])


@pytest.mark.parametrize(
    ("banned", "previous", "left"),
    [
        ({None: 1}, 0, [1.0, OTHER, 3.0, 4.0]),
        ({2: 1}, 2, [1.0, OTHER, 3.0, 4.0]),
        ({2: 1}, 0, [1.0, 2.0, 3.0, 4.0]),
        ({0: 3}, 0, [1.0, 2.0, 3.0, OTHER]),
        ({2: 1, None: 0, 3: 2}, 2, [OTHER, OTHER, 3.0, 4.0]),
    ],
)
def test_a_banned_token_cannot_be_chosen(banned: dict[int | None, int], previous: int, left: list[float]) -> None:
    row = chosen_from(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), Row(Sampling(banned=banned), previous, 7))[0]
    assert row.tolist() == left


def test_a_banned_token_is_never_drawn() -> None:
    assert {drawn(Sampling(temperature=1.0, seed=seed, banned={None: 1})) for seed in range(200)} == {0, 2, 3}


def test_a_draw_depends_on_the_seed_and_the_position_alone() -> None:
    def trace(seed: int) -> list[int]:
        return [drawn(Sampling(temperature=1.0, seed=seed), position) for position in range(40)]

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
    over_seeds = [drawn(Sampling(temperature=temperature, seed=seed)) for seed in range(4000)]
    over_positions = [drawn(Sampling(temperature=temperature, seed=1), position) for position in range(4000)]
    assert chi_square(over_seeds, chances) < CRITICAL
    assert chi_square(over_positions, chances) < CRITICAL


def test_a_nucleus_is_drawn_from_as_likely_as_its_tokens_are() -> None:
    tokens = [drawn(Sampling(temperature=1.0, top_p=0.9, seed=seed)) for seed in range(4000)]
    assert 0 not in tokens
    assert chi_square([{1: 0, 3: 1, 2: 2}[token] for token in tokens], [0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95]) < CRITICAL


@pytest.mark.parametrize("first_candidates", [1, 2, FIRST_CANDIDATES])
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
    monkeypatch: pytest.MonkeyPatch, first_candidates: int, top_p: float, top_k: int, kept: set[int]
) -> None:
    monkeypatch.setattr("engine.sampling.FIRST_CANDIDATES", first_candidates)
    assert {drawn(Sampling(temperature=1.0, top_p=top_p, top_k=top_k, seed=seed)) for seed in range(200)} == kept


def test_a_nucleus_wider_than_the_likeliest_is_kept_whole() -> None:
    scores = -1e-4 * torch.arange(4000)
    mass = list(accumulate(torch.softmax(scores.double(), dim=-1).tolist()))
    size = 1 + next(token for token, held in enumerate(mass) if held >= 0.5)
    assert FIRST_CANDIDATES < size < 2000
    tokens = [drawn(Sampling(temperature=1.0, top_p=0.5, seed=seed), scores=scores) for seed in range(600)]
    assert max(tokens) < size
    assert max(tokens) > FIRST_CANDIDATES
    beyond = 1 - mass[FIRST_CANDIDATES - 1] / mass[size - 1]
    assert len([token for token in tokens if token >= FIRST_CANDIDATES]) / 600 == pytest.approx(beyond, abs=0.06)


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
    assert set(map(drawn, samplings)) == kept


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
    scores = torch.tensor([[4.0, -2.0, 3.0, 1.0]] * 2, dtype=dtype)
    changed = Row(Sampling(adjustments=Adjustments(**asked)), 1, 7, [2, 2], [0, 1, 0])
    rows = chosen_from(scores, changed, Row(Sampling(), 1, 7, [2, 2], [0, 1, 0]))
    assert rows.tolist() == [adjusted, scores[1].tolist()]


def test_before_the_first_token_only_a_repetition_of_the_prompt_counts() -> None:
    asked = Adjustments(presence_penalty=1.0, frequency_penalty=1.0, repetition_penalty=2.0)
    rows = chosen_from(torch.tensor([[4.0, 2.0]]), Row(Sampling(adjustments=asked), 1, 7, [1], []))
    assert rows.tolist() == [[4.0, 1.0]]


def test_each_row_of_a_batch_has_its_own_sampling() -> None:
    hot = Sampling(temperature=1.0, seed=3, banned={None: 0})
    rows = chosen_from(
        SCORES.repeat(4, 1),
        Row(Sampling(), 9, 7),
        Row(hot, 9, 5),
        Row(Sampling(banned={9: 1}), 9, 7),
        Row(Sampling(temperature=1.0, top_k=1), 9, 7),
    )
    expected = SCORES.repeat(4, 1)
    expected[1] = torch.full((4,), OTHER).scatter(0, torch.tensor(drawn(hot, position=5)), 0.0)
    expected[2, 1] = OTHER
    expected[3] = torch.tensor([OTHER, 0.0, OTHER, OTHER])
    assert torch.equal(rows, expected)

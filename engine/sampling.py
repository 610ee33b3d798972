"""The next token of each request of a batch: temperature, top-p, top-k, seed and banned spellings, each per request.

A step's scores go in and are changed so that the highest of each row is the chosen token: a sampled row keeps its
chosen token alone, a greedy one loses its banned tokens only. Knows nothing of text or of how batches are made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

FIRST_CANDIDATES = 1024
"""Tokens that a nucleus is looked for in at first: sorting all 150,000 of a vocabulary takes 10 ms a row on a CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """The options by which the tokens of one request are chosen.

    `temperature` 0 is greedy. `top_k` 0 is off. The same `seed` draws the same tokens from the same probabilities,
    which rounding may change a little with the batch. `banned` maps a token (None: any) to the token that must not
    follow it.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0
    banned: Mapping[int | None, int] = field(default_factory=dict)


class Row(NamedTuple):
    """One request in a step: the token before the one to choose, and the position of the latter in the sequence."""

    sampling: Sampling
    previous: int
    position: int


def choose_tokens(scores: torch.Tensor, rows: Sequence[Row]) -> None:
    """Change `scores` (rows, vocabulary) in place so that the highest of each row is the token to take."""
    for row_scores, (sampling, previous, position) in zip(scores, rows, strict=True):
        for before, token in sampling.banned.items():
            if before is None or before == previous:
                row_scores[token] = -torch.inf
        if sampling.temperature > 0:
            _keep_only(row_scores, _draw(row_scores, sampling, position))


def _keep_only(scores: torch.Tensor, token: torch.Tensor) -> None:
    scores.fill_(-torch.inf)
    scores[token] = 0.0


def _draw(scores: torch.Tensor, sampling: Sampling, position: int) -> torch.Tensor:
    """Draw one token from `scores` (vocabulary,). The random number depends on the seed and the position alone."""
    generator = torch.Generator(scores.device).manual_seed((sampling.seed * 1_000_003 + position) % 2**63)
    probabilities = torch.softmax(scores / sampling.temperature, dim=-1)
    if sampling.top_p >= 1.0 and not sampling.top_k:
        return torch.multinomial(probabilities, 1, generator=generator)
    candidates, tokens = _nucleus(probabilities, sampling)
    return tokens[torch.multinomial(candidates, 1, generator=generator)]


def _nucleus(probabilities: torch.Tensor, sampling: Sampling) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the probabilities and ids of the smallest set of likely tokens that holds top-p of the mass of top-k."""
    for size in (sampling.top_k or FIRST_CANDIDATES, probabilities.numel()):
        likeliest, tokens = probabilities.topk(min(size, probabilities.numel()))
        if sampling.top_k or likeliest.sum() >= sampling.top_p:
            break
    total = likeliest.sum() if sampling.top_k else 1.0
    before = (likeliest.cumsum(-1) - likeliest) / total
    kept = int((before < sampling.top_p).sum().clamp(min=1))
    return likeliest[:kept], tokens[:kept]

"""The next token of each request of a batch: temperature, top-p, top-k, min-p, seed, penalties and biases, and banned
spellings, each per request.

A step's scores go in and are changed so that the highest of each row is the chosen token: a sampled row keeps its
chosen token alone, a greedy one is adjusted and loses its banned tokens only. Knows nothing of text or of how batches
are made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch

FIRST_CANDIDATES = 1024
"""Tokens that a nucleus is looked for in at first: sorting all 150,000 of a vocabulary takes 10 ms a row on a CPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustments:
    """Changes to the scores of one request before a token is chosen.

    Of each generated token `presence_penalty` is taken off once, and `frequency_penalty` as often as it was generated.
    `repetition_penalty` divides the scores above 0 of those and the prompt's, and multiplies those below. `logit_bias`
    maps tokens to what is added; those that the model does not have are passed over.
    """

    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """The options by which the tokens of one request are chosen.

    `temperature` 0 is greedy. `top_k` 0 is off. `min_p` leaves tokens out that are less likely than this share of the
    likeliest one. The same `seed` draws the same tokens from the same probabilities,
    which rounding may change a little with the batch. `banned` maps a token (None: any) to the token that must not
    follow it.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    adjustments: Adjustments | None = None
    seed: int = 0
    banned: Mapping[int | None, int] = field(default_factory=dict)


class Row(NamedTuple):
    """One request in a step: the token before the one to choose, and the position of the latter in the sequence.

    `prompt` and `generated` are the tokens before it, for adjustments.
    """

    sampling: Sampling
    previous: int
    position: int
    prompt: Sequence[int] = ()
    generated: Sequence[int] = ()


def choose_tokens(scores: torch.Tensor, rows: Sequence[Row]) -> None:
    """Change `scores` (rows, vocabulary) in place so that the highest of each row is the token to take."""
    for row_scores, (sampling, previous, position, prompt, generated) in zip(scores, rows, strict=True):
        if sampling.adjustments:
            _adjust(row_scores, sampling.adjustments, prompt, generated)
        for before, token in sampling.banned.items():
            if before is None or before == previous:
                row_scores[token] = -torch.inf
        if sampling.temperature > 0:
            _keep_only(row_scores, _draw(row_scores, sampling, position))


def _adjust(scores: torch.Tensor, asked: Adjustments, prompt: Sequence[int], generated: Sequence[int]) -> None:
    device = scores.device
    if asked.repetition_penalty != 1.0:
        seen = torch.unique(torch.tensor([*prompt, *generated], device=device))
        before = scores[seen]
        scores[seen] = torch.where(before > 0, before / asked.repetition_penalty, before * asked.repetition_penalty)
    if generated and (asked.presence_penalty or asked.frequency_penalty):
        tokens, counts = torch.unique(torch.tensor(generated, device=device), return_counts=True)
        scores[tokens] -= asked.presence_penalty + asked.frequency_penalty * counts.to(scores.dtype)
    if known := {token: bias for token, bias in asked.logit_bias.items() if token < len(scores)}:
        scores[torch.tensor(list(known), device=device)] += torch.tensor(
            list(known.values()), device=device, dtype=scores.dtype
        )


def _keep_only(scores: torch.Tensor, token: torch.Tensor) -> None:
    scores.fill_(-torch.inf)
    scores[token] = 0.0


def _draw(scores: torch.Tensor, sampling: Sampling, position: int) -> torch.Tensor:
    """Draw one token from `scores` (vocabulary,). The random number depends on the seed and the position alone."""
    generator = torch.Generator(scores.device).manual_seed((sampling.seed * 1_000_003 + position) % 2**63)
    probabilities = torch.softmax(scores / sampling.temperature, dim=-1)
    if sampling.min_p:
        probabilities[probabilities < sampling.min_p * probabilities.max()] = 0.0
        probabilities /= probabilities.sum()
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

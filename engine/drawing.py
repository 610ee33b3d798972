"""Drawing tokens for many rows at once, from all of the vocabulary or from the likeliest tokens.

Each draw inverts the cumulative probabilities at one random number a row, so that no noise is made for each token of
the vocabulary. Probabilities are added in double precision. Knows nothing of requests, seeds or penalties.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

CANDIDATES = (256, 4096)
"""Numbers of tokens that a nucleus is looked for in, one after another. Of 150,000 tokens a CPU finds the likeliest 256
in 0.3 ms a row, 1,024 in 0.7 and 4,096 in 1.9, and sorts all in 10."""

TIES = 12
"""Tokens beyond top-k that are looked at, so that of equally likely ones at the border the same are always taken."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the tokens of each row, (rows, 1): temperature, top-p, top-k (the vocabulary if off), min-p.

    `most` is the largest top-k, `any_min_p` says if any min-p is above 0.
    """

    temperature: torch.Tensor
    top_p: torch.Tensor
    top_k: torch.Tensor
    min_p: torch.Tensor
    most: int
    any_min_p: bool


def likeliest(scores: torch.Tensor, _numbers: torch.Tensor, limits: Limits) -> torch.Tensor:  # noqa: ARG001
    """Return the tokens with the highest scores, (rows,); draws nothing."""
    return scores.argmax(-1)


def from_all(scores: torch.Tensor, numbers: torch.Tensor, limits: Limits) -> torch.Tensor:
    """Draw from all tokens, but those less likely than min-p times the likeliest one; ignores top-p and top-k.

    `scores` (rows, vocabulary), which are overwritten, `numbers` (rows,) in [0, 1) -> tokens (rows,).
    """
    return _invert(_to_weights(scores, limits), numbers)


def from_likeliest(scores: torch.Tensor, numbers: torch.Tensor, limits: Limits) -> torch.Tensor:
    """Draw from the top-k tokens, and of these from the smallest set that holds top-p of their mass."""
    likely, tokens = _in_order(*scores.topk(min(limits.most + TIES, scores.shape[1])))
    weights = _to_weights(likely, limits)
    weights.masked_fill_(torch.arange(weights.shape[1], device=weights.device) >= limits.top_k, 0.0)
    return _from_nucleus(weights, tokens, limits.top_p * _mass(weights), numbers)


def from_nucleus(scores: torch.Tensor, numbers: torch.Tensor, limits: Limits) -> torch.Tensor:
    """Draw from the smallest set of likely tokens that holds top-p of the mass; ignores top-k. Overwrites `scores`.

    The only draw that waits for the device, to know if the first candidates are enough.
    """
    weights = _to_weights(scores, limits)
    return _from_candidates(weights, limits.top_p * _mass(weights), numbers, CANDIDATES)


def _from_candidates(
    weights: torch.Tensor, enough: torch.Tensor, numbers: torch.Tensor, sizes: Sequence[int]
) -> torch.Tensor:
    """Draw from the smallest set that weighs `enough`, looked for in the first of `sizes`, and in more if need be."""
    if not sizes or sizes[0] >= weights.shape[1]:
        return _from_nucleus(*weights.sort(descending=True, stable=True), enough, numbers)
    likely, tokens = weights.topk(sizes[0])
    chosen = _from_nucleus(*_in_order(likely, tokens), enough, numbers)
    wide = (_mass(likely) < enough)[:, 0].nonzero()[:, 0]
    if len(wide):
        chosen[wide] = _from_candidates(weights[wide], enough[wide], numbers[wide], sizes[1:])
    return chosen


def _to_weights(scores: torch.Tensor, limits: Limits) -> torch.Tensor:
    """Overwrite scores by how likely each token is beside the likeliest one of the row; 0 if that is below min-p."""
    weights = scores.sub_(scores.amax(-1, keepdim=True)).div_(limits.temperature).exp_()
    return weights.masked_fill_(weights < limits.min_p, 0.0) if limits.any_min_p else weights


def _in_order(values: torch.Tensor, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Sort by falling value, equal ones by token: a device finds these in an order that may change with the batch."""
    tokens, order = tokens.sort()
    values, order = values.gather(1, order).sort(descending=True, stable=True)
    return values, tokens.gather(1, order)


def _mass(weights: torch.Tensor) -> torch.Tensor:
    return weights.sum(-1, keepdim=True, dtype=torch.float64)


def _from_nucleus(
    weights: torch.Tensor, tokens: torch.Tensor, enough: torch.Tensor, numbers: torch.Tensor
) -> torch.Tensor:
    """Draw from as many tokens, the likeliest first, as it takes until they weigh `enough`; from one at least."""
    before = weights.cumsum(-1, dtype=torch.float64) - weights
    beyond = before >= enough
    beyond[:, 0] = False
    return tokens.gather(1, _invert(weights.masked_fill(beyond, 0.0), numbers)[:, None])[:, 0]


def _invert(weights: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Return the index of each row at which the sum of its weights passes `numbers` times the whole."""
    sums = weights.cumsum(-1, dtype=torch.float64)
    return torch.searchsorted(sums, numbers[:, None] * sums[:, -1:], right=True)[:, 0]

"""The next token of each request of a batch: temperature, top-p, top-k, min-p, seed, penalties and biases, and banned
spellings, each per request, computed for all rows at once.

The options of a batch become tensors when its requests change, not at each step. Knows nothing of text or of how
batches are made.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import torch

from engine.drawing import Limits, from_all, from_likeliest, from_nucleus, likeliest
from engine.random_numbers import as_seed, uniform
from engine.token_history import TokenHistory
from engine.transfer import send, to_device

ANY_TOKEN, NO_TOKEN = -1, -2
"""Stand for the token before a banned one: any, and none, in rows that ban less than others."""


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

    @property
    def penalize(self) -> bool:
        """Return True if a penalty depends on the tokens before."""
        return (self.presence_penalty, self.frequency_penalty, self.repetition_penalty) != (0.0, 0.0, 1.0)


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


NoteCached = Callable[[int], None]


def ignore(_: int) -> None:
    """Do nothing."""


@dataclass(frozen=True, eq=False, slots=True)
class Request:
    """One request in all its steps, compared by identity. `prompt_size` counts the tokens that it did not generate.

    `note_cached` is called in each step that takes some of these, with the number that the cache had before it: the
    first time with what other requests have left there.
    """

    sampling: Sampling
    prompt_size: int = 0
    note_cached: NoteCached = ignore


class Row(NamedTuple):
    """One request in a step. `position` is the number of tokens before the one to choose.

    `tokens` are parts of the sequence, one after another. The last token may be missing, since a step may be prepared
    before the one before it has ended.
    """

    request: Request
    position: int
    tokens: Sequence[Sequence[int]] = ()


class Sampler:
    """Chooses the tokens of the batches of one engine."""

    def __init__(self) -> None:
        self._history = TokenHistory()
        self._batch: _Batch | None = None

    def choose(self, scores: torch.Tensor, previous: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor | None:
        """Return the tokens to take, (rows,), or None if they are those with the highest scores.

        `scores` (rows, vocabulary) are changed; `previous` (rows,) are the last tokens before.
        """
        requests = [row.request for row in rows]
        if self._batch is None or self._batch.requests != requests:
            self._batch = _Batch(requests, scores)
        batch = self._batch
        if batch.plain:
            return None
        if batch.penalties:
            self._penalize(scores, previous, rows, batch.penalties)
        if batch.biases:
            scores.scatter_add_(1, *batch.biases)
        if batch.bans:
            before, tokens = batch.bans
            hits = (before == previous[:, None]) | (before == ANY_TOKEN)
            scores.scatter_add_(1, tokens, torch.zeros_like(hits, dtype=scores.dtype).masked_fill_(hits, -torch.inf))
        if not batch.draws:
            return scores.argmax(-1)
        positions = torch.tensor([row.position for row in rows])
        numbers = send(uniform(batch.seeds, positions), scores.device)
        chosen = torch.empty(len(rows), dtype=torch.long, device=scores.device)
        for draw in batch.draws:
            chosen[draw.rows] = draw.choose(scores[draw.rows], numbers[draw.rows])
        return chosen

    def _penalize(
        self, scores: torch.Tensor, previous: torch.Tensor, rows: Sequence[Row], penalties: "_Penalties"
    ) -> None:
        own = [rows[number] for number in penalties.numbers]
        last = previous[penalties.rows]
        tokens, length = self._history.update([(row.request, row.position, row.tokens) for row in own], last)
        columns = torch.arange(tokens.shape[1], device=tokens.device)
        generated = (columns >= penalties.prompt_sizes) & (columns < length)
        # Whatever is no token of the kind stands for the last one, which is. A token that occurs several times is
        # written as often, with the same score.
        all_, last = scores.view(-1), last[:, None]
        at = penalties.offsets + torch.where(columns < length, tokens, last)
        now = all_[at]
        all_[at] = torch.where(now > 0, now / penalties.repetition, now * penalties.repetition)
        at = penalties.offsets + torch.where(generated, tokens, last)
        all_[at] -= penalties.presence * (length > penalties.prompt_sizes)
        all_.scatter_add_(0, at.view(-1), (-penalties.frequency * generated).to(scores.dtype).view(-1))


_Choose = Callable[..., torch.Tensor]
"""One of the functions of `engine.drawing`: (scores, numbers, limits) -> tokens."""


class _Draw(NamedTuple):
    """The rows whose tokens are chosen in the same way: a slice if they are all."""

    rows: torch.Tensor | slice
    choose: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class _Penalties:
    """The penalties of those rows that have any, (rows, 1), and where the scores of each row begin."""

    def __init__(self, numbers: list[int], requests: Sequence[Request], scores: torch.Tensor) -> None:
        def column(values: list[float]) -> torch.Tensor:
            return to_device(values, scores.device, scores.dtype)[:, None]

        own = [requests[number] for number in numbers]
        adjustments = [request.sampling.adjustments or Adjustments() for request in own]
        self.numbers = numbers
        self.rows = to_device(numbers, scores.device)
        self.offsets = self.rows[:, None] * scores.shape[1]
        self.prompt_sizes = to_device([request.prompt_size for request in own], scores.device)[:, None]
        self.presence = column([asked.presence_penalty for asked in adjustments])
        self.frequency = column([asked.frequency_penalty for asked in adjustments])
        self.repetition = column([asked.repetition_penalty for asked in adjustments])


class _Batch:
    """The options of the requests of a batch, as tensors on the device of `scores`; None what none of them asks for."""

    def __init__(self, requests: list[Request], scores: torch.Tensor) -> None:
        self.requests = requests
        samplings = [request.sampling for request in requests]
        adjustments = [sampling.adjustments or Adjustments() for sampling in samplings]
        vocabulary, device = scores.shape[1], scores.device
        penalized = [number for number, asked in enumerate(adjustments) if asked.penalize]
        self.penalties = _Penalties(penalized, requests, scores) if penalized else None
        biases = [[item for item in asked.logit_bias.items() if item[0] < vocabulary] for asked in adjustments]
        self.biases = _padded(biases, (0, 0.0), (torch.long, scores.dtype), device)
        bans = [
            [(ANY_TOKEN if before is None else before, token) for before, token in sampling.banned.items()]
            for sampling in samplings
        ]
        self.bans = _padded(bans, (NO_TOKEN, 0), (torch.long, torch.long), device)
        self.seeds = torch.tensor([as_seed(sampling.seed) for sampling in samplings])
        self.draws = _draws(samplings, vocabulary, device) if any(s.temperature > 0 for s in samplings) else []
        self.plain = not (self.penalties or self.biases or self.bans or self.draws)


def _padded(
    rows: Sequence[Sequence[tuple[Any, Any]]],
    filler: tuple[Any, Any],
    types: tuple[torch.dtype, torch.dtype],
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return the first and the second values of all pairs, each (rows, most pairs of a row), or None without pairs."""
    width = max(map(len, rows))
    if not width:
        return None
    filled = [[*row, *[filler] * (width - len(row))] for row in rows]
    first, second = ([[pair[part] for pair in row] for row in filled] for part in (0, 1))
    return to_device(first, device, types[0]), to_device(second, device, types[1])


def _draws(samplings: Sequence[Sampling], vocabulary: int, device: torch.device) -> list[_Draw]:
    """Group the rows by how their tokens are chosen."""
    groups: dict[_Choose, list[int]] = {}
    for number, sampling in enumerate(samplings):
        groups.setdefault(_choice(sampling), []).append(number)
    return [
        _Draw(
            slice(None) if len(groups) == 1 else to_device(numbers, device),
            partial(choose, limits=_limits([samplings[number] for number in numbers], vocabulary, device)),
        )
        for choose, numbers in groups.items()
    ]


def _choice(sampling: Sampling) -> "_Choose":
    if sampling.temperature <= 0:
        return likeliest
    if sampling.top_k:
        return from_likeliest
    return from_nucleus if sampling.top_p < 1.0 else from_all


def _limits(samplings: Sequence[Sampling], vocabulary: int, device: torch.device) -> Limits:
    def column(values: list[float], dtype: torch.dtype) -> torch.Tensor:
        return to_device(values, device, dtype)[:, None]

    top_k = [min(sampling.top_k or vocabulary, vocabulary) for sampling in samplings]
    return Limits(
        temperature=column([sampling.temperature for sampling in samplings], torch.float32),
        top_p=column([sampling.top_p for sampling in samplings], torch.float64),
        top_k=to_device(top_k, device)[:, None],
        min_p=column([sampling.min_p for sampling in samplings], torch.float32),
        most=max(top_k),
        any_min_p=any(sampling.min_p for sampling in samplings),
    )

"""A sampler of one row in plain Python, as the docstrings of `engine.sampling` tell it: the reference for tests."""

import math
from collections.abc import Sequence

from engine.sampling import Adjustments, Sampling

MASK = 2**64 - 1


def adjusted(
    scores: Sequence[float], sampling: Sampling, prompt: Sequence[int], generated: Sequence[int]
) -> list[float]:
    """Return the scores of a row after penalties, biases and bans."""
    asked = sampling.adjustments or Adjustments()
    after = list(scores)
    for token in {*prompt, *generated}:
        factor = asked.repetition_penalty
        after[token] = after[token] / factor if after[token] > 0 else after[token] * factor
    for token in set(generated):
        after[token] -= asked.presence_penalty + asked.frequency_penalty * generated.count(token)
    for token, bias in asked.logit_bias.items():
        if token < len(after):
            after[token] += bias
    for before, token in sampling.banned.items():
        if before is None or before == [*prompt, *generated][-1]:
            after[token] = -math.inf
    return after


def distribution(scores: Sequence[float], sampling: Sampling) -> dict[int, float]:
    """Return the probabilities of the tokens that may be drawn, in the order in which a random number meets them."""
    highest = max(scores)
    weights = {token: math.exp((score - highest) / sampling.temperature) for token, score in enumerate(scores)}
    weights = {token: weight for token, weight in weights.items() if weight > 0 and weight >= sampling.min_p}
    if sampling.top_k or sampling.top_p < 1.0:
        likeliest = sorted(weights, key=lambda token: (-weights[token], token))[: sampling.top_k or None]
        mass, held = math.fsum(weights[token] for token in likeliest), 0.0
        kept: list[int] = []
        for token in likeliest:
            if kept and held >= sampling.top_p * mass:
                break
            kept.append(token)
            held += weights[token]
        weights = {token: weights[token] for token in kept}
    mass = math.fsum(weights.values())
    return {token: weight / mass for token, weight in weights.items()}


def drawn(chances: dict[int, float], number: float) -> int:
    """Return the token that a number in [0, 1) falls on."""
    passed = 0.0
    for token, chance in chances.items():
        passed += chance
        if passed > number:
            return token
    return next(reversed(chances))


def uniform(seed: int, position: int) -> float:
    """Return the number of a seed and a position, in Python's own integers."""
    return (_mix((_mix(seed & MASK) + position * 0x9E3779B97F4A7C15) & MASK) >> 12) * 2.0**-52


def _mix(bits: int) -> int:
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB & MASK
    return bits ^ (bits >> 31)

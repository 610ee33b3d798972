"""Random numbers that are a function of a seed and a position: the same in any batch, on any device, in any order.

The bits are SplitMix64's, in torch's wrapping integer arithmetic (Steele, Lea and Flood, "Fast splittable pseudorandom
number generators", 2014). Knows nothing of tokens.
"""

import torch

INCREMENT, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
BITS = 52
"""Bits of a number. With 53 the largest, times a mass, could round to the mass."""


def as_seed(number: int) -> int:
    """Return any integer as one of 64 bits with a sign, which a tensor can hold."""
    return (number + 2**63) % 2**64 - 2**63


def uniform(seeds: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Return a number in [0, 1) for each seed and position (64-bit integers, of one shape), as float64."""
    mixed = _mix(_mix(seeds) + positions * as_seed(INCREMENT))
    numbers: torch.Tensor = _shift(mixed, 64 - BITS).double() * 2.0**-BITS
    return numbers


def _mix(bits: torch.Tensor) -> torch.Tensor:
    bits = (bits ^ _shift(bits, 30)) * as_seed(FIRST)
    bits = (bits ^ _shift(bits, 27)) * as_seed(SECOND)
    return bits ^ _shift(bits, 31)


def _shift(bits: torch.Tensor, places: int) -> torch.Tensor:
    """Shift to the right without copying the sign, as if the integers had none."""
    shifted: torch.Tensor = (bits >> places) & (2 ** (64 - places) - 1)
    return shifted

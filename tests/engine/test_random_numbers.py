"""Random numbers of seeds and positions: against Python's own integers, and how they are spread."""

from collections import Counter

import pytest
import torch

from engine.random_numbers import as_seed, uniform
from tests.fakes import plain_sampler

NONE, EACH = torch.zeros(40_000, dtype=torch.long), torch.arange(40_000)
SEEDS = [0, 1, -1, 2**62, 2**63, 2**64 - 1, -(2**63), 2**64 + 1, 12345678901234567890]


def test_numbers_are_those_of_plain_integers() -> None:
    pairs = [(seed, position) for seed in SEEDS for position in (0, 1, 7, 4095, 2**31)]
    seeds, positions = (torch.tensor(column) for column in zip(*((as_seed(s), p) for s, p in pairs), strict=True))
    assert uniform(seeds, positions).tolist() == [plain_sampler.uniform(*pair) for pair in pairs]


def test_all_numbers_are_at_least_0_and_less_than_1_even_times_a_large_number() -> None:
    numbers = uniform(torch.arange(-50_000, 50_000), torch.arange(100_000))
    assert (float(numbers.min()) >= 0.0, float(numbers.max()) < 1.0) == (True, True)
    largest = torch.tensor([1 - 2.0**-52], dtype=torch.float64)
    masses = torch.rand(1000, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 1000
    assert bool((largest * masses < masses).all())


@pytest.mark.parametrize(("seeds", "positions"), [(NONE, EACH), (EACH, NONE)])
@pytest.mark.parametrize("lag", [1, 2, 64])
def test_numbers_are_spread_evenly_and_neighbours_say_nothing_of_each_other(
    seeds: torch.Tensor, positions: torch.Tensor, lag: int
) -> None:
    numbers = (uniform(seeds, positions) * 10).long()
    pairs = Counter(zip(numbers[:-lag].tolist(), numbers[lag:].tolist(), strict=True))
    expected = (len(numbers) - lag) / 100
    chi_square = sum((pairs[first, second] - expected) ** 2 / expected for first in range(10) for second in range(10))
    # With 99 degrees of freedom one in a thousand is above.
    assert chi_square < 148.2

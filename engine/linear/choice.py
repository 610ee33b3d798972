"""The choice of kernels for each number of rows, measured on a layer of the model when it is loaded.

A step has one row for each stream that writes and one for each token of a prompt. Measured in CPU time of one thread:
other processes start at the same time, and with wall time a busy machine once chose a kernel of half the speed. One
thread ranks kernels as several do, and leaves no team of OpenMP threads behind.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from math import inf
from pathlib import Path

import psutil
import torch
from torch import nn

from engine.linear import kept_times
from engine.linear.kernels import KERNELS, Kernel
from engine.linear.weights import LinearWeights

log = logging.getLogger(__name__)

SIZES: Mapping[int, float] = {1: 1, 4: 8, 16: 64, 256: inf}
"""The numbers of rows that are measured, and the most rows that each stands for: one stream, a stream and its
summaries, many streams, a prompt."""

SECOND_KIND_GAIN = 0.15
"""Share of the time at one of the sizes that a second kind of weights must save to be worth its memory. It is packed
while nothing else runs."""

CACHE_BYTES = 64 << 20
"""More than a processor's caches hold. Written between two runs, since a step finds no layer's weights there."""

LEAST_RUNS, RUNS, SECONDS = 3, 20, 0.05
"""Runs of which the fastest counts: the fewest, the most, and the seconds of CPU time after which there are no more. By
one alone, in which fresh memory took 60 ms, a machine once kept a kernel of half the speed."""

Times = Mapping[Kernel, Sequence[float]]
"""Seconds of CPU time that each kernel takes at each of `SIZES`."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The kernels to use, each with the most rows it is used for, in ascending order. The last has no limit.

    A kernel may stand there more than once. `first` is the one to begin with, until the others are packed.
    `token_seconds` is the CPU time that the model's linear layers take for a token of a long prompt; 0 if unknown.
    """

    kernels: tuple[tuple[float, Kernel], ...]
    first: Kernel
    token_seconds: float = field(default=0.0, compare=False)

    def __str__(self) -> str:
        names = (kernel.name + ("" if limit == inf else f" up to {limit:.0f} rows") for limit, kernel in self.kernels)
        return ", ".join(names)


def choose(layer: nn.Linear, weights: int, kernels: Sequence[Kernel] = KERNELS, file: Path | None = None) -> Choice:
    """Measure `kernels` on `layer` of a model that has so many `weights`, and choose one or two of them.

    The times are kept in `file`, and taken from it the next time.
    """
    measured = [*layer.weight.shape, layer.weight.dtype, *SIZES, *(kernel.name for kernel in kernels)]
    known = kept_times.read(file, measured) if file else {}
    times: Times = {kernel: known[kernel.name] for kernel in kernels if kernel.name in known}
    if not times:
        times = measure(kernels, layer)
        if file:
            kept_times.write(file, measured, {kernel.name: seconds for kernel, seconds in times.items()})
    choice = fastest(times, weights, psutil.virtual_memory().available)
    for_prompts = times[choice.kernels[-1][1]][-1] / max(SIZES)
    choice = replace(choice, token_seconds=for_prompts * weights / layer.weight.numel())
    for kernel, seconds in times.items():
        each = ", ".join(f"{1000 * second:.2f}" for second in seconds)
        log.info("%s: %s ms on one layer at %s rows", kernel.name, each, ", ".join(map(str, SIZES)))
    log.info("weights of linear layers: %s", choice)
    return choice


def measure(kernels: Sequence[Kernel], layer: nn.Linear) -> dict[Kernel, list[float]]:
    """Return the times of those kernels that exist on this processor."""
    times = {}
    for kernel in kernels:
        try:
            (packed,) = kernel.pack([LinearWeights([layer])])
            times[kernel] = [_seconds(packed, torch.ones(1, rows, layer.in_features)) for rows in SIZES]
        except RuntimeError as error:
            log.info("%s is not available: %s", kernel.name, str(error).partition("\n")[0])
    return times


def fastest(times: Times, weights: int, memory: int) -> Choice:
    """Choose the kernel that is nearest to the fastest over all sizes, or two if a second saves enough time.

    Two must fit, with `weights` each, into half of `memory` bytes.
    """
    best = [min(column) for column in zip(*times.values(), strict=True)]

    def slowness(kernels: tuple[Kernel, ...]) -> list[float]:
        columns = zip(*(times[kernel] for kernel in kernels), strict=True)
        return [min(column) / least for column, least in zip(columns, best, strict=True)]

    one = min(combinations(times, 1), key=lambda kernels: sum(slowness(kernels)))
    chosen = one
    fitting = [pair for pair in combinations(times, 2) if weights * sum(k.bytes_per_weight for k in pair) < memory / 2]
    if fitting:
        two = min(fitting, key=lambda kernels: sum(slowness(kernels)))
        if any(
            after < (1 - SECOND_KIND_GAIN) * before for before, after in zip(slowness(one), slowness(two), strict=True)
        ):
            chosen = two
    limits: list[tuple[float, Kernel]] = []
    for number, limit in enumerate(SIZES.values()):
        kernel = min(chosen, key=lambda kernel: times[kernel][number])
        if limits and limits[-1][1] is kernel:
            limits.pop()
        limits.append((limit, kernel))
    return Choice(tuple(limits), min(chosen, key=lambda kernel: sum(slowness((kernel,)))))


def _seconds(layer: nn.Module, x: torch.Tensor) -> float:
    evicting = torch.empty(CACHE_BYTES, dtype=torch.uint8)
    best, end = inf, time.thread_time() + SECONDS
    with torch.no_grad():
        # The first run of a shape builds what the library keeps for it.
        layer(x)
        for run in range(1, RUNS + 1):
            evicting.fill_(0)
            began = time.thread_time()
            layer(x)
            best = min(best, time.thread_time() - began)
            if run >= LEAST_RUNS and time.thread_time() > end:
                break
    return best

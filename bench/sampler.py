"""Milliseconds in which the engine's sampler chooses the tokens of a step, beside the loop over rows that it replaced.

    .venv/bin/python -m bench.sampler [--device cuda]

The scores are random, of a vocabulary of 151,936; each request has 500 tokens of prompt and 500 generated. `loop` is
what the engine did until 0.6: a generator and a pass over the vocabulary for each row, and a synchronization for many.
The best of several steps counts. Prints the table and tokens a second of the sampler alone.
"""

import argparse
import time
from collections.abc import Callable, Sequence

import torch

from engine.sampling import Adjustments, Request, Row, Sampler, Sampling

VOCABULARY = 151_936
SIZES = (1, 16, 128)
LENGTH = 500
STEPS = 5

Step = Callable[[torch.Tensor, torch.Tensor], object]


def samplings(count: int) -> dict[str, list[Sampling]]:
    """Return what requests may ask for, by a name, for each of so many."""
    penalties = Adjustments(presence_penalty=0.5, frequency_penalty=0.5, repetition_penalty=1.1)
    bans: dict[int | None, int] = {5: 6, 7: 8}
    return {
        "greedy": [Sampling() for _ in range(count)],
        "greedy, bans": [Sampling(banned=bans) for _ in range(count)],
        "temperature": [Sampling(temperature=1.0, seed=n) for n in range(count)],
        "top-k 20, top-p 0.8": [Sampling(temperature=0.7, top_p=0.8, top_k=20, seed=n) for n in range(count)],
        "top-p 0.9": [Sampling(temperature=0.7, top_p=0.9, seed=n) for n in range(count)],
        "greedy, penalties": [Sampling(adjustments=penalties) for _ in range(count)],
    }


def at_once(asked: Sequence[Sampling], tokens: Sequence[Sequence[int]]) -> Step:
    sampler, requests = Sampler(), [Request(sampling, LENGTH) for sampling in asked]
    position = 2 * LENGTH

    def step(scores: torch.Tensor, previous: torch.Tensor) -> object:
        nonlocal position
        position += 1
        rows = [Row(request, position, (own,)) for request, own in zip(requests, tokens, strict=True)]
        chosen = sampler.choose(scores, previous, rows)
        return scores.argmax(-1) if chosen is None else chosen

    return step


def loop(asked: Sequence[Sampling], tokens: Sequence[Sequence[int]]) -> Step:
    """Return the step of before: tests/fakes/plain_sampler.py says the same in plain numbers."""

    def step(scores: torch.Tensor, previous: torch.Tensor) -> object:
        for position, (row, sampling, own, last) in enumerate(
            zip(scores, asked, tokens, previous.tolist(), strict=True), 2 * LENGTH
        ):
            if sampling.adjustments:
                _penalize(row, sampling.adjustments, own)
            for before, token in sampling.banned.items():
                if before == last:
                    row[token] = -torch.inf
            if sampling.temperature > 0:
                token_drawn = _draw(row, sampling, position)
                row.fill_(-torch.inf)
                row[token_drawn] = 0.0
        return scores.argmax(-1)

    return step


def _penalize(row: torch.Tensor, asked: Adjustments, tokens: Sequence[int]) -> None:
    seen = torch.unique(torch.tensor(tokens, device=row.device))
    before = row[seen]
    row[seen] = torch.where(before > 0, before / asked.repetition_penalty, before * asked.repetition_penalty)
    own, counts = torch.unique(torch.tensor(tokens[LENGTH:], device=row.device), return_counts=True)
    row[own] -= asked.presence_penalty + asked.frequency_penalty * counts.to(row.dtype)


def _draw(row: torch.Tensor, sampling: Sampling, position: int) -> torch.Tensor:
    generator = torch.Generator(row.device).manual_seed(sampling.seed * 1_000_003 + position)
    chances = torch.softmax(row / sampling.temperature, dim=-1)
    if sampling.top_p >= 1.0 and not sampling.top_k:
        return torch.multinomial(chances, 1, generator=generator)
    for size in (sampling.top_k or 1024, len(chances)):
        likely, tokens = chances.topk(size)
        if sampling.top_k or likely.sum() >= sampling.top_p:
            break
    whole = likely.sum() if sampling.top_k else 1.0
    kept = int(((likely.cumsum(-1) - likely) / whole < sampling.top_p).sum().clamp(min=1))
    return tokens[torch.multinomial(likely[:kept], 1, generator=generator)]


def best(step: Step, scores: torch.Tensor, previous: torch.Tensor, steps: int) -> float:
    """Return the milliseconds of the fastest step, of which the first is not counted."""
    times = []
    for _ in range(steps + 1):
        fresh = scores.clone()
        _wait(scores.device)
        began = time.perf_counter()
        step(fresh, previous)
        _wait(scores.device)
        times.append(1000 * (time.perf_counter() - began))
    return min(times[1:])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def table(device: torch.device, sizes: Sequence[int] = SIZES, steps: int = STEPS) -> list[str]:
    """Return the lines of a table in Markdown."""
    lines = ["| requests ask for | rows | loop, ms | at once, ms | at once, tokens/s |", "|---|--:|--:|--:|--:|"]
    generator = torch.Generator().manual_seed(1)
    for count in sizes:
        # A few likely tokens above many unlikely ones, as models have it.
        scores = 2 * torch.randn(count, VOCABULARY, generator=generator)
        scores[:, torch.randint(VOCABULARY, (30,), generator=generator)] += 14
        scores = scores.to(device)
        tokens = torch.randint(VOCABULARY, (count, 2 * LENGTH), generator=generator)
        previous, known = tokens[:, -1].to(device), tokens.tolist()
        for name, asked in samplings(count).items():
            before, now = (best(make(asked, known), scores, previous, steps) for make in (loop, at_once))
            lines.append(f"| {name} | {count} | {before:.2f} | {now:.2f} | {1000 * count / now:,.0f} |")
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--steps", type=int, default=STEPS)
    asked = parser.parse_args()
    print("\n".join(table(torch.device(asked.device), asked.sizes, asked.steps)))


if __name__ == "__main__":
    main()

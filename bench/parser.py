"""Measure the parser: microseconds a delta and peak memory, beside a parser that rescans all of the text.

    python -m bench.parser

Deltas are four characters long, as tokens are on average. Knows nothing of the network or of any model.
"""

import sys
import time
import tracemalloc
from collections.abc import Callable
from itertools import islice

from gateway.reasoning import ReasoningParser

SIZES = (1_000, 10_000, 100_000)
TURNS_EACH = 15
OUTPUTS = {
    "qwen3": ("<think>\n", "\n</think>\n\n", ""),
    "gpt_oss": (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
        "<|return|>",
    ),
    "granite": ("Here is my thought process:\n", "\nHere is my response:\n", ""),
    "mistral": ("[THINK]", "[/THINK]", ""),
    "kimi_k3": (
        "<|open|>think<|sep|>",
        "<|close|>think<|sep|><|open|>response<|sep|>",
        "<|close|>response<|sep|><|close|>message<|sep|>",
    ),
}
PROSE = "First I look at what is asked, then I check whether 3 < 4 and list[0] hold. Hence the next step.\n"


def deltas(name: str, count: int) -> list[str]:
    """Return an output of `count` deltas: three quarters are reasoning, the rest is response."""
    start, end, last = OUTPUTS[name]
    body = PROSE * (count * 4 // len(PROSE) + 1)
    cut = count * 3
    text = start + body[:cut] + end + body[cut:]
    kept = count * 4 - len(last)
    text = text[:kept] + last
    # Interned strings, so that a long output has no more cache misses than a short one.
    return [sys.intern(text[at : at + 4]) for at in range(0, len(text), 4)]


def parse(name: str, chunks: list[str]) -> None:
    parser = ReasoningParser(name, starts_inside=False)
    for chunk in chunks:
        parser.feed(chunk)
    parser.close()


def rescan(name: str, chunks: list[str]) -> None:
    """Search the whole text again for every delta: the baseline."""
    start, end, _ = OUTPUTS[name]
    text, sent = "", 0
    for chunk in chunks:
        text += chunk
        opened, closed = text.find(start), text.find(end)
        reasoning = text[opened + len(start) : closed] if closed >= 0 else text[len(start) :]
        sent += len(reasoning[sent:])


def microseconds(run: Callable[[str, list[str]], None], name: str, chunks: list[str]) -> float:
    """Return the microseconds that `run` takes for each chunk."""
    began = time.perf_counter()
    run(name, chunks)
    return (time.perf_counter() - began) / len(chunks) * 1e6


def peak(name: str, chunks: list[str]) -> int:
    """Return the peak of bytes allocated while parsing, without keeping the output."""
    parse(name, list(islice(chunks, 100)))
    tracemalloc.start()
    parse(name, chunks)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def rows(name: str) -> list[str]:
    """Return a row for each size. The sizes take turns and the best turn counts, so that other work on the machine
    affects all sizes alike."""
    outputs = [deltas(name, count) for count in SIZES]
    turns = [[microseconds(parse, name, chunks) for chunks in outputs] for _ in range(TURNS_EACH)]
    best = [min(costs) for costs in zip(*turns, strict=True)]
    return [row(name, chunks, cost) for chunks, cost in zip(outputs, best, strict=True)]


def row(name: str, chunks: list[str], cost: float) -> str:
    baseline = microseconds(rescan, name, chunks)
    return f"{name:<10}{len(chunks):>10,}{cost:>12.2f}{baseline:>16.2f}{peak(name, chunks):>14,}"


def main() -> None:
    print(f"{'format':<10}{'deltas':>10}{'µs a delta':>12}{'rescanning, µs':>16}{'peak, bytes':>14}")
    for name in OUTPUTS:
        print("\n".join(rows(name)), flush=True)


if __name__ == "__main__":
    main()

"""Measure how the summaries read that are made without a model, and lay parts out to be read.

    .venv/bin/python -m bench.extracts                       over the recorded traces
    .venv/bin/python -m bench.extracts --traces FILE         over others, of the form that `bench.traces` reads
    .venv/bin/python -m bench.extracts --read 40             parts chosen by chance: step, title, text
    .venv/bin/python -m bench.extracts --bad                 the parts that a measure counts

Columns are parts (%), described in `bench.readability`, and milliseconds of CPU a part, mean and highest.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.readability import MEASURES, read
from bench.traces import FILE, Trace, load
from gateway.summaries.extracts.extractor import Extractor
from gateway.summaries.steps import Steps


class Part(NamedTuple):
    """One part, in the order of the readability measures; `seconds` of CPU time made it."""

    step: str
    title: str
    text: str
    seconds: float


def parts_of(trace: Trace) -> list[Part]:
    """Return the parts of a trace, all of them extracts."""
    steps, extractor = Steps(), Extractor(trace.prompt)
    return [_timed(extractor, step.text) for step in [*steps.feed(trace.trace), *steps.close()]]


def _timed(extractor: Extractor, step: str) -> Part:
    began = time.process_time()
    title, text = extractor.extract(step)
    return Part(step, title, text, time.process_time() - began)


def rows(summaries: Sequence[tuple[Trace, list[Part]]]) -> Iterator[str]:
    """Yield a table: one row a language, and one of all."""
    yield f"| | parts | {' | '.join(MEASURES)} | ms | at most |"
    yield "|---|" + "--:|" * (len(MEASURES) + 3)
    languages = sorted({trace.language for trace, _ in summaries})
    for language in ("all", *languages):
        chosen = [parts for trace, parts in summaries if language in ("all", trace.language)]
        counts = [read([part[:3] for part in parts]) for parts in chosen]
        seconds = [part.seconds for parts in chosen for part in parts]
        shares = (f"{100 * sum(count[name] for count in counts) / len(seconds):.1f}" for name in MEASURES)
        times = f"{sum(seconds) / len(seconds) * 1000:.1f} | {max(seconds) * 1000:.1f}"
        yield f"| {language} | {len(seconds)} | {' | '.join(shares)} | {times} |"


def laid_out(summaries: Sequence[tuple[Trace, list[Part]]], number: int, seed: int) -> Iterator[str]:
    """Yield parts chosen by chance, evenly over the languages, with their steps."""
    chance = random.Random(seed)
    languages = sorted({trace.language for trace, _ in summaries})
    for n in range(number):
        language = languages[n % len(languages)]
        trace, parts = chance.choice([pair for pair in summaries if pair[0].language == language and pair[1]])
        part = chance.choice(parts)
        yield f"## {trace.id} ({language})\n\n> {part.step.strip()}\n\n**{part.title}**\n\n{part.text}\n"


def bad(summaries: Sequence[tuple[Trace, list[Part]]]) -> Iterator[str]:
    """Yield each part that a measure counts against it, with the measures."""
    for trace, parts in summaries:
        before: dict[str, int] = dict.fromkeys(MEASURES, 0)
        for end in range(1, len(parts) + 1):
            counts = read([part[:3] for part in parts[:end]])
            added = [
                name for name in MEASURES if (counts[name] > before[name]) is (name != "title") and name != "plain"
            ]
            before = counts
            if added:
                yield f"{trace.id}: {', '.join(added)}: {parts[end - 1].title!r} {parts[end - 1].text!r}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=FILE)
    parser.add_argument("--read", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=0, help="of the parts to be read (0)")
    parser.add_argument("--bad", action="store_true")
    asked = parser.parse_args()
    summaries = [(trace, parts_of(trace)) for trace in load(asked.traces) if trace.trace]
    lines = (
        laid_out(summaries, asked.read, asked.seed) if asked.read else bad(summaries) if asked.bad else rows(summaries)
    )
    print("\n".join(lines))


if __name__ == "__main__":
    main()

"""Measure the check of a part with swapped steps: what it refuses of right summaries, and of those of another step.

    .venv/bin/python -m bench.swapped                                what `bench.summaries` has written
    .venv/bin/python -m bench.swapped --traces FILE --written FILE   of other traces, from a file with a list `written`

A summary by a model is right for its own step, and is checked against every other step of its trace as well. It is
refused if not even its first sentence passes. The steps before a checked one are known to the check, as when the trace
grows. Columns:

parts      summaries by a model, of traces with more than one part
own        refused (%) for their own step
earlier    refused (%) for a step that came later, so that their own is known to the check
later      refused (%) for a step that came before their own
again      not refused (%) for another step, but it says again what their own step says, so they are true of it
"""

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench import report
from bench.measures import Part, Summary
from bench.traces import FILE, Trace, load
from gateway.summaries.earlier_steps import EarlierSteps
from gateway.summaries.excerpts import EXCERPT_CHARACTERS, both_ends
from gateway.summaries.part_check import PartCheck
from gateway.summaries.protocol import PartTask
from gateway.summaries.sentence_gate import SentenceLimit, Ungrounded
from gateway.summaries.sentences import sentences

Kind = Literal["own", "earlier", "later"]
SAID_AGAIN = 0.8
"""Share of a sentence's words that another sentence has which says it again."""
FEWEST = 3
"""A sentence with fewer words says nothing by itself."""
_WORD = re.compile("[^\\W_\u3040-\u9fff]{2,}|[\u3040-\u9fff]")


@dataclass(slots=True)
class Refusals:
    """Numbers of summaries checked, refused, and not refused though what they say is said again, by kind of step."""

    checked: dict[Kind, int] = field(default_factory=lambda: {"own": 0, "earlier": 0, "later": 0})
    refused: dict[Kind, int] = field(default_factory=lambda: {"own": 0, "earlier": 0, "later": 0})
    again: int = 0

    @property
    def row(self) -> dict[str, Any]:
        shares: dict[str, Any] = {kind: _percent(self.refused[kind], checked) for kind, checked in self.checked.items()}
        swapped = self.checked["earlier"] + self.checked["later"]
        return {"parts": self.checked["own"], **shares, "again": _percent(self.again, swapped)}

    def count(self, kind: Kind, refused: bool, again: bool) -> None:
        self.checked[kind] += 1
        self.refused[kind] += refused
        self.again += again and not refused


def refusals(traces: Mapping[str, Trace], summaries: Iterable[Summary]) -> dict[str, Refusals]:
    """Return the refusals by language of the trace, and of all."""
    counted = {"all": Refusals()}
    for summary in summaries:
        trace = traces[summary.trace]
        both = (counted["all"], counted.setdefault(trace.language, Refusals()))
        for kind, refused, again in _checked(trace, summary.parts):
            for count in both:
                count.count(kind, refused, again)
    return counted


def _checked(trace: Trace, parts: Sequence[Part]) -> Iterator[tuple[Kind, bool, bool]]:
    """Check every summary by a model against every step; yield the kind of step, and if it is refused or said again."""
    steps, earlier = [trace.trace[part.start : part.end] for part in parts], EarlierSteps()
    for at, step in enumerate(steps if len(steps) > 1 else ()):
        check = check_of(step, trace.prompt, trace.id, earlier)
        for own, part in enumerate(parts):
            if part.written_by == "model":
                kind: Kind = "own" if own == at else "earlier" if own < at else "later"
                again = own != at and says_again(step, part.text, steps[own])
                yield kind, is_refused(part.text, check), again


def check_of(step: str, prompt: str, trace: str, earlier: EarlierSteps) -> PartCheck:
    """Return the check of a step's summaries."""
    shown, asked = both_ends(step, EXCERPT_CHARACTERS), both_ends(prompt, EXCERPT_CHARACTERS)
    return PartCheck(PartTask(step=shown, request=prompt, evidence=(asked,), trace=trace), earlier, in_order=True)


def is_refused(text: str, check: PartCheck) -> bool:
    """Return True if nothing of the text passes the check."""
    decoder, passed = check.decoder(), ""
    with suppress(Ungrounded, SentenceLimit):
        passed += decoder.feed(f"{' '.join(text.split())}\n")
        passed += decoder.close()
    return not passed


def says_again(step: str, summary: str, own: str) -> bool:
    """Return True if a step has nearly the words of the two sentences of `own` that bear the summary most.

    Words are compared as they are, without the gateway's stems and shares: only a repetition is found, not the same
    thing in other words.
    """
    left, bearing = _words(summary), []
    stated = [words for words in map(_words, sentences(own)) if len(words) >= FEWEST]
    for _ in range(2):
        best = max(stated, key=lambda words: len(words & left), default=frozenset())
        if best & left:
            bearing.append(best)
            left -= best
    others = list(map(_words, sentences(step)))
    return bool(bearing) and all(
        any(len(words & other) >= SAID_AGAIN * len(words) for other in others) for words in bearing
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _percent(part: int, whole: int) -> float:
    return round(100 * part / max(1, whole), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=FILE, help="a file of traces (bench/traces.jsonl)")
    parser.add_argument("--written", type=Path, help="a file of summaries (.run/bench/summaries.json)")
    asked = parser.parse_args()
    results = json.loads(asked.written.read_text("utf-8")) if asked.written else report.read()
    rows = [row for row in results.get("written", []) if row["method"] == "ours"]
    summaries = [Summary(**{**row, "parts": [Part(**part) for part in row["parts"]]}) for row in rows]
    counted = refusals({trace.id: trace for trace in load(asked.traces)}, summaries)
    print(json.dumps({language: count.row for language, count in counted.items()}, indent=1))


if __name__ == "__main__":
    main()

"""Measure the check of a part with swapped steps: what it refuses of right summaries, and of those of another step.

    .venv/bin/python -m bench.swapped                                what `bench.summaries` has written
    .venv/bin/python -m bench.swapped --traces FILE --written FILE   of other traces, from a file with a list `written`

A summary by a model is right for its own step, and is swapped with the step half of the trace away. It is refused if
not even its first sentence passes. Some traces say the same thing in many steps, and then a swapped summary is true and
passes; those are counted all the same.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import report
from bench.measures import Part, Summary
from bench.traces import FILE, Trace, load
from gateway.summaries.excerpts import EXCERPT_CHARACTERS, both_ends
from gateway.summaries.part_check import PartCheck
from gateway.summaries.protocol import PartTask
from gateway.summaries.sentence_gate import SentenceLimit, Ungrounded


@dataclass(slots=True)
class Refusals:
    """Numbers of summaries, and of those refused for their own and for another step."""

    parts: int = 0
    own: int = 0
    swapped: int = 0

    @property
    def row(self) -> dict[str, Any]:
        share = 100 / max(1, self.parts)
        return {"parts": self.parts, "own": round(share * self.own, 1), "swapped": round(share * self.swapped, 1)}


def swaps(parts: Sequence[Part]) -> list[tuple[Part, Part]]:
    """Return each part by a model with the part whose step it is checked against; none of a trace with one part."""
    half = len(parts) // 2
    pairs = ((part, parts[(n + half) % len(parts)]) for n, part in enumerate(parts))
    return [(part, other) for part, other in pairs if half and part.written_by == "model"]


def is_refused(text: str, step: str, prompt: str) -> bool:
    """Return True if nothing of the text passes the check as a summary of the step."""
    shown = both_ends(step, EXCERPT_CHARACTERS)
    decoder = PartCheck(
        PartTask(step=shown, request=prompt, evidence=(both_ends(prompt, EXCERPT_CHARACTERS),))
    ).decoder()
    passed = ""
    try:
        passed += decoder.feed(f"{' '.join(text.split())}\n")
        passed += decoder.close()
    except (Ungrounded, SentenceLimit):
        pass
    return not passed


def refusals(traces: Mapping[str, Trace], summaries: Iterable[Summary]) -> dict[str, Refusals]:
    """Return the refusals by language of the trace, and of all."""
    counted = {"all": Refusals()}
    for summary in summaries:
        trace = traces[summary.trace]
        both = (counted["all"], counted.setdefault(trace.language, Refusals()))
        for part, other in swaps(summary.parts):
            own, swapped = (
                is_refused(part.text, trace.trace[step.start : step.end], trace.prompt) for step in (part, other)
            )
            for count in both:
                count.parts += 1
                count.own += own
                count.swapped += swapped
    return counted


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

"""Measure summaries, and make a table: one row a method, over all traces, the short ones and the long ones.

grounded      parts (%) whose claims `gateway.summaries.grounding` finds in their stretch of the trace or in the prompt
checked       parts (%) whose claims `bench.claims` finds there, which shares no code with it
coverage      `bench.coverage` of the gateway's own steps
stretches     `bench.coverage` of even pieces of the trace, which are cut without the gateway
compression   characters of the summaries / of the traces
first         seconds from the first text of the reasoning to the first part, p50
hold          milliseconds that a response waits for the summary, p50 and p95
written, read summarizer tokens, for each token of reasoning
title, plain, filler, debris, cut, repeated    parts (%) by `bench.readability`
model, again, extracts    parts (%) by the model, parts (%) written a second time, and parts (%) that are extracts
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from rich.progress import track

from bench.baselines import sentences
from bench.claims import unsupported
from bench.coverage import Embed, coverage, mini_lm
from bench.percentile import percentile
from bench.readability import MEASURES, read
from bench.traces import LONG, Trace
from gateway.events import WrittenBy
from gateway.summaries.grounding import unsupported_claims
from gateway.summaries.steps import Steps

STRETCH = 400
"""Minimum length of an even piece in characters; it ends at the end of a sentence."""
CAPITALS_TELL = ("en", "es")
"""Languages in which a capital within a sentence marks a name."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a summary, which stands for `trace[start:end]`, in characters."""

    title: str
    text: str
    start: int
    end: int
    written_by: WrittenBy

    @property
    def whole(self) -> str:
        return f"{self.title}\n{self.text}" if self.title else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The summary of one trace by one method. `first` and `hold` are in seconds, `read` and `written` in tokens."""

    trace: str
    method: str
    parts: Sequence[Part]
    first: float
    hold: float
    read: int = 0
    written: int = 0
    again: int = 0

    @property
    def characters(self) -> int:
        return sum(len(part.whole) for part in self.parts)


def measured(traces: Sequence[Trace], summaries: Sequence[Summary]) -> dict[str, Any]:
    """Return the rows of each group of traces, and the claims that a check did not find."""
    known = {trace.id: trace for trace in traces}
    embed = remembered(mini_lm())
    told = [tell(known[summary.trace], summary, embed) for summary in track(summaries, "Measuring")]
    methods = list(dict.fromkeys(summary.method for summary in summaries))
    groups = {"all": 0, "short": 0, "long": LONG}
    table: dict[str, Any] = {}
    for group, least in groups.items():
        inside = {
            trace.id for trace in traces if trace.least >= least and not (group == "short" and trace.least >= LONG)
        }
        rows = [[one for one in told if one["method"] == method and one["trace"] in inside] for method in methods]
        table[group] = [row(ones) for ones in rows if ones]
    for language in sorted({trace.language for trace in traces}):
        inside = {trace.id for trace in traces if trace.language == language}
        rows = [[one for one in told if one["method"] == method and one["trace"] in inside] for method in methods]
        table[language] = [row(ones) for ones in rows if ones]
    table["missing"] = [missing for one in told for missing in one["missing"]]
    return table


def tell(trace: Trace, summary: Summary, embed: Embed) -> dict[str, Any]:
    """Return the measures of one summary."""
    missing = [claims for part in summary.parts if (claims := _missing(trace, summary.method, part))]
    units = [text for part in summary.parts for text in (part.whole, *sentences(part.text))]
    units += ["\n".join(part.text for part in summary.parts)]
    steps = Steps()
    cut = [step.text for step in [*steps.feed(trace.trace), *steps.close()]]
    return {
        "trace": trace.id,
        "method": summary.method,
        "missing": missing,
        "grounded": sum("gateway" not in claims for claims in missing) + len(summary.parts) - len(missing),
        "checked": sum("second" not in claims for claims in missing) + len(summary.parts) - len(missing),
        "parts": len(summary.parts),
        "coverage": coverage(cut, units, embed),
        "stretches": coverage(stretches(trace.trace), units, embed),
        "characters": (summary.characters, len(trace.trace)),
        "tokens": (summary.read, summary.written, trace.tokens),
        "first": summary.first,
        "hold": summary.hold,
        "by": {by: sum(part.written_by == by for part in summary.parts) for by in ("model", "extract")},
        "again": summary.again,
        "read": read([(trace.trace[part.start : part.end], part.title, part.text) for part in summary.parts]),
    }


def _missing(trace: Trace, method: str, part: Part) -> dict[str, Any]:
    """Return the claims of a part that one of the checks does not find, or {} if both find all."""
    sources = [trace.trace[part.start : part.end], trace.prompt]
    gateway = unsupported_claims(part.whole, sources)
    second = unsupported(part.text, sources, names=trace.language in CAPITALS_TELL)
    second += unsupported(part.title, sources, names=False)
    found = {"gateway": gateway} if gateway else {}
    found |= {"second": second} if second else {}
    return {"trace": trace.id, "method": method, "part": part.whole, **found} if found else {}


def stretches(trace: str) -> list[str]:
    """Cut a trace into pieces of whole sentences, each of `STRETCH` characters or a little more."""
    pieces, piece = [], ""
    for sentence in sentences(trace):
        piece = f"{piece} {sentence}".strip()
        if len(piece) >= STRETCH:
            pieces.append(piece)
            piece = ""
    return [*pieces, piece] if piece else pieces


def row(ones: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the measures of one method over several traces."""
    parts = sum(one["parts"] for one in ones) or 1
    said, of = (sum(one["characters"][n] for one in ones) for n in (0, 1))
    read, written, tokens = (sum(one["tokens"][n] for one in ones) for n in (0, 1, 2))
    holds = [one["hold"] * 1000 for one in ones]
    return {
        "method": ones[0]["method"],
        "traces": len(ones),
        "parts": parts,
        "grounded": _percent(sum(one["grounded"] for one in ones), parts),
        "checked": _percent(sum(one["checked"] for one in ones), parts),
        "coverage": round(sum(one["coverage"] for one in ones) / len(ones), 3),
        "stretches": round(sum(one["stretches"] for one in ones) / len(ones), 3),
        "compression": round(said / of, 3),
        "first": round(percentile([one["first"] for one in ones], 0.5), 1),
        "hold_p50": round(percentile(holds, 0.5), 1),
        "hold_p95": round(percentile(holds, 0.95), 1),
        "written": round(written / tokens, 3),
        "read": round(read / tokens, 3),
        **{name: _percent(sum(one["read"][name] for one in ones), parts) for name in MEASURES},
        "model": _percent(sum(one["by"]["model"] for one in ones), parts),
        "again": _percent(sum(one["again"] for one in ones), parts),
        "extracts": _percent(sum(one["by"]["extract"] for one in ones), parts),
    }


def remembered(embed: Embed) -> Embed:
    """Cache an embedding, so that each text is embedded once."""
    import torch

    one: Callable[[str], torch.Tensor] = cache(lambda text: embed([text])[0])
    return lambda texts: torch.stack([one(text) for text in texts])


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1)

"""Raw results in .run/bench/summaries.json, and the table and the plot in bench/results/ that are made from them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bench import plot

FOLDER = Path(__file__).parent / "results"
RAW = Path(__file__).parent.parent / ".run" / "bench" / "summaries.json"
COLUMNS = {
    "method": "",
    "grounded": "grounded, %",
    "checked": "by a second check, %",
    "coverage": "coverage",
    "stretches": "of even pieces",
    "compression": "length of the trace's",
    "first": "first part, s",
    "hold_p50": "hold p50, ms",
    "hold_p95": "hold p95, ms",
    "written": "tokens written",
    "read": "tokens read",
    "title": "titles whole, %",
    "plain": "plain titles, %",
    "filler": "filler, %",
    "debris": "debris, %",
    "cut": "cut, %",
    "repeated": "repeated, %",
    "model": "by the model, %",
    "again": "written again, %",
    "extracts": "extracts, %",
}
HEADINGS = {"all": "All traces", "short": "The short ones", "long": "The long ones (10,000 characters and more)"}
SCRIPTED = (
    "{streams} scripted streams of 50 tokens/s, {at_once} at once, {tokens:,} tokens of reasoning, a summarizer of 1 s"
    " a part: answer hold p50 {hold_p50} ms, p95 {hold_p95} ms, at most {hold_max} ms; the first part {first_p50} s"
    " after its step's end (p50), at most {first_max} s; all {parts} parts {after_step_p95} s after it (p95);"
    " {again}% written twice, {extracts}% extracts. The process itself was up to {loop_lag_p99} ms late (p99)."
)
COLOURS = ("#777777", "#999999", "#b08030", "#4a7db5", "#8a5aa8", "#c0392b")


def read() -> dict[str, Any]:
    """Return the raw results, or an empty dictionary if there are none yet."""
    results: dict[str, Any] = json.loads(RAW.read_text("utf-8")) if RAW.exists() else {}
    return results


def update(**changed: Any) -> None:
    """Replace some of the raw results, and make the table and the plot again."""
    results = {**read(), **changed}
    FOLDER.mkdir(exist_ok=True)
    RAW.parent.mkdir(parents=True, exist_ok=True)
    RAW.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (FOLDER / "summaries.md").write_text(markdown(results), "utf-8")
    (FOLDER / "summaries.svg").write_text(svg(results), "utf-8")


def markdown(results: dict[str, Any]) -> str:
    """Return the tables, and a sentence on the scripted streams."""
    parts = []
    table = results.get("table", {})
    languages = {group: f"In `{group}`" for group in table if group not in (*HEADINGS, "missing")}
    for group, heading in {**HEADINGS, **languages}.items():
        if rows := table.get(group):
            parts += [f"**{heading}** ({rows[0]['traces']} traces)", "\n".join(_lines(rows))]
    if scripted := results.get("scripted"):
        parts.append(SCRIPTED.format(**scripted))
    return "\n\n".join(parts) + "\n"


def _lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield f"| {' | '.join(COLUMNS.values())} |"
    yield "|---|" + "--:|" * (len(COLUMNS) - 1)
    for row in rows:
        yield f"| {' | '.join(str(row[column]) for column in COLUMNS)} |"


def svg(results: dict[str, Any]) -> str:
    """Return a plot: coverage over length, a dot a method, and the answer hold of the scripted streams, sorted."""
    half = plot.WIDTH / 2
    drawn = [*_dots(results.get("table", {}).get("all", []), half)]
    drawn += _curve(results.get("scripted", {}).get("holds", []), half)
    return plot.svg(drawn)


def _dots(rows: Sequence[dict[str, Any]], width: float) -> Iterator[str]:
    if not rows:
        return
    wide = max(row["compression"] for row in rows) * 1.25
    low, high = min(row["coverage"] for row in rows) - 0.05, max(row["coverage"] for row in rows) + 0.05
    yield from plot.axes(0, width, "length of the summary / of the trace", "coverage of the steps")
    for at in (0.0, wide / 2, wide):
        yield plot.text(plot.x(at / wide, 0, width), plot.HEIGHT - plot.MARGIN + 14, f"{at:.2f}", "middle")
    for at in (low, (low + high) / 2, high):
        yield plot.text(plot.MARGIN - 4, plot.y((at - low) / (high - low)) + 4, f"{at:.2f}", "end")
    label = 0.0
    coloured = zip(rows, COLOURS, strict=False)
    for row, colour in sorted(coloured, key=lambda pair: -float(pair[0]["coverage"])):
        x, y = plot.x(row["compression"] / wide, 0, width), plot.y((row["coverage"] - low) / (high - low))
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
        anchor, shift = ("end", -8) if x > width * 0.6 else ("start", 8)
        label = max(y + 4, label + 13)
        yield plot.text(x + shift, label, row["method"], anchor, colour)


def _curve(holds: Sequence[float], left: float) -> Iterator[str]:
    if not holds:
        return
    most = max(1000.0, *holds)
    yield from plot.axes(left, left, "share of the streams, %", "answer hold, ms")
    for share in (0, 50, 95):
        yield plot.text(plot.x(share / 100, left, left), plot.HEIGHT - plot.MARGIN + 14, str(share), "middle")
    for at in (0.0, most / 2, most):
        yield plot.text(left + plot.MARGIN - 4, plot.y(at / most) + 4, f"{at:.0f}", "end")
    points = " ".join(
        f"{plot.x((n + 1) / len(holds), left, left):.1f},{plot.y(hold / most):.1f}" for n, hold in enumerate(holds)
    )
    yield f'<polyline points="{points}" fill="none" stroke="{COLOURS[-1]}" stroke-width="2"/>'

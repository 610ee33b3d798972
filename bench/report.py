"""The results in bench/results: summaries.json, and the table and the plot that are made from it."""

import json
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"
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
WIDTH, HEIGHT, MARGIN = 860, 360, 56
COLOURS = ("#777777", "#999999", "#b08030", "#4a7db5", "#8a5aa8", "#c0392b")


def read() -> dict[str, Any]:
    """What is in summaries.json; empty where there is none."""
    file = FOLDER / "summaries.json"
    results: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return results


def update(**changed: Any) -> None:
    """Change some of summaries.json, and make the table and the plot again."""
    results = {**read(), **changed}
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / "summaries.json").write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (FOLDER / "summaries.md").write_text(markdown(results), "utf-8")
    (FOLDER / "summaries.svg").write_text(svg(results), "utf-8")


def markdown(results: dict[str, Any]) -> str:
    parts = []
    table = results.get("table", {})
    for group, heading in HEADINGS.items():
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
    """Left: coverage over length, a dot a method. Right: the answer hold of the scripted streams, shortest first."""
    half = WIDTH / 2
    drawn = [*_dots(results.get("table", {}).get("all", []), half)]
    drawn += _curve(results.get("scripted", {}).get("holds", []), half)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="sans-serif" font-size="11">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>{"".join(drawn)}</svg>\n'
    )


def _dots(rows: Sequence[dict[str, Any]], width: float) -> Iterator[str]:
    if not rows:
        return
    wide = max(row["compression"] for row in rows) * 1.25
    low, high = min(row["coverage"] for row in rows) - 0.05, max(row["coverage"] for row in rows) + 0.05
    yield from _axes(0, width, "length of the summary / of the trace", "coverage of the steps")
    for at in (0.0, wide / 2, wide):
        yield _text(_x(at / wide, 0, width), HEIGHT - MARGIN + 14, f"{at:.2f}", "middle")
    for at in (low, (low + high) / 2, high):
        yield _text(MARGIN - 4, _y((at - low) / (high - low)) + 4, f"{at:.2f}", "end")
    label = 0.0
    coloured = zip(rows, COLOURS, strict=False)
    for row, colour in sorted(coloured, key=lambda pair: -float(pair[0]["coverage"])):
        x, y = _x(row["compression"] / wide, 0, width), _y((row["coverage"] - low) / (high - low))
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
        anchor, shift = ("end", -8) if x > width * 0.6 else ("start", 8)
        label = max(y + 4, label + 13)
        yield _text(x + shift, label, row["method"], anchor, colour)


def _curve(holds: Sequence[float], left: float) -> Iterator[str]:
    if not holds:
        return
    most = max(1000.0, *holds)
    yield from _axes(left, left, "share of the streams, %", "answer hold, ms")
    for share in (0, 50, 95):
        yield _text(_x(share / 100, left, left), HEIGHT - MARGIN + 14, str(share), "middle")
    for at in (0.0, most / 2, most):
        yield _text(left + MARGIN - 4, _y(at / most) + 4, f"{at:.0f}", "end")
    points = " ".join(
        f"{_x((n + 1) / len(holds), left, left):.1f},{_y(hold / most):.1f}" for n, hold in enumerate(holds)
    )
    yield f'<polyline points="{points}" fill="none" stroke="{COLOURS[-1]}" stroke-width="2"/>'


def _axes(left: float, width: float, below: str, above: str) -> Iterator[str]:
    x, right, bottom = left + MARGIN, left + width - 16, HEIGHT - MARGIN
    yield f'<path d="M{x} 28V{bottom}H{right}" fill="none" stroke="#333"/>'
    yield _text((x + right) / 2, HEIGHT - 22, below, "middle")
    yield _text(left + 12, 18, above, "start")


def _x(share: float, left: float, width: float) -> float:
    return left + MARGIN + share * (width - 16 - MARGIN)


def _y(share: float) -> float:
    return HEIGHT - MARGIN - share * (HEIGHT - MARGIN - 32)


def _text(x: float, y: float, text: str, anchor: str, colour: str = "#333") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'

"""Write the measurements as JSON, and tables and a plot of their medians over the rounds.

A rung of the search that was tried twice counts as two runs. `figures` and `meter` define the columns.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median_low
from typing import Any

from bench import plot
from bench.load.plan import Bench
from bench.load.upstream import characters

Table = Mapping[str, str]
"""The headings of a table by the names of the figures."""

FIGURES: Table = {
    "row": "",
    "sustained": "streams sustained (each round)",
    "latency_p50 1": "latency of a delta, 1 stream, p50, ms",
    "latency_p99 1": "latency of a delta, 1 stream, p99, ms",
    "latency_p50 few": "latency of a delta, {few} streams, p50, ms",
    "latency_p99 few": "latency of a delta, {few} streams, p99, ms",
    "latency_p50 many": "latency of a delta, {many} streams, p50, ms",
    "latency_p99 many": "latency of a delta, {many} streams, p99, ms",
    "first_event_p50 1": "first event, 1 stream, p50, ms",
    "first_event_p99 many": "first event, {many} streams, p99, ms",
    "first_reasoning_p50 1": "first reasoning, 1 stream, p50, ms",
    "first_reasoning_p99 many": "first reasoning, {many} streams, p99, ms",
    "hold_p50 few": "answer hold, {few} streams, p50, ms",
    "hold_p99 many": "answer hold, {many} streams, p99, ms",
    "cpu_us few": "CPU a delta, {few} streams, µs",
    "cpu_us many": "CPU a delta, {many} streams, µs",
    "serving_us many": "CPU a delta of serving processes alone, {many} streams, µs",
    "idle_cpu": "CPU while idle, % of a core",
    "idle_memory_mb": "memory while idle, MB",
    "memory_mb many": "memory with {many} streams, MB",
    "upstream_us many": "the upstream's CPU a delta, {many} streams, µs",
    "probe_us many": "the probe's CPU a delta, {many} streams, µs",
    "stalls": "stalls, in failed rungs too",
    "errors": "streams not whole, in failed rungs too",
}
GROWTH: Table = {
    "at_once": "streams at once",
    "length": "deltas each",
    "pace": "deltas/s",
    "latency_p50": "latency of a delta, p50, ms",
    "latency_p99": "latency of a delta, p99, ms",
    "first_event_p50": "first event, p50, ms",
    "cpu_us": "CPU a delta, µs",
    "serving_us": "CPU a delta of serving processes alone, µs",
    "memory_mb": "memory, MB",
    "kb_a_stream": "memory a stream, KB",
    "serving_kb_a_stream": "memory a stream of serving processes alone, KB",
    "kb_text": "its text, KB",
    "kb_received": "what the client received, KB",
}
GOALS: Table = {
    "row": "",
    "litellm": "streams sustained, times LiteLLM's",
    "proxy": "streams sustained, times the proxy's",
    "cpu": "CPU a delta, {many} streams, of LiteLLM's",
    "serving": "CPU a delta of serving processes alone, of LiteLLM's",
    "first_p50": "first event, added to direct, 1 stream, p50, ms",
    "first_p99": "first event, added to direct, {many} streams, p99, ms",
    "latency": "latency of a delta, 1 stream, p50, ms",
}
COLOURS = ("#777777", "#b08030", "#4a7db5", "#c0392b", "#8a5aa8", "#3a8a5a")


def results(bench: Bench, machine: dict[str, Any]) -> dict[str, Any]:
    """Return all measurements, for load.json."""
    return {
        "machine": machine,
        "loads": bench.plan.loads,
        "sustained": bench.sustained,
        "idle": bench.idle,
        "runs": bench.runs,
    }


def write(results: dict[str, Any], folder: Path, raw: Path) -> None:
    """Write load.md and load.svg into `folder`, and load.json into the folder `raw`."""
    for one in (folder, raw):
        one.mkdir(parents=True, exist_ok=True)
    (raw / "load.json").write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (folder / "load.md").write_text(markdown(results), "utf-8")
    (folder / "load.svg").write_text(svg(results), "utf-8")


def markdown(results: dict[str, Any]) -> str:
    """Return the tables as Markdown."""
    about = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in results["machine"].items())
    rows = [_row(results, row) for row in results["sustained"]]
    parts = [about, _table(_named(FIGURES, results), rows)]
    if goals := list(_goals(results)):
        parts += ["**Beside the others**", _table(_named(GOALS, results), goals)]
    for part, heading in (("count", "More streams"), ("length", "Longer streams")):
        if grown := _grown(results, part):
            parts += [f"**{heading}**, of the row {grown[0]['row']}", _table(GROWTH, grown)]
    return "\n\n".join(parts) + "\n"


def _table(figures: Table, rows: Sequence[Mapping[str, Any]]) -> str:
    """Format a table with a line for each figure and a column for each row. The first figure is the header."""
    lines = [[heading, *(_cell(row.get(name)) for row in rows)] for name, heading in figures.items()]
    lines.insert(1, ["---", *["--:"] * len(rows)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _named(figures: Table, results: dict[str, Any]) -> Table:
    """Return the headings with the numbers of streams of the two loads; if they are equal, with one of them."""
    few, many = results["loads"]
    shown = {name: heading for name, heading in figures.items() if few != many or not name.endswith(" few")}
    return {name: heading.format(few=few, many=many) for name, heading in shown.items()}


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def _row(results: dict[str, Any], row: str) -> dict[str, Any]:
    """Return the figures of a row by name; those of a load are named with it, as in `cpu_us many`: 1, few or many."""
    runs = [run for run in results["runs"] if run["row"] == row]
    figures: dict[str, Any] = {"row": row, "sustained": _sustained(results["sustained"][row])}
    few, many = results["loads"]
    for load, part, at_once in (("1", "alone", 1), ("few", "load", few), ("many", "load", many)):
        medians = _medians([run for run in runs if (run["part"], run["at_once"]) == (part, at_once)])
        figures |= {f"{name} {load}": value for name, value in medians.items()}
    idle = results["idle"].get(row.split()[0], [])
    figures |= {f"idle_{name}": value for name, value in _medians(idle).items()}
    figures["stalls"] = sum(run["stalls"] for run in runs)
    problems = sum((Counter(run["errors"]) for run in runs), Counter[str]())
    return figures | {"errors": ", ".join(f"{count} {problem}" for problem, count in problems.items()) or 0}


def _sustained(rounds: Sequence[int]) -> str:
    each = f" ({', '.join(map(str, rounds))})" if len(rounds) > 1 else ""
    return f"{median_low(rounds)}{each}" if rounds else ""


def _medians(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the lower median of each figure that is a number in all runs."""
    names = runs[0] if runs else {}
    return {
        name: median_low(run[name] for run in runs)
        for name in names
        if all(isinstance(run[name], int | float) for run in runs)
    }


def _goals(results: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each row of the gateway compared with the other targets, if the same run has measured them."""
    streams = {row: median_low(rounds) for row, rounds in results["sustained"].items() if rounds}
    if not {"direct", "litellm", "proxy"} <= set(streams):
        return
    direct, litellm = _row(results, "direct"), _row(results, "litellm")
    for name in results["sustained"]:
        if not name.startswith("gateway"):
            continue
        row = _row(results, name)
        yield {
            "row": name,
            "litellm": _ratio(streams[name], streams["litellm"]),
            "proxy": _ratio(streams[name], streams["proxy"]),
            "cpu": _ratio(row.get("cpu_us many"), litellm.get("cpu_us many")),
            "serving": _ratio(row.get("serving_us many"), litellm.get("cpu_us many")),
            "first_p50": _added(row, direct, "first_event_p50 1"),
            "first_p99": _added(row, direct, "first_event_p99 many"),
            "latency": row.get("latency_p50 1"),
        }


def _ratio(value: float | None, to: float | None) -> float | None:
    return round(value / to, 2) if value is not None and to else None


def _added(row: Mapping[str, Any], direct: Mapping[str, Any], name: str) -> float | None:
    return round(row[name] - direct[name], 2) if name in row and name in direct else None


def _grown(results: dict[str, Any], part: str) -> list[dict[str, Any]]:
    runs = [run for run in results["runs"] if run["part"] == part]
    received = [run["received"] / run["streams"] for run in runs]
    return [
        {**run, "kb_received": round(size / 1024, 1), "kb_text": round(characters(run["length"]) / 1024, 1)}
        for run, size in zip(runs, received, strict=True)
    ]


def svg(results: dict[str, Any]) -> str:
    """Draw CPU a delta over concurrent streams on the left, and the streams that each row sustains on the right."""
    half = plot.WIDTH / 2
    rows = dict(zip(results["sustained"], COLOURS, strict=False))
    curves = {row: points for row in rows if (points := _costs(results, row))}
    return plot.svg([*_curves(curves, rows, half), *_bars(results["sustained"], rows, half)])


def _costs(results: dict[str, Any], row: str) -> list[tuple[int, float]]:
    """Return the concurrent streams and the CPU time of a delta for each load of a row that has processes."""
    runs = [run for run in results["runs"] if (run["row"], run["part"]) == (row, "load") and run["cpu_us"]]
    loads = sorted({run["at_once"] for run in runs})
    return [(load, median_low(run["cpu_us"] for run in runs if run["at_once"] == load)) for load in loads]


def _curves(curves: Mapping[str, list[tuple[int, float]]], rows: Table, width: float) -> Iterator[str]:
    yield from plot.axes(0, width, "streams at once", "CPU a delta, µs")
    steps = sorted({at_once for points in curves.values() for at_once, _ in points})
    most = max((value for points in curves.values() for _, value in points), default=1.0)
    places = {at_once: plot.x(number / max(1, len(steps) - 1), 0, width) for number, at_once in enumerate(steps)}
    for at_once, place in places.items():
        yield plot.text(place, plot.HEIGHT - plot.MARGIN + 14, str(at_once), "middle")
    for value in (0.0, most / 2, most):
        yield plot.text(plot.MARGIN - 4, plot.y(value / most) + 4, f"{value:.0f}", "end")
    for row, points in curves.items():
        line = " ".join(f"{places[at_once]:.1f},{plot.y(value / most):.1f}" for at_once, value in points)
        yield f'<polyline points="{line}" fill="none" stroke="{rows[row]}" stroke-width="2"/>'


def _bars(sustained: Mapping[str, Sequence[int]], rows: Table, left: float) -> Iterator[str]:
    yield plot.text(left + 12, 18, "streams sustained", "start")
    found = {row: median_low(rounds) for row, rounds in sustained.items() if rounds}
    most = max(found.values(), default=0) or 1
    for number, (row, streams) in enumerate(found.items()):
        at = 40 + 44 * number
        width = streams / most * (left - 2 * plot.MARGIN)
        yield f'<rect x="{left + 12}" y="{at + 4}" width="{width:.1f}" height="16" fill="{rows[row]}"/>'
        yield plot.text(left + 12, at, row, "start", rows[row])
        yield plot.text(left + 18 + width, at + 16, str(streams), "start")

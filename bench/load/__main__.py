"""The load benchmark: streams through the gateway, through what people would take instead, and without either.

    make bench                                   everything, at most 15 minutes, into bench/results/load.*
    .venv/bin/python -m bench.load --quick       a minute or two, to see that all of it works, into .run/load/

A scripted upstream (`upstream`) writes the time into each delta; a probe (`probe`) finds it again in whatever comes out
of the target (`targets`), and so knows how long every delta took. What is asked in which order: `plan`. What the
figures mean: `figures` and `meter`. A server sustains as many streams, their beginnings spread over a second, as all
end within 1.05 times their ideal time with no gap of ten times the pace; `sustained` has the search. Upstream, probe
and target share the machine, so figures compare within one run only, on a machine that does nothing else.
"""

import argparse
import os
import platform
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.markdown import Markdown
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bench.load import report
from bench.load.plan import FULL, QUICK, Bench, Plan
from bench.load.processes import server
from bench.load.targets import RUN, TARGETS
from cluster.local import free_port

RESULTS = Path(__file__).parent.parent / "results"
LATER_ROUND = 0.65
"""Of the time of the first round, that a later one may take: the cost growth is not measured again, and the search for
what is sustained begins where it ended."""

console = Console(stderr=True)


def bench(plan: Plan, targets: list[str], rounds: int, minutes: float) -> Bench:
    """Rounds, as many as are asked for and begin early enough to end in time."""
    port, began, first = free_port(), time.monotonic(), 0.0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    command = [sys.executable, "-m", "bench.load.upstream", "--port", str(port)]
    health = f"http://127.0.0.1:{port}/health"
    with server(command, health, RUN / "upstream.log", {}) as pid, Progress(*columns, console=console) as progress:
        bar = progress.add_task("starting", total=rounds * len(targets))
        measured = Bench(plan, (port, pid), lambda now: progress.update(bar, description=now))
        for _ in range(rounds):
            if first and _passed(began) + LATER_ROUND * first > 60 * minutes:
                break
            for target in targets:
                measured.turn(target)
                progress.advance(bar)
            first = first or _passed(began)
    return measured


def _passed(began: float) -> float:
    return time.monotonic() - began


def machine() -> dict[str, Any]:
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "ray": version("ray"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how many times each target has its turn, at most (3)")
    parser.add_argument("--minutes", type=float, default=15, help="no round begins that would end later (15)")
    parser.add_argument(
        "--only", choices=TARGETS, action="append", help="this target alone; may be given several times"
    )
    parser.add_argument(
        "--reasoning", choices=["tags", "field"], default="tags", help="how the upstream marks it (tags, in the text)"
    )
    parser.add_argument("--quick", action="store_true", help="one round of small loads: its figures mean nothing")
    parser.add_argument("--results", type=Path, help="the folder to write to (bench/results; .run/load with --quick)")
    asked = parser.parse_args()
    plan = QUICK if asked.quick else FULL
    plan = replace(plan, usual=replace(plan.usual, reasoning=asked.reasoning))
    about = machine()
    if about["load_average"] > 0.5 and not asked.quick:
        console.print(f"something else runs here (load average {about['load_average']}): figures will be off")
    try:
        measured = bench(plan, asked.only or list(TARGETS), 1 if asked.quick else asked.rounds, asked.minutes)
    except RuntimeError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise SystemExit(1) from None
    folder = asked.results or (RUN if asked.quick else RESULTS)
    results = report.results(measured, about)
    report.write(results, folder)
    console.print(Markdown(report.markdown(results)))
    console.print(f"written to {folder}/load.json, load.md and load.svg", highlight=False)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
        sys.exit()
    sys.exit(130)

"""The load benchmark: streams through the gateway, through the alternatives, and directly from the upstream.

    make bench                                        everything, at most 15 minutes
    python -m bench.load --only gateway --streams 64  one load on one target, three minutes, to measure a change
    python -m bench.load --quick                      a minute or two, to see that all of it works

A scripted upstream (`upstream`) writes the time into each delta. A probe (`probe`) finds it in the bytes that the
target (`targets`) sends, and computes the latency of every delta. `plan` has the order of the measurements, `figures`
and `meter` define the figures, and `report` writes the tables, the plot and the raw data.

The starts of a load's streams are spread over a second. A server sustains a load if all streams end within 1.05 times
their ideal duration, without a gap of ten times 1 / pace; `sustained` searches for the highest one. Upstream, probe and
target share the machine: compare figures of one run only, taken while the machine does nothing else.
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
RAW = RUN.parent / "bench"
LATER_ROUND = 0.65
"""The duration of a later round as a share of the first one's: it does not measure the growth of costs, and its search
begins near the result of the one before."""

console = Console(stderr=True)


def bench(plan: Plan, targets: list[str], rounds: int, minutes: float) -> Bench:
    """Run rounds, until there are `rounds` or another one would end after `minutes`."""
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
    """Return the date, and the facts about the machine that the figures depend on."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "ray": version("ray"),
        "load_average": round(os.getloadavg()[0], 2),
    }


def chosen_plan(arguments: argparse.Namespace) -> Plan:
    """Return the plan that the command line asks for."""
    plan = QUICK if arguments.quick else FULL
    plan = replace(plan, usual=replace(plan.usual, reasoning=arguments.reasoning))
    return plan.only(min(arguments.streams), max(arguments.streams)) if arguments.streams else plan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="maximum number of turns of each target (3)")
    parser.add_argument("--minutes", type=float, default=15, help="start no round that would end later than this (15)")
    parser.add_argument(
        "--only", choices=TARGETS, action="append", help="measure this target only; may be given several times"
    )
    parser.add_argument(
        "--streams",
        type=int,
        nargs="+",
        metavar="N",
        help="measure only loads of so many streams, one or two numbers, without the search and the growth of costs",
    )
    parser.add_argument(
        "--reasoning", choices=["tags", "field"], default="tags", help="the upstream's marking of reasoning (tags)"
    )
    parser.add_argument("--quick", action="store_true", help="one round of small loads; its figures mean nothing")
    parser.add_argument(
        "--results",
        type=Path,
        help="folder for all files (tables and plot in bench/results, raw data in .run/bench; all in .run/bench if the"
        " run is a part)",
    )
    arguments = parser.parse_args()
    about = machine()
    if about["load_average"] > 0.5 and not arguments.quick:
        console.print(f"other programs are running (load average {about['load_average']}): figures will be off")
    rounds = 1 if arguments.quick else arguments.rounds
    try:
        measured = bench(chosen_plan(arguments), arguments.only or list(TARGETS), rounds, arguments.minutes)
    except RuntimeError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        raise SystemExit(1) from None
    partial = arguments.quick or arguments.only or arguments.streams
    folder, raw = arguments.results or (RAW if partial else RESULTS), arguments.results or RAW
    results = report.results(measured, about)
    report.write(results, folder, raw)
    console.print(Markdown(report.markdown(results)))
    console.print(f"written to {folder}/load.md, {folder}/load.svg and {raw}/load.json", highlight=False)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
        sys.exit()
    sys.exit(130)

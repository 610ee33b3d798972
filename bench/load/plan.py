"""The measurements and their order.

In each round every target has one turn. In a turn the target is started and idle for two seconds, and then each of its
rows is measured: `alone`, one stream at a time; then the search for the number of streams it sustains; then those of
`loads` that the search has not tried. A later round begins its search one rung below the result of the one before.
In the first round, the growth of the gateway's cost is measured before the rows: `lengths`, four streams at a time, and
`counts` of the usual streams.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from bench.load.figures import Run
from bench.load.loads import Load
from bench.load.meter import Meter
from bench.load.sustained import LADDER, restart, sustained
from bench.load.targets import TARGETS

Part = Literal["alone", "load", "length", "count"]
GROWING = "gateway"
"""The row whose growth is measured."""
SETTLE_SECONDS = 1.0
"""Seconds in which an overloaded server may finish its work before the next load."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The loads of a turn, and the rungs of the search.

    `usual` is the script and spread of all loads but `alone` and `lengths`. `loads` are the two numbers of streams that
    the tables compare, few and many; they may be equal. If the `ladder` is empty, there is no search.

    The streams of `alone` are shorter, so that there are more first events: the cost of a request weighs more in their
    deltas.
    """

    usual: Load
    alone: Load
    loads: tuple[int, int]
    ladder: tuple[int, ...]
    first: int
    lengths: tuple[Load, ...]
    counts: tuple[int, ...]

    def only(self, few: int, many: int) -> Self:
        """Return the plan with these two loads alone: without the search and the growth of costs."""
        return replace(self, loads=(few, many), ladder=(), lengths=(), counts=())


FULL = Plan(
    usual=Load(1),
    alone=Load(8, deltas=25, spread=4.8),
    loads=(16, 64),
    ladder=LADDER,
    first=8,
    lengths=(
        Load(160, deltas=100, pace=500, spread=8),
        Load(16, deltas=1000, pace=500, spread=8),
        Load(4, deltas=5000, pace=500),
        Load(4, deltas=20000, pace=500),
    ),
    counts=(1, 8, 64, 200),
)
QUICK = Plan(
    usual=Load(1),
    alone=Load(3, deltas=25, spread=2),
    loads=(4, 8),
    ladder=(4, 8),
    first=4,
    lengths=(Load(20, deltas=20, pace=200, spread=1), Load(2, deltas=200, pace=200, spread=0.5)),
    counts=(1, 8),
)


@dataclass(slots=True)
class Bench:
    """The measurements so far. `upstream` is the upstream's port and pid; `report` is called with each step."""

    plan: Plan
    upstream: tuple[int, int]
    report: Callable[[str], None]
    runs: list[dict[str, Any]] = field(default_factory=list)
    sustained: dict[str, list[int]] = field(default_factory=dict)
    idle: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    def turn(self, target: str) -> None:
        """Measure all rows of a target. Raise RuntimeError if it cannot be started."""
        port, pid = self.upstream
        self.report(f"{target} starts")
        with TARGETS[target](port) as running:
            for row in running.rows:
                self._warm_up(Meter(running, pid), row)
            meter = Meter(running, pid)
            first = target not in self.idle
            self.idle.setdefault(target, []).append(meter.idle())
            if first and GROWING in running.rows:
                self._grow(meter)
            for row in running.rows:
                self._row(meter, row)

    def _warm_up(self, meter: Meter, row: str) -> None:
        meter.measure(row, Load(2, deltas=20, pace=100, spread=0.2))

    def _grow(self, meter: Meter) -> None:
        for load in self.plan.lengths:
            self._run(meter, GROWING, load, "length")
        meter.rest()
        for count in self.plan.counts:
            self._run(meter, GROWING, self._streams(count), "count")

    def _row(self, meter: Meter, row: str) -> None:
        tried = set[int]()

        def holds(streams: int) -> bool:
            tried.add(streams)
            run = self._run(meter, row, self._streams(streams))
            if not run.sustained:
                time.sleep(SETTLE_SECONDS)
            return run.sustained

        meter.rest()
        self._run(meter, row, self.plan.alone, "alone")
        found, ladder = self.sustained.setdefault(row, []), self.plan.ladder
        if ladder:
            start = restart(found[-1], ladder) if found else ladder.index(self.plan.first)
            found.append(sustained(holds, ladder, start))
        for count in sorted({*self.plan.loads} - tried):
            self._run(meter, row, self._streams(count))

    def _run(self, meter: Meter, row: str, load: Load, part: Part = "load") -> Run:
        self.report(f"{row}: {load.at_once} streams of {load.deltas} deltas at {load.pace}/s")
        load = replace(load, reasoning=self.plan.usual.reasoning)
        run, written = meter.measure(row, load)
        of = {"part": part, "row": row, "at_once": load.at_once, "length": load.deltas, "pace": load.pace}
        self.runs.append({**of, **written})
        return run

    def _streams(self, count: int) -> Load:
        return replace(self.plan.usual, streams=count)

"""One load on one target: the probe, a process of its own, and what the target's processes cost meanwhile.

cpu_us          microseconds of CPU time for each delta, of all the target's processes; what they do while idle is in it
serving_us      the same of those that streams go through, such as Serve's replicas without Ray's own processes; and by
                the name of each deployment, that of its replicas
upstream_us     the same of the scripted upstream
memory_mb       memory of all the processes when nearly all of the streams' text was there: PSS at the last `rest`, and
                by how much RSS has grown since, which is quick enough to be read under load
kb_a_stream     KB of that growth for each stream at once; memory that a process has kept from an earlier load is not
                seen, so only loads that grow after a rest tell
serving_kb_a_stream  the same of those that streams go through: Ray's own processes grow by themselves
"""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

import psutil

from bench.load.figures import Run
from bench.load.loads import Load
from bench.load.processes import ROOT, Spent, memory, resident
from bench.load.targets import Target

PROBE = (sys.executable, "-m", "bench.load.probe")
IDLE_SECONDS = 2.0
ALL, SERVING = "", "serving_"


class Meter:
    """Measures loads on a target that runs, beside the upstream, a pid."""

    def __init__(self, target: Target, upstream: int) -> None:
        self._target, self._upstream = target, [psutil.Process(upstream)]
        self._idle_mb, self._resident_mb = 0.0, dict[str, float]()
        self.rest()

    def rest(self) -> None:
        """Take the memory from which that of the next loads is counted."""
        self._idle_mb = memory(self._target.processes())
        self._resident_mb = {name: resident(ones) for name, ones in self._growing().items()}

    def idle(self) -> dict[str, float]:
        """Memory, and CPU time in percent of a core, while nothing is asked."""
        began = self._spent()
        time.sleep(IDLE_SECONDS)
        spent = self._since(began)
        percent = {name: round(100 * spent[name] / IDLE_SECONDS, 1) for name in ("cpu", "serving")}
        return {"memory_mb": round(self._idle_mb, 1), **percent}

    def measure(self, row: str, load: Load) -> tuple[Run, dict[str, Any]]:
        """The figures, and those with the costs as they are written down."""
        asked = json.dumps({"route": asdict(self._target.rows[row]), "load": asdict(load)})
        before, growing = self._spent(), self._growing()
        with subprocess.Popen(
            [*PROBE, asked], stdout=subprocess.PIPE, cwd=ROOT, text=True, start_new_session=True
        ) as probe:
            try:
                with suppress(subprocess.TimeoutExpired):
                    probe.wait(load.fullest)
                grown = {name: resident(ones) - self._resident_mb[name] for name, ones in growing.items()}
                told, _ = probe.communicate()
            finally:
                probe.kill()
        run = Run(**json.loads(told))
        return run, {**asdict(run), **self._costs(before, grown, run, load)}

    def _costs(self, before: Mapping[str, Spent], grown: Mapping[str, float], run: Run, load: Load) -> dict[str, float]:
        each = {name: seconds * 1e6 / max(1, run.deltas) for name, seconds in self._since(before).items()}
        return {
            **{f"{name}_us": round(microseconds, 1) for name, microseconds in each.items()},
            "memory_mb": round(self._idle_mb + grown[ALL], 1),
            **{f"{name}kb_a_stream": round(mb * 1024 / load.at_once, 1) for name, mb in grown.items()},
        }

    def _growing(self) -> dict[str, list[psutil.Process]]:
        """By the beginnings of the names of what is said of their memory."""
        return {ALL: self._target.processes(), SERVING: self._target.serving()}

    def _spent(self) -> dict[str, Spent]:
        """By the names of the costs."""
        processes = {
            "cpu": self._target.processes(),
            "serving": self._target.serving(),
            "upstream": self._upstream,
            **{name: part() for name, part in self._target.parts.items()},
        }
        return {name: Spent.by(ones) for name, ones in processes.items()}

    def _since(self, before: Mapping[str, Spent]) -> dict[str, float]:
        return {name: spent.since(before[name]) for name, spent in self._spent().items()}

"""Measure one load on one target: run the probe, and take the CPU time and memory of the target's processes.

cpu_us          CPU time of all the target's processes, microseconds a delta; what they use while idle is included
serving_us      CPU time of the processes that streams pass through (Serve's replicas, but not Ray's own processes);
                NAME_us is the CPU time of the replicas of the deployment NAME
upstream_us     CPU time of the scripted upstream
memory_mb       memory of all the processes when the streams have nearly all of their text: PSS at the last `rest`, plus
                the growth of RSS since then (reading RSS is fast enough under load, reading PSS is not)
kb_a_stream     that growth, divided by the number of concurrent streams; memory that a process has kept from an earlier
                load does not count, so only loads that increase after a rest are comparable
serving_kb_a_stream  the same growth of the processes that streams pass through: Ray's own processes grow without load
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
from bench.load.processes import ROOT, CpuTimes, memory, resident
from bench.load.targets import Target

PROBE = (sys.executable, "-m", "bench.load.probe")
IDLE_SECONDS = 2.0
ALL, SERVING = "", "serving_"


class Meter:
    """Measures loads on a running target. `upstream` is the pid of the scripted upstream."""

    def __init__(self, target: Target, upstream: int) -> None:
        self._target, self._upstream = target, [psutil.Process(upstream)]
        self._idle_mb, self._resident_mb = 0.0, dict[str, float]()
        self.rest()

    def rest(self) -> None:
        """Take the memory that the growth under later loads is counted from."""
        self._idle_mb = memory(self._target.processes())
        self._resident_mb = {name: resident(ones) for name, ones in self._growing().items()}

    def idle(self) -> dict[str, float]:
        """Return memory in MB and CPU time in percent of a core, without any load."""
        began = self._cpu_times()
        time.sleep(IDLE_SECONDS)
        spent = self._since(began)
        percent = {name: round(100 * spent[name] / IDLE_SECONDS, 1) for name in ("cpu", "serving")}
        return {"memory_mb": round(self._idle_mb, 1), **percent}

    def measure(self, row: str, load: Load) -> tuple[Run, dict[str, Any]]:
        """Put a load on the row's route. Return its figures, and the same as a dictionary together with the costs."""
        arguments = json.dumps({"route": asdict(self._target.rows[row]), "load": asdict(load)})
        before, growing = self._cpu_times(), self._growing()
        with subprocess.Popen(
            [*PROBE, arguments], stdout=subprocess.PIPE, cwd=ROOT, text=True, start_new_session=True
        ) as probe:
            try:
                with suppress(subprocess.TimeoutExpired):
                    probe.wait(load.fullest)
                grown = {name: resident(ones) - self._resident_mb[name] for name, ones in growing.items()}
                output, _ = probe.communicate()
            finally:
                probe.kill()
        run = Run(**json.loads(output))
        return run, {**asdict(run), **self._costs(before, grown, run, load)}

    def _costs(
        self, before: Mapping[str, CpuTimes], grown: Mapping[str, float], run: Run, load: Load
    ) -> dict[str, float]:
        each = {name: seconds * 1e6 / max(1, run.deltas) for name, seconds in self._since(before).items()}
        return {
            **{f"{name}_us": round(microseconds, 1) for name, microseconds in each.items()},
            "memory_mb": round(self._idle_mb + grown[ALL], 1),
            **{f"{name}kb_a_stream": round(mb * 1024 / load.at_once, 1) for name, mb in grown.items()},
        }

    def _growing(self) -> dict[str, list[psutil.Process]]:
        """Return the processes whose memory is measured, by the prefix of the figure's name."""
        return {ALL: self._target.processes(), SERVING: self._target.serving()}

    def _cpu_times(self) -> dict[str, CpuTimes]:
        """Return the CPU times of the processes, by the name of the cost."""
        processes = {
            "cpu": self._target.processes(),
            "serving": self._target.serving(),
            "upstream": self._upstream,
            **{name: part() for name, part in self._target.parts.items()},
        }
        return {name: CpuTimes.of(ones) for name, ones in processes.items()}

    def _since(self, before: Mapping[str, CpuTimes]) -> dict[str, float]:
        return {name: spent.since(before[name]) for name, spent in self._cpu_times().items()}

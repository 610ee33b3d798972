"""A gateway under hostile upstreams and hostile clients at once, and what a well-behaved client notices of it.

    make hostile                          an hour
    python -m bench.hostile --minutes 1   a minute, to measure a change

`api` and `clients` are the hostile ones, and `watcher` the client that is measured. Exit with 1 if its streams or
/health fail or are late by more than a second, or if the gateway's memory has grown by more than a tenth once all
have gone.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.hostile.api import FAMILIES
from bench.hostile.memory import by_part, sampled, table
from bench.hostile.watcher import EVERY, Watched, watch
from bench.load.loads import MODEL, SUMMARIZER
from bench.load.processes import ROOT, server
from bench.local_gateway import config_in_front_of, local_gateway, part, with_one_replica
from bench.percentile import percentile
from bench.verdict import conclude
from cluster.local import free_port

RUN = ROOT / ".run" / "hostile"
WARM_UP = 15.0
LATE, GROWTH = 1.0, 1.1
"""Seconds, and the largest memory at the end as a multiple of that before."""

console = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Result:
    """The watcher's figures, and the memory in MB of each part of the gateway: before, each minute, and after.

    `lost` is the number of processes that ended in between.
    """

    watched: Watched
    memory: list[Counter[str]]
    lost: int

    def missed(self) -> list[str]:
        """Return the bounds that are not kept, as sentences."""
        seen = self.watched
        bounds = {
            f"{seen.failed.total()} of the watcher's streams failed": bool(seen.failed),
            f"a stream of the watcher was late by {max(seen.late, default=0):.1f} s": max(seen.late, default=0) > LATE,
            "no stream of the watcher was whole": not seen.late,
            f"/health failed {seen.unhealthy.total()} times": bool(seen.unhealthy),
            f"/health took {max(seen.health, default=0):.1f} s": max(seen.health, default=0) > LATE,
            "memory is not back": self.memory[-1].total() > GROWTH * self.memory[0].total(),
        }
        return [sentence for sentence, is_missed in bounds.items() if is_missed]

    def markdown(self) -> str:
        seen = self.watched
        rows = [
            ("watcher's streams, whole and failed", f"{len(seen.late)}, {_counted(seen.failed)}"),
            ("late by, p50, p99 and worst, s", _spread(seen.late)),
            ("/health, p50, p99 and worst, s", _spread(seen.health)),
            ("/health failed", _counted(seen.unhealthy)),
            ("processes that ended", str(self.lost)),
        ]
        figures = (f"| {name} | {value} |" for name, value in rows)
        return "\n".join(["| | |", "|---|--:|", *figures, "", table(self.memory)])


def _counted(reasons: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "0"


def _spread(seconds: list[float]) -> str:
    return ", ".join(f"{percentile(seconds, share):.3f}" for share in (0.5, 0.99, 1)) if seconds else "none"


def run(minutes: float, rest: float, idle: int, folder: Path = RUN) -> Result:
    """Start everything, watch, and return the result. Raise RuntimeError if something does not start or ends early."""
    with ExitStack() as stack:
        good, hostile = (
            stack.enter_context(_api(module, folder)) for module in ("bench.load.upstream", "bench.hostile.api")
        )
        config = config_in_front_of({good: (MODEL, SUMMARIZER), hostile: tuple(FAMILIES)}, SUMMARIZER)
        console.print("starting the gateway …")
        gateway = stack.enter_context(local_gateway(with_one_replica(config), folder))
        port = int(gateway.api.rpartition(":")[2])
        _watch("warming up", port, WARM_UP, Watched())

        def taken() -> Counter[str]:
            return by_part(gateway.processes(), part)

        before, alive = taken(), {process.pid for process in gateway.processes()}
        watched = Watched()
        with _clients(port, idle, folder), sampled(taken) as minutely:
            _watch("under attack", port, 60 * minutes, watched)
        console.print(f"resting for {rest:.0f} s …")
        time.sleep(rest)
        lost = len(alive - {process.pid for process in gateway.processes()})
        return Result(watched, [before, *minutely, taken()], lost)


def _watch(now: str, port: int, seconds: float, watched: Watched) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task(now, total=max(1, round(seconds / EVERY)))

        def tell() -> None:
            late = f"worst {max(watched.late):.2f} s" if watched.late else "no stream yet"
            progress.update(bar, advance=1, description=f"{now}: {late}, {watched.failed.total()} failed")

        asyncio.run(watch(port, seconds, watched, tell))


@contextmanager
def _api(module: str, folder: Path) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", module, "--port", str(port)]
    with server(command, f"http://127.0.0.1:{port}/health", folder / f"{module}.log", {}):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def _clients(port: int, idle: int, folder: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "bench.hostile.clients", "--port", str(port), "--idle", str(idle)]
    with (folder / "clients.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        yield
        if process.poll() is not None:
            raise RuntimeError(f"the hostile clients have ended; see {log.name}")
    finally:
        process.kill()
        process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="how long the attack lasts (60)")
    parser.add_argument("--rest", type=float, default=60, help="seconds before memory is taken again (60)")
    parser.add_argument("--idle", type=int, default=300, help="connections that stay open and send nothing (300)")
    arguments = parser.parse_args()
    return conclude(lambda: run(arguments.minutes, arguments.rest, arguments.idle), console)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)

"""Ten times as many streams as the gateway sustains: what the admitted ones notice, and how the rest is told.

    python -m bench.overload --streams 960 --seconds 120

A stream of 200 deltas, 50 a second, takes four seconds; as many begin in each second as keep `streams` running at once
if all are admitted. A tenth of them is measured before: what the machine sustains, and nobody is refused. (A few
streams alone would be another thing: text leaves on ticks that are 4 ms apart for each stream, up to 100 ms, so that
their p99 is some milliseconds on an idle machine; the table has it too.) The program's probe is that of `bench.load`,
with the gateway of `serve_config.yaml`. Exit with 1 if the p99 of the latency of admitted streams is more than twice
that of the tenth, the p99 of a refusal takes more than 100 ms, or /health more than a second.
"""

import argparse
import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context

import httpx
from rich.console import Console

from bench.load.figures import Recording, stream_figures
from bench.load.loads import MODEL, SUMMARIZER, Load, Route
from bench.load.probe import record
from bench.load.processes import ROOT, server
from bench.local_gateway import config_in_front_of, local_gateway
from bench.percentile import percentile
from bench.verdict import conclude
from cluster.local import free_port

RUN = ROOT / ".run" / "overload"
USUAL = Load(1)
FEW, FEW_SECONDS, SUSTAINED_SECONDS = 4, 8.0, 16.0
"""Streams at a time, and for how long, of a gateway that has next to nothing to do; and seconds of what it sustains."""
OVER = 10
"""The load as a multiple of what the machine sustains."""
LATENCY, TOLD_MS, HEALTH_SECONDS = 2.0, 100, 1.0
"""The bounds: a multiple of the latency of the sustained load, milliseconds of a refusal, seconds of /health."""
HEALTH_EVERY, PATIENCE = 0.5, 30.0
_STATUS = re.compile(rb"HTTP/1\.\d (\d{3})")

console = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Told:
    """The answers to a load: latencies in milliseconds of the whole streams, and milliseconds of each refusal.

    `refused` are its status and its `Retry-After`, if any; `broken` are streams that began and did not end, or got no
    answer.
    """

    latencies: Sequence[float]
    whole: int
    refused: Counter[str]
    told_ms: Sequence[float]
    broken: Counter[str]


def told(route: Route, load: Load) -> Told:
    """Put a load on a route and return what its streams were told."""
    return told_by(route, load, record(route, load))


def told_by(route: Route, load: Load, recordings: Sequence[Recording]) -> Told:
    latencies, whole, times = list[float](), 0, list[float]()
    refused, broken = Counter[str](), Counter[str]()
    for recording in recordings:
        found = _STATUS.match(b"".join(recording.chunks[:1]))
        if found and found[1] != b"200":
            refused[_refusal(found[1].decode(), b"".join(recording.chunks))] += 1
            times.append((recording.arrived[-1] - recording.began) / 1000)
            continue
        figures = stream_figures(route, load, recording)
        if figures.problem:
            broken[figures.problem] += 1
        else:
            whole += 1
        latencies += [delta.latency / 1000 for delta in figures.deltas]
    return Told(latencies, whole, refused, times, broken)


def _refusal(status: str, answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    after = re.search(rb"(?i)\r\nretry-after: *([^\r]+)", head)
    named = [f"Retry-After {after[1].decode()}" if after else "no Retry-After"]
    named += [] if b'{"error"' in body else ["not OpenAI's body"]
    return f"{status} ({', '.join(named)})"


@dataclass(frozen=True, slots=True)
class Result:
    """The answers to a few streams, to a sustained load and to far more, and the seconds of /health meanwhile."""

    few: Told
    sustained: Told
    overloaded: Told
    health: Sequence[float]
    unhealthy: Counter[str]

    def missed(self) -> list[str]:
        """Return the bounds that are not kept, as sentences."""
        before, now = (_p99(one.latencies) for one in (self.sustained, self.overloaded))
        slowest = _p99(self.overloaded.told_ms)
        bounds = {
            f"the p99 of the latency grew from {before:.0f} to {now:.0f} ms": now > LATENCY * before,
            f"the p99 of a refusal took {slowest:.0f} ms": slowest > TOLD_MS,
            f"{self.overloaded.broken.total()} streams ended early, or got no answer": bool(self.overloaded.broken),
            f"/health took {max(self.health):.1f} s": max(self.health) > HEALTH_SECONDS,
            f"/health failed {self.unhealthy.total()} times": bool(self.unhealthy),
        }
        return [sentence for sentence, is_missed in bounds.items() if is_missed]

    def markdown(self) -> str:
        rows: list[tuple[str, str]] = []
        for name, one in (("a few", self.few), ("sustained", self.sustained), ("overloaded", self.overloaded)):
            rows += [
                (f"{name}: whole streams", str(one.whole)),
                (f"{name}: latency of a delta, p50 and p99, ms", _both(one.latencies)),
            ]
        rows += [
            ("refused", _counted(self.overloaded.refused)),
            ("a refusal took, p50 and p99, ms", _both(self.overloaded.told_ms)),
            ("ended early, or no answer", _counted(self.overloaded.broken)),
            ("/health, p99 and slowest, s", f"{_p99(self.health):.2f}, {max(self.health):.2f}"),
            ("/health failed", _counted(self.unhealthy)),
        ]
        return "\n".join(["| | |", "|---|--:|", *(f"| {name} | {value} |" for name, value in rows)])


def _p99(values: Sequence[float]) -> float:
    return percentile(values, 0.99) if values else 0.0


def _both(values: Sequence[float]) -> str:
    return f"{percentile(values, 0.5):.1f}, {_p99(values):.1f}" if values else "none"


def _counted(reasons: Counter[str]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in reasons.most_common()) or "0"


def steady(at_once: int, seconds: float) -> Load:
    """Return a load that begins streams for `seconds`, of which `at_once` run at a time."""
    return Load(max(1, round(at_once * seconds / USUAL.ideal)), spread=seconds)


def run(streams: int, seconds: float) -> Result:
    """Start a gateway in front of the scripted upstream, and measure. Raise RuntimeError if it does not start."""
    upstream = free_port()
    command = [sys.executable, "-m", "bench.load.upstream", "--port", str(upstream)]
    config = config_in_front_of({f"http://127.0.0.1:{upstream}/v1": (MODEL, SUMMARIZER)}, SUMMARIZER)
    with server(command, f"http://127.0.0.1:{upstream}/health", RUN / "upstream.log", {}):
        console.print("starting the gateway …")
        with local_gateway(config, RUN) as gateway, ProcessPoolExecutor(1, get_context("spawn")) as probe:
            port = int(gateway.api.rpartition(":")[2])
            route = Route(port, "/v1/reasoning", {"model": MODEL}, last="stream.completed")
            _progress("warming up", 2.0)
            probe.submit(told, route, steady(FEW, 2.0)).result()
            _progress(f"{FEW} streams at a time", FEW_SECONDS)
            few = probe.submit(told, route, steady(FEW, FEW_SECONDS)).result()
            _progress(f"{streams // OVER} streams at a time", SUSTAINED_SECONDS)
            sustained = probe.submit(told, route, steady(streams // OVER, SUSTAINED_SECONDS)).result()
            _progress(f"{streams} streams at a time", seconds)
            with _asking_for_health(port) as (health, unhealthy):
                overloaded = probe.submit(told, route, steady(streams, seconds)).result()
            return Result(few, sustained, overloaded, health, unhealthy)


def _progress(now: str, seconds: float) -> None:
    console.print(f"{now}, {seconds:.0f} s …")


@contextmanager
def _asking_for_health(port: int) -> Iterator[tuple[list[float], Counter[str]]]:
    """Ask for /health twice a second in a thread; yield the seconds it took, and the failures by reason."""
    seconds, failures, done = list[float](), Counter[str](), threading.Event()

    def ask() -> None:
        while not done.wait(HEALTH_EVERY):
            began = time.monotonic()
            try:
                status = httpx.get(f"http://127.0.0.1:{port}/health", timeout=PATIENCE, trust_env=False).status_code
            except httpx.HTTPError as error:
                failures[type(error).__name__] += 1
            else:
                failures.update([f"status {status}"] if status != 200 else [])
            seconds.append(time.monotonic() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seconds, failures
    finally:
        done.set()
        thread.join()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=960, help="ten times what this machine sustains (960)")
    parser.add_argument("--seconds", type=float, default=120, help="for how long streams begin (120)")
    arguments = parser.parse_args()
    return conclude(lambda: run(arguments.streams, arguments.seconds), console)


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.exit(130)

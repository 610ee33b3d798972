"""Servers as child processes: start them, wait until they are healthy, end them, and take their CPU time and memory."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple, Self

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS, STOP_SECONDS, POLL_SECONDS = 90, 10, 0.2
MB = 1 << 20
LINE = 200
"""Maximum length of a line of a log in an error message, in characters."""

Processes = Callable[[], list[psutil.Process]]


class CpuTimes(NamedTuple):
    """CPU seconds of processes by pid, each since its start."""

    seconds: Mapping[int, float]

    @classmethod
    def of(cls, processes: Sequence[psutil.Process]) -> Self:
        """Take the CPU times now. A process that has ended is left out."""
        seconds = {}
        for process in processes:
            with suppress(psutil.Error):
                times = process.cpu_times()
                seconds[process.pid] = times.user + times.system
        return cls(seconds)

    def since(self, before: Self) -> float:
        """Return the seconds used since `before` by the processes that still run."""
        return sum(spent - before.seconds.get(pid, 0.0) for pid, spent in self.seconds.items())


def memory(processes: Sequence[psutil.Process]) -> float:
    """Return the PSS in MB: shared memory counts once. Takes milliseconds a process."""
    return _total(processes, lambda process: process.memory_full_info().pss)


def resident(processes: Sequence[psutil.Process]) -> float:
    """Return the RSS in MB: shared memory counts in each process. Takes microseconds a process."""
    return _total(processes, lambda process: process.memory_info().rss)


def _total(processes: Sequence[psutil.Process], size: Callable[[psutil.Process], int]) -> float:
    total = 0
    for process in processes:
        with suppress(psutil.Error):
            total += size(process)
    return total / MB


def family(pid: int) -> list[psutil.Process]:
    """Return a process and all its descendants."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def listens(port: int) -> bool:
    """Return True if a port of this machine accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def server(command: Sequence[str], health: str, log: Path, environment: Mapping[str, str]) -> Iterator[int]:
    """Start a server in a process group of its own, and yield its pid once the URL `health` answers 200.

    Raise RuntimeError with the end of its log if it does not.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            cwd=ROOT,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _healthy(health):
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
            if process.returncode is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not come up; its log ends:\n{tail(log)}")
        yield process.pid
    finally:
        _end(process)


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    return "\n".join(line[:LINE] for line in log.read_text(errors="replace").splitlines()[-15:])


def _healthy(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)

"""The record of the gateway that runs on this machine for this user, in one folder that is found from anywhere.

    $REASONING_GATEWAY_HOME, or ~/.cache/reasoning-gateway/run
        state.json           the Ray that `up` has started, and what is deployed on it
        serve_config.yaml    the Serve config as it was deployed last
        ray.log              the output of `ray start`
        haproxy, haproxy*.sed the script by which Serve starts HAProxy, and its edits of Serve's configuration
        lock                 taken by `up` and `down` while they work

Knows nothing of Ray and Serve: a run is a session of processes.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

CLOCK_TOLERANCE_SECONDS = 2.0
"""Seconds by which two readings of the time when a process began may differ."""


class CommandError(Exception):
    """A command cannot go on; the text tells the user why, and what to do next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A Ray that `up` has started, and what was deployed on it last.

    `pid` is the process of `ray start` and the id of its session, `started` when it began, in Unix seconds. `code` is
    the folder that the gateway's modules come from, `python` the interpreter. `deployed` is the config file or the API
    that the user has named. `api` and `dashboard` are addresses; Ray listens at `gcs_port` and shows its metrics at
    `metrics_port`.
    """

    pid: int
    started: float
    code: str
    python: str
    deployed: str
    api: str
    dashboard: str
    gcs_port: int
    metrics_port: int

    def processes(self) -> list[psutil.Process]:
        """Return the processes of this run that are alive; none if its pid belongs to something else by now."""
        if self.started < psutil.boot_time() - CLOCK_TOLERANCE_SECONDS:
            return []
        with suppress(psutil.NoSuchProcess):  # the first process may have ended before the others
            if abs(psutil.Process(self.pid).create_time() - self.started) > CLOCK_TOLERANCE_SECONDS:
                return []
        return session(self.pid)


class Home:
    """The folder of the record."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "ray.log"
        self.config = folder / "serve_config.yaml"
        self._state = folder / "state.json"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other commands of this user from changing what runs. Raises CommandError if one is doing so."""
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / "lock", blocking=False):
                yield
        except Timeout:
            raise CommandError(
                f"Another `reasoning-gateway up` or `down` is at work in {self.folder}. "
                "Wait until it has ended, then try again."
            ) from None

    def current(self) -> Run | None:
        """Return the run that was recorded last, or None if all of its processes have ended.

        Raises CommandError if the record cannot be read.
        """
        try:
            run = Run(**json.loads(self._state.read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):
            raise CommandError(
                f"{self._state} was written by another version of reasoning-gateway. Run `reasoning-gateway down` of "
                "that version; if nothing of it runs any more, delete the file."
            ) from None
        return run if run.processes() else None

    def record(self, run: Run) -> None:
        """Write atomically, so that a reader never sees half a record."""
        partial = self._state.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(run), indent=2) + "\n", "utf-8")
        partial.replace(self._state)

    def clear(self) -> None:
        self._state.unlink(missing_ok=True)


def home() -> Home:
    named = os.environ.get("REASONING_GATEWAY_HOME") or "~/.cache/reasoning-gateway/run"
    return Home(Path(named).expanduser().absolute())


def session(leader: int) -> list[psutil.Process]:
    """Return the processes of the session that `leader` began.

    Ray gives its workers process groups of their own, but no sessions, so the session is what they have in common.
    """
    members = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # it may have ended since
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members

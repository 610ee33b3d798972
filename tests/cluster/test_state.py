"""`cluster.state`: the record of what runs, whatever has become of it since."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from cluster.state import CommandError, Home, Run
from tests.fakes.sleeping_run import sleeping_run


@pytest.fixture
def run() -> Iterator[Run]:
    with sleeping_run() as run:
        yield run


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    with home.lock():
        pass  # the folder is made with the lock
    return home


def test_a_run_that_is_alive_is_the_current_one(home: Home, run: Run) -> None:
    home.record(run)
    assert home.current() == run
    assert [process.pid for process in run.processes()] == [run.pid]


def test_without_a_record_nothing_runs(home: Home) -> None:
    assert home.current() is None


def test_a_cleared_record_is_gone(home: Home, run: Run) -> None:
    home.record(run)
    home.clear()
    assert home.current() is None


@pytest.mark.parametrize("seconds", [-60, 60], ids=["began later", "began earlier"])
def test_another_process_with_the_same_pid_is_not_the_run(home: Home, run: Run, seconds: int) -> None:
    home.record(replace(run, started=run.started + seconds))
    assert home.current() is None


def test_a_run_from_before_the_last_boot_has_ended(run: Run) -> None:
    assert replace(run, started=psutil.boot_time() - 60).processes() == []


def test_an_unreadable_record_is_never_overlooked(home: Home) -> None:
    (home.folder / "state.json").write_text('{"pid": 1, "unknown": true}')
    with pytest.raises(CommandError, match="another version"):
        home.current()


def test_two_commands_do_not_work_at_the_same_time(home: Home) -> None:
    refused = pytest.raises(CommandError, match="Another `reasoning-gateway up` or `down`")
    with home.lock(), refused, Home(home.folder).lock():
        pass

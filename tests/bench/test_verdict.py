"""The end of a benchmark: its table, the bounds that it missed, and its exit status."""

import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

import pytest
from rich.console import Console

from bench.verdict import conclude


@dataclass
class Measured:
    bounds: Sequence[str]

    def markdown(self) -> str:
        return "The table."

    def missed(self) -> Sequence[str]:
        return self.bounds


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), width=120)


def said(console: Console) -> list[str]:
    assert isinstance(console.file, StringIO)
    return [line.strip() for line in console.file.getvalue().splitlines() if line.strip()]


def test_each_missed_bound_is_told_behind_the_table(console: Console) -> None:
    assert conclude(lambda: Measured(["too late", "too much"]), console) == 1
    assert said(console) == ["The table.", "missed: too late", "missed: too much"]


def test_no_missed_bound_is_a_success(console: Console) -> None:
    assert conclude(lambda: Measured([]), console) == 0
    assert said(console) == ["The table."]


def test_what_does_not_start_is_told(console: Console) -> None:
    def measure() -> Measured:
        raise RuntimeError("the gateway did not start")

    assert conclude(measure, console) == 1
    assert said(console) == ["the gateway did not start"]


def test_sigterm_interrupts_so_that_what_was_started_is_stopped(console: Console) -> None:
    stopped = []

    def measure() -> Measured:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            stopped.append(True)
        return Measured([])

    with pytest.raises(KeyboardInterrupt):
        conclude(measure, console)
    assert stopped == [True]

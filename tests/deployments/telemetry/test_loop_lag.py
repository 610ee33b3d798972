"""The lag of the event loop, by a clock of the test's own."""

import asyncio
import logging
import time

import pytest

from deployments.telemetry.loop_lag import PERIOD_SECONDS, QUIET_SECONDS, LoopLag, watch_loop


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lags(*late: float) -> list[float]:
    """The lags that are observed of timers that fire so many seconds late."""
    clock, observed = Clock(), list[float]()
    lag = LoopLag(observed.append, clock)
    for seconds in late:
        clock.now += PERIOD_SECONDS + seconds
        lag.measure()
    return [round(seconds, 6) for seconds in observed]


def test_each_measurement_is_observed_by_itself() -> None:
    assert lags(0.0, 0.5, 0.001, 2.0, 0.0) == [0.0, 0.5, 0.001, 2.0, 0.0]


def test_a_timer_that_fires_early_has_no_lag() -> None:
    assert lags(-0.001) == [0.0]


def test_a_long_lag_is_warned_of_with_its_seconds(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "ray.serve"):
        lags(0.2, 0.75, 0.2)
    assert caplog.messages == ["the event loop stood still for 0.75 s: every stream of this process waited"]


def test_warnings_come_seldom_and_have_the_longest_lag(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "ray.serve"):
        lags(1.0, 3.0, 0.5, QUIET_SECONDS)
    assert [message.split()[6] for message in caplog.messages] == ["1.00", "10.00"]


async def test_a_loop_that_is_held_is_noticed() -> None:
    measured = asyncio.Queue[float]()
    watch_loop(measured.put_nowait)
    time.sleep(PERIOD_SECONDS + 0.05)  # noqa: ASYNC251
    assert await measured.get() >= 0.05

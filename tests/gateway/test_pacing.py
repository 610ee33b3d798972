"""Ticks: their distance grows with the streams, and all streams of a process meet on them."""

import asyncio

import pytest

from gateway.pacing import LONGEST_INTERVAL, SECONDS_PER_STREAM, Pacer


def test_the_interval_grows_with_the_streams_up_to_its_bound() -> None:
    pacer, intervals = Pacer(), []
    for pacer.streams in (0, 1, 8, 64, 1000):
        intervals.append(pacer.interval)
    assert intervals == [0.0, SECONDS_PER_STREAM, 8 * SECONDS_PER_STREAM, LONGEST_INTERVAL, LONGEST_INTERVAL]


def test_a_stream_is_counted_while_it_runs() -> None:
    pacer = Pacer()
    with pacer.stream(), pacer.stream():
        assert pacer.streams == 2
    assert pacer.streams == 0
    with pytest.raises(ZeroDivisionError), pacer.stream():
        raise ZeroDivisionError
    assert pacer.streams == 0


@pytest.mark.parametrize("streams", [1, 3, 25, 100])
@pytest.mark.parametrize("now", [0.0, 0.05, 123.4567, 99_999.99])
def test_streams_that_send_at_different_times_meet_at_the_next_tick(streams: int, now: float) -> None:
    pacer = Pacer()
    pacer.streams = streams
    tick = pacer.next_tick(now)
    assert now < tick <= now + pacer.interval + 1e-6
    between = now + (tick - now) / 2
    assert pacer.next_tick(between) == pytest.approx(tick, abs=1e-6)
    assert pacer.next_tick(tick + 1e-6) == pytest.approx(tick + pacer.interval, abs=1e-5)


async def test_waiting_for_a_tick_ends_at_the_tick() -> None:
    pacer, loop = Pacer(), asyncio.get_running_loop()
    with pacer.stream():
        tick = pacer.next_tick(loop.time())
        await pacer.tick()
    assert loop.time() >= tick - 0.001


async def test_without_streams_nobody_waits() -> None:
    await asyncio.wait_for(Pacer().tick(), 1)

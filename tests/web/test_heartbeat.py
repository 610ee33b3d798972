"""A stream that has nothing to say: comments, and an event now and then, until it says something."""

from collections.abc import Iterator

import pytest

from web.heartbeat import Heartbeat

PING, ALIVE = b": ping\n", b"alive"
BEAT = 15.0


class Clock:
    """Seconds go by as they are told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def said(*chunks: tuple[float, bytes]) -> Iterator[bytes]:
    """What is sent for each chunk that comes so many seconds after the one before it."""
    clock = Clock()
    heart = Heartbeat(BEAT, lambda: ALIVE, clock)
    for seconds, chunk in chunks:
        clock.now += seconds
        yield heart.beat(chunk)


def test_every_third_beat_of_a_silence_is_an_event() -> None:
    silence = [(BEAT, b"")] * 7
    assert list(said(*silence, (1, b"one"), *silence[:2], (1, b"two"))) == [
        *(PING, PING, ALIVE, PING, PING, ALIVE, PING),
        *(b"one", PING, PING, b"two"),
    ]


def test_what_has_no_bytes_breaks_no_silence() -> None:
    chunks = [(10.0, b""), (5.0, b""), (14.0, b""), (1.0, b""), (14.9, b"one"), (10.0, b""), (5.0, b"")]
    assert list(said(*chunks)) == [b"", PING, b"", PING, b"one", b"", PING]


@pytest.mark.parametrize(("early", "sent"), [(0.001, PING), (0.01, b"")])
def test_a_timer_may_be_a_little_early(early: float, sent: bytes) -> None:
    assert list(said((BEAT - early, b""))) == [sent]

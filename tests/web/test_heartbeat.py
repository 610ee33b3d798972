"""Keep-alives of a silent stream: comments, and every third time an event."""

from collections.abc import Iterator

import pytest

from web.heartbeat import Heartbeat

PING, ALIVE = b": ping\n", b"alive"
BEAT = 15.0


class Clock:
    """A clock that stands still until a test moves it."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def sent(*chunks: tuple[float, bytes]) -> Iterator[bytes]:
    """Yield what is sent for each chunk, which comes so many seconds after the one before it."""
    clock = Clock()
    heartbeat = Heartbeat(BEAT, lambda: ALIVE, clock)
    for seconds, chunk in chunks:
        clock.now += seconds
        yield heartbeat.beat(chunk)


def test_every_third_keep_alive_in_a_row_is_an_event() -> None:
    silence = [(BEAT, b"")] * 7
    assert list(sent(*silence, (1, b"one"), *silence[:2], (1, b"two"))) == [
        *(PING, PING, ALIVE, PING, PING, ALIVE, PING),
        *(b"one", PING, PING, b"two"),
    ]


def test_an_empty_chunk_does_not_end_a_silence() -> None:
    chunks = [(10.0, b""), (5.0, b""), (14.0, b""), (1.0, b""), (14.9, b"one"), (10.0, b""), (5.0, b"")]
    assert list(sent(*chunks)) == [b"", PING, b"", PING, b"one", b"", PING]


@pytest.mark.parametrize(("early", "expected"), [(0.001, PING), (0.01, b"")])
def test_a_keep_alive_is_sent_although_its_timer_fires_early(early: float, expected: bytes) -> None:
    assert list(sent((BEAT - early, b""))) == [expected]

"""A stream that has nothing to say: comments, and an event now and then, until it says something or is given up."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from deployments.heartbeat import beating

PING = b": ping\n"


BEAT = 0.01


class Chunks:
    """Says each text once its gate opens, and nothing where it stays closed for a beat."""

    def __init__(self, *texts: bytes) -> None:
        self._texts, self.gate, self.closed = texts, asyncio.Event(), False

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        try:
            for text in self._texts:
                while not self.gate.is_set():
                    try:
                        await asyncio.wait_for(self.gate.wait(), BEAT)
                    except TimeoutError:
                        yield b""
                self.gate.clear()
                yield text
        finally:
            self.closed = True


async def test_every_third_beat_of_a_silence_is_an_event() -> None:
    chunks = Chunks(b"one", b"two")
    seen: list[bytes] = []
    async with aclosing(beating(aiter(chunks), BEAT, lambda: b"alive")) as beats:
        async for beat in beats:
            seen.append(beat)
            # The first text after seven beats, the second after two more.
            if len(seen) in (7, 10):
                chunks.gate.set()
    assert seen == [PING, PING, b"alive", PING, PING, b"alive", PING, b"one", PING, PING, b"two"]
    assert chunks.closed


async def test_what_has_no_bytes_breaks_no_silence() -> None:
    chunks = Chunks(b"", b"one")
    seen: list[bytes] = []
    async with aclosing(beating(aiter(chunks), BEAT, lambda: b"alive")) as beats:
        async for beat in beats:
            seen.append(beat)
            if len(seen) in (2, 4):
                chunks.gate.set()
    assert seen[:4] == [PING, PING, b"alive", PING]
    assert seen[-1] == b"one"


async def test_a_reader_that_leaves_closes_what_is_behind() -> None:
    chunks = Chunks(b"one")
    async with aclosing(beating(aiter(chunks), BEAT, lambda: b"alive")) as beats:
        assert await anext(beats) == PING
    assert chunks.closed


async def test_a_failure_of_what_is_behind_comes_through() -> None:
    async def failing() -> AsyncGenerator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    seen: list[bytes] = []
    try:
        async for beat in beating(failing(), 5, lambda: b"alive"):
            seen.append(beat)
    except ZeroDivisionError:
        seen.append(b"failed")
    assert seen == [b"one", b"failed"]

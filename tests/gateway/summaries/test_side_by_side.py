"""Texts side by side: all are read as they come, until one is enough, and what is closed has ended."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from gateway.summaries.side_by_side import side_by_side

Script = list[str | asyncio.Event | Exception]


class Texts:
    """Texts of given pieces; an Event waits until it is set, and an exception is raised. `closed` are those that have
    ended, by whatever."""

    def __init__(self, *scripts: Script) -> None:
        self.closed = list[int]()
        self.all = [self._text(number, script) for number, script in enumerate(scripts)]

    async def _text(self, number: int, script: Script) -> AsyncGenerator[str]:
        try:
            for piece in script:
                match piece:
                    case asyncio.Event():
                        await piece.wait()
                    case Exception():
                        raise piece
                    case _:
                        yield piece
        finally:
            self.closed.append(number)


def never(_: int) -> bool:
    return False


async def read(texts: Texts) -> list[tuple[int, str]]:
    async with aclosing(side_by_side(texts.all, never)) as pieces:
        return [piece async for piece in pieces]


async def test_all_are_read_as_they_come() -> None:
    begins = asyncio.Event()
    texts = Texts(["a", begins, "b"], ["c"], [])
    pieces = side_by_side(texts.all, never)
    assert [await anext(pieces) for _ in range(2)] == [(0, "a"), (1, "c")]
    begins.set()
    assert [piece async for piece in pieces] == [(0, "b")]
    assert sorted(texts.closed) == [0, 1, 2]


async def test_one_that_is_enough_goes_on_alone() -> None:
    enough = set[int]()
    texts = Texts(["", asyncio.Event(), "late"], ["", "said", " more", ""], [asyncio.Event()])
    got = list[tuple[int, str]]()
    async for number, piece in side_by_side(texts.all, enough.__contains__):
        got.append((number, piece))
        if piece:
            enough.add(number)
    assert got == [(0, ""), (1, ""), (1, "said"), (1, " more"), (1, "")]
    assert sorted(texts.closed) == [0, 1, 2]


async def test_what_a_text_raises_is_raised_and_ends_the_others() -> None:
    texts = Texts([asyncio.Event()], ["", ValueError("broken")])
    with pytest.raises(ValueError, match="broken"):
        await read(texts)
    assert sorted(texts.closed) == [0, 1]


@pytest.mark.parametrize("count", [1, 3])
async def test_all_are_closed_with_it(count: int) -> None:
    scripts: list[Script] = [["", asyncio.Event()] for _ in range(count)]
    texts = Texts(*scripts)
    async with aclosing(side_by_side(texts.all, never)) as pieces:
        assert await anext(pieces) == (0, "")
        assert texts.closed == []
    assert sorted(texts.closed) == [*range(count)]


async def test_one_alone_is_read_as_it_is_taken() -> None:
    texts = Texts(["a", "b"])
    pieces = side_by_side(texts.all, never)
    assert await anext(pieces) == (0, "a")
    assert [piece async for piece in pieces] == [(0, "b")]
    assert texts.closed == [0]

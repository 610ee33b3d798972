"""Work of any size in slices, so that what one stream has to do never holds the event loop for long.

Whoever works off more than one waits for its `turn` in between: in each turn of the loop one stream alone works on what
has piled up, so that the streams that have not wait for one slice, and not for one of each.
Knows nothing of what is done with a slice.
"""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar
from weakref import WeakKeyDictionary

from gateway.reasoning import Segment
from gateway.upstream import Text, ToolPiece

SLICE = 2048
"""Characters that are worked off at once: cut into steps, the worst text takes 2 ms of them."""
OVERHEAD = 16
"""Characters that cost as much as an item costs by itself, however short its text is."""

_TURNS = WeakKeyDictionary[AbstractEventLoop, asyncio.Lock]()

T = TypeVar("T")


async def turn() -> None:
    """Return in a later turn of the running event loop, in which nobody else has returned from here."""
    loop = asyncio.get_running_loop()
    if (lock := _TURNS.get(loop)) is None:
        lock = _TURNS[loop] = asyncio.Lock()
    async with lock:
        await asyncio.sleep(0)


def in_batches(items: Iterable[T], characters: Callable[[T], int]) -> Iterator[list[T]]:
    """Yield the items in batches of about a slice. A longer item is a batch of its own."""
    batch: list[T] = []
    size = 0
    for item in items:
        cost = OVERHEAD + characters(item)
        if batch and size + cost > SLICE:
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += cost
    if batch:
        yield batch


def slices(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the items of an answer in slices, those with a longer text in pieces. Their text stays what it was."""
    if sum(map(characters, items)) + OVERHEAD * len(items) <= SLICE:  # nearly always
        yield items
        return
    yield from in_batches((piece for item in items for piece in _pieces(item)), characters)


def characters(item: object) -> int:
    """Return the number of characters of an item of an answer."""
    match item:
        case Segment(text=text) | Text(text=text):
            return len(text)
        case ToolPiece(id=id, name=name, arguments=arguments):
            return len(id) + len(name) + len(arguments)
    return 0


def _pieces(item: T) -> Iterator[T]:
    match item:
        case Segment(kind=kind, text=text) if len(text) > SLICE:
            yield from (Segment(kind, piece) for piece in _cut(text))  # type: ignore[misc]
        case Text(text=text) if len(text) > SLICE:
            yield from map(Text, _cut(text))
        case ToolPiece(arguments=text) if len(text) > SLICE:
            first, *rest = _cut(text)
            yield replace(item, arguments=first)
            yield from (ToolPiece(index=item.index, arguments=piece) for piece in rest)  # type: ignore[misc]
        case _:
            yield item


def _cut(text: str) -> Iterator[str]:
    return (text[start : start + SLICE] for start in range(0, len(text), SLICE))

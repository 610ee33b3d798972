"""Texts that are written side by side, read as they come until one of them is good enough to go on alone."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing


async def side_by_side(
    texts: Sequence[AsyncGenerator[str]], is_enough: Callable[[int], bool]
) -> AsyncGenerator[tuple[int, str]]:
    """Yield what the texts yield, each piece with the number of its text. If `is_enough` says so of that number when it
    is asked behind a piece, the text goes on alone, and the others are closed.

    All are closed at the end, whoever closes this. Raises what a text raises. Several texts are read in tasks of their
    own, one alone no faster than what is yielded is taken.
    """
    if len(texts) == 1:
        async with aclosing(texts[0]) as alone:
            async for text in alone:
                yield 0, text
        return
    said = asyncio.Queue[tuple[int, str | None]]()

    async def pass_on(number: int, text: AsyncGenerator[str]) -> None:
        try:
            async with aclosing(text):
                async for piece in text:
                    said.put_nowait((number, piece))
        finally:
            said.put_nowait((number, None))

    running = {number: asyncio.create_task(pass_on(number, text)) for number, text in enumerate(texts)}
    try:
        while running:
            number, piece = await said.get()
            if number not in running:
                continue
            if piece is None:
                await running.pop(number)
                continue
            yield number, piece
            if len(running) > 1 and is_enough(number):
                enough = running.pop(number)
                await _close(running.values())
                running = {number: enough}
    finally:
        await _close(running.values())


async def _close(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in (closing := [*tasks]):
        task.cancel()
    await asyncio.gather(*closing, return_exceptions=True)

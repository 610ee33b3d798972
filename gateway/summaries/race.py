"""Short texts that are written side by side, of which the first to say something is kept."""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing


async def race(texts: Sequence[AsyncGenerator[str]]) -> AsyncGenerator[tuple[int, str]]:
    """Yield what the texts yield, each piece with the number of its text, until one yields more than "": then that one
    goes on alone, and the others are closed.

    All are closed at the end. Raises what a text raises before it is closed. Several texts are read in tasks of their
    own, one alone no faster than what is yielded is taken.
    """
    if len(texts) == 1:
        async with aclosing(texts[0]) as alone:
            async for text in alone:
                yield 0, text
        return
    said = asyncio.Queue[tuple[int, str | None]]()

    def begun(number: int, text: AsyncGenerator[str]) -> asyncio.Task[None]:
        async def pass_on() -> None:
            async with aclosing(text):
                async for piece in text:
                    said.put_nowait((number, piece))

        task = asyncio.create_task(pass_on())
        task.add_done_callback(lambda _: said.put_nowait((number, None)))
        return task

    running = {number: begun(number, text) for number, text in enumerate(texts)}
    try:
        while running:
            number, piece = await said.get()
            if number not in running:
                continue
            if piece is None:
                running.pop(number).result()
                continue
            yield number, piece
            if piece and len(running) > 1:
                winner = running.pop(number)
                await _close(running.values())
                running = {number: winner}
    finally:
        await _close(running.values())


async def _close(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in (ending := [*tasks]):
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)

"""Large bodies in a thread, so that what one client sends delays no stream of another.

Knows nothing of what a body holds.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

LARGE_BYTES = 100_000
"""A body of more bytes is large: reading it takes more than a few milliseconds."""
_THREADS = ThreadPoolExecutor(2, "body")
"""Few, since each of them may hold the interpreter for 5 ms while the event loop waits for it."""

T = TypeVar("T")


async def parsed(body: bytes, parse: Callable[[bytes], T]) -> T:
    """Return `parse(body)`, called in a thread if the body is large."""
    if len(body) <= LARGE_BYTES:
        return parse(body)
    return await asyncio.get_running_loop().run_in_executor(_THREADS, parse, body)

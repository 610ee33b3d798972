"""Large bodies in a thread, so that what one client sends delays no stream of another.

Knows nothing of what a body holds.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

LARGE_BYTES = 100_000
"""A body of more bytes is large: reading it takes more than a few milliseconds."""
SWITCH_SECONDS = 0.0005
"""Seconds after which a thread hands the interpreter to the event loop. The loop gives it away with each call of the
system and waits this long to go on, for each event that it sends: Python's own 5 ms add up to half a second."""
_THREADS = ThreadPoolExecutor(2, "body", lambda: sys.setswitchinterval(SWITCH_SECONDS))
"""Few, since each of them takes turns with the event loop."""

T = TypeVar("T")


async def parsed(body: bytes, parse: Callable[[bytes], T]) -> T:
    """Return `parse(body)`, called in a thread if the body is large."""
    if len(body) <= LARGE_BYTES:
        return parse(body)
    return await asyncio.get_running_loop().run_in_executor(_THREADS, parse, body)

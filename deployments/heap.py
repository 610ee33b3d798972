"""The C heap of a process of streams: what texts and bodies have taken goes back to the system with them.

Python's own small objects have another heap, and what Ray adds here: nothing.
"""

import asyncio
import ctypes
import sys

M_MMAP_THRESHOLD = -3  # <malloc.h> of glibc
LARGE_BYTES = 131_072
"""The bound with which glibc begins. It raises it up to 32 MB with each larger block that is freed. Then such blocks
come from the heap, which small ones behind them keep from shrinking."""
TRIM_SECONDS = 30.0
"""Seconds between two times at which the pages between smaller blocks are given back. Sockets read into blocks below
`LARGE_BYTES`: half of the heap is free after some minutes of large answers, and glibc gives back its end alone."""


def return_freed_memory() -> None:
    """Give memory back to the system once it is freed, for as long as the running event loop runs; with glibc only.

    Blocks of `LARGE_BYTES` and more at once, pages between others every `TRIM_SECONDS`, in a thread: it takes
    milliseconds.
    """
    if sys.platform != "linux" or not hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        return
    libc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
    loop = asyncio.get_running_loop()

    def trim() -> None:
        loop.run_in_executor(None, libc.malloc_trim, 0)
        loop.call_later(TRIM_SECONDS, trim)

    loop.call_later(TRIM_SECONDS, trim)

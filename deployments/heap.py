"""The C heap of a process of streams: what a large text or body has taken goes back to the system with it.

What Ray adds here: nothing.
"""

import ctypes
import sys

M_MMAP_THRESHOLD = -3  # <malloc.h> of glibc
LARGE_BYTES = 131_072
"""The bound with which glibc begins. It raises it up to 32 MB with each larger block that is freed. Then such blocks
come from the heap, which small ones behind them keep from shrinking."""


def return_large_blocks() -> None:
    """Take blocks of `LARGE_BYTES` and more from the system, and give them back once they are freed; on Linux only."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)

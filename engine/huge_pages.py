"""Huge pages for large blocks of this process's memory, such as a model's weights (Linux).

A step reads all weights. In pages of 4 KB a third of its time goes to looking their addresses up: int8 layers of 1,536
inputs and 17,920 outputs took 1.42 ms by FBGEMM in pages of 4 KB and 0.90 in those of 2 MB, 2.5 and 1.8 by oneDNN (one
row, one thread of an EPYC). Libraries allocate their packed weights themselves, so the pages are exchanged afterwards:
2 GB in 6 s of one core, which steps need more urgently.

Knows nothing of models. Where the system has no huge pages, nothing changes.
"""

import ctypes
import logging
from collections.abc import Callable, Iterator
from mmap import PAGESIZE
from pathlib import Path
from threading import Thread

log = logging.getLogger(__name__)

MAPS = Path("/proc/self/maps")
SMALL_PAGE, PAGE = PAGESIZE, 2 << 20
LARGE = 16 << 20
"""Bytes of a mapping from which on it may hold weights."""
PIECE = 16 << 20
"""Bytes that are exchanged at a time, in about 50 ms."""
MADV_HUGEPAGE, MADV_COLLAPSE = 14, 25
"""Advice of Linux: to use huge pages from now on, and to exchange the pages that are there (since 6.1)."""

Block = tuple[int, int]
"""Addresses: the first, and the one after the last."""


def exchange_pages(wait: Callable[[], object] = lambda: None) -> Thread:
    """Move the large blocks that this process has written into huge pages, in a thread, and return that.

    They can be read and written meanwhile. Memory that is allocated later is left alone. `wait` is called before each
    piece, and may block until the processor has nothing better to do.
    """
    mappings = list(large_mappings(MAPS.read_text() if MAPS.exists() else ""))
    thread = Thread(target=_exchange, args=[mappings, wait], name="huge-pages", daemon=True)
    thread.start()
    return thread


def large_mappings(maps: str) -> Iterator[Block]:
    """Yield the whole huge pages of large mappings of private memory without a file, as `MAPS` lists them."""
    for line in maps.splitlines():
        addresses, permissions, _, _, inode, *name = line.split()
        if permissions == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            first, end = (int(address, 16) // PAGE * PAGE for address in addresses.split("-"))
            if end - first > LARGE:
                yield first + PAGE, end


def written(mapping: Block, present: bytes) -> Iterator[Block]:
    """Yield the blocks of huge pages all of which is in memory: the exchange would fill an empty cache, for instance.

    `present` has a byte for each small page, 0 if it is not in memory.
    """
    first, end = mapping
    small = PAGE // SMALL_PAGE
    begin = None
    for number, address in enumerate(range(first, end, PAGE)):
        whole = 0 not in present[number * small : (number + 1) * small]
        if whole and begin is None:
            begin = address
        elif not whole and begin is not None:
            yield begin, address
            begin = None
    if begin is not None:
        yield begin, end


def _exchange(mappings: list[Block], wait: Callable[[], object]) -> None:
    libc = ctypes.CDLL(None)
    done = 0
    for first, end in mappings:
        present = ctypes.create_string_buffer((end - first) // SMALL_PAGE)
        if libc.mincore(*_arguments(first, end), present):
            continue  # unmapped in the meantime
        for begin, behind in written((first, end), present.raw):
            for address in range(begin, behind, PIECE):
                wait()
                piece = address, min(address + PIECE, behind)
                libc.madvise(*_arguments(*piece), MADV_HUGEPAGE)
                if libc.madvise(*_arguments(*piece), MADV_COLLAPSE) == 0:
                    done += piece[1] - piece[0]
    log.info("%d MB of memory are in huge pages", done >> 20)


def _arguments(first: int, end: int) -> tuple[ctypes.c_void_p, ctypes.c_size_t]:
    return ctypes.c_void_p(first), ctypes.c_size_t(end - first)

"""Only large memory that has been written moves into huge pages, and its content stays."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from engine.huge_pages import LARGE, PAGE, SMALL_PAGE, Block, exchange_pages, large_mappings, written

ROOT = Path(__file__).parents[2]
ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
SMALL = PAGE // SMALL_PAGE
FULL, EMPTY = b"\1" * SMALL, b"\0" * SMALL


def test_large_mappings_are_private_memory_without_a_file() -> None:
    maps = """\
55e632a00000-55e635b01000 rw-p 00000000 00:00 0                          [heap]
7f0000001000-7f0004201000 rw-p 00000000 00:00 0
7f1000000000-7f1000e00000 rw-p 00000000 00:00 0
7f2000000000-7f2004000000 r--p 00000000 00:00 0
7f3000000000-7f3004000000 rw-s 00000000 00:05 7                          /dev/shm/plasma
7f4000000000-7f4004000000 rw-p 00000000 fe:00 260850                     /lib/a library.so
7ffc00000000-7ffc04000000 rw-p 00000000 00:00 0                          [stack]
"""
    assert list(large_mappings(maps)) == [(0x55E632C00000, 0x55E635A00000), (0x7F0000200000, 0x7F0004200000)]


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        (FULL, [(0, 1)]),
        (EMPTY, []),
        (FULL + FULL + EMPTY + FULL, [(0, 2), (3, 4)]),
        (EMPTY + FULL[1:] + b"\0" + FULL, [(2, 3)]),
    ],
)
def test_pages_that_are_in_memory_as_a_whole_are_found_together(present: bytes, expected: list[Block]) -> None:
    first = 7 * PAGE
    blocks = written((first, first + len(present) * SMALL_PAGE), present)
    assert [((begin - first) // PAGE, (end - first) // PAGE) for begin, end in blocks] == expected


def test_memory_keeps_its_content() -> None:
    numbers = torch.arange(2 * LARGE // 8)
    exchange_pages().join()
    assert torch.equal(numbers, torch.arange(2 * LARGE // 8))


@pytest.mark.skipif(not ENABLED.exists() or "[never]" in ENABLED.read_text(), reason="this system has no huge pages")
def test_large_tensors_are_in_huge_pages_from_the_start() -> None:
    program = (
        "import engine, torch; numbers = torch.ones(64 << 20, dtype=torch.uint8)\n"
        "print(open('/proc/self/smaps_rollup').read().partition('AnonHugePages:')[2].split()[0])"
    )
    kilobytes = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=ROOT)
    assert int(kilobytes.stdout) >= 48 << 10


def test_each_piece_waits_until_it_may_be_moved() -> None:
    numbers = torch.ones(3 * LARGE // 8, dtype=torch.int64)
    asked, may = threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        asked.set()
        may.acquire()

    thread = exchange_pages(wait)
    assert asked.wait(10)
    assert thread.is_alive()
    may.release(1000)
    thread.join(10)
    assert not thread.is_alive()
    assert numbers.sum() == len(numbers)

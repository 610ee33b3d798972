"""The C heap of a process of streams gives back to the system what has been freed."""

import subprocess
import sys

import pytest

MB = 1_000_000
PROGRAM = """
import asyncio, os, psutil
from deployments import heap
from tests.fakes.polling import until

def resident():
    return psutil.Process().memory_info().rss

async def main():
    blocks = [(os.urandom(60_000), os.urandom(1_000)) for _ in range(1_000)]
    kept = [small for _, small in blocks]
    del blocks
    before = resident()
    heap.TRIM_SECONDS = 0.01
    heap.return_freed_memory()
    await until(lambda: resident() < before - 50_000_000, seconds=10, pause=0.01)
    print(len(kept), before - resident())

asyncio.run(main())
"""
"""In a process of its own, whose heap has no free blocks elsewhere."""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc does it")
def test_freed_pages_between_blocks_in_use_are_given_back() -> None:
    told = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    kept, returned = map(int, told.stdout.split())
    assert kept == 1_000
    assert returned > 50 * MB

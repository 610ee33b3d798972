"""The C heap of a process of streams gives back to the system what has been freed."""

import os
import sys

import psutil
import pytest

from deployments import heap
from tests.fakes.polling import until

MB = 1_000_000


def resident() -> int:
    return int(psutil.Process().memory_info().rss)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc does it")
async def test_freed_pages_between_blocks_in_use_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [(os.urandom(60_000), os.urandom(1_000)) for _ in range(1_000)]
    kept = [small for _, small in blocks]
    del blocks
    before = resident()
    monkeypatch.setattr(heap, "TRIM_SECONDS", 0.01)
    heap.return_freed_memory()
    await until(lambda: resident() < before - 50 * MB, seconds=10, pause=0.01)
    assert len(kept) == 1_000

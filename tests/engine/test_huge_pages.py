"""The memory that holds weights is in huge pages, as far as the system has them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import HUGE_PAGES

ROOT = Path(__file__).parents[2]
ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
GLIBC = "glibc 2.35"

pytestmark = pytest.mark.skipif(
    not ENABLED.exists() or "[never]" in ENABLED.read_text(), reason="this system has no huge pages"
)


def huge_after(statement: str) -> int:
    """Return the kilobytes in huge pages of a process that has run `statement`, which takes 64 MB."""
    program = (
        f"import engine, torch, ctypes; {statement}\n"
        "print(open('/proc/self/smaps_rollup').read().partition('AnonHugePages:')[2].split()[0])"
    )
    environment = {**os.environ, **HUGE_PAGES}
    command = [sys.executable, "-c", program]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=environment)
    return int(shown.stdout)


@pytest.mark.parametrize(
    "statement",
    [
        "numbers = torch.ones(64 << 20, dtype=torch.uint8)",
        pytest.param(
            "malloc = ctypes.CDLL(None).malloc; malloc.restype = ctypes.c_void_p;"
            " block = malloc(64 << 20); ctypes.memset(ctypes.c_void_p(block), 1, 64 << 20)",
            marks=pytest.mark.skipif(
                "CS_GNU_LIBC_VERSION" not in os.confstr_names or (os.confstr("CS_GNU_LIBC_VERSION") or "") < GLIBC,
                reason="this C library allocates no huge pages",
            ),
        ),
    ],
    ids=["a tensor", "a block of a library"],
)
def test_large_memory_is_in_huge_pages_from_the_start(statement: str) -> None:
    assert huge_after(statement) >= 48 << 10

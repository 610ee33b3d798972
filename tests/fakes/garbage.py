"""Failures and Python's cyclic garbage collector, which comes late in a process that does little else."""

import gc
import weakref
from collections.abc import Awaitable

import pytest


async def is_freed_at_once(failing: Awaitable[object], kind: type[Exception]) -> bool:
    """Await what raises a `kind`, and return whether this is freed without the collector, and so its frames are."""
    gc.disable()
    try:
        with pytest.raises(kind) as caught:
            await failing
        freed = weakref.ref(caught.value)
        del caught
        return freed() is None
    finally:
        gc.enable()

"""Python's garbage collector in a process of streams. What Ray adds here: nothing."""

import gc

THRESHOLDS = 10_000, 10, 10
"""A stream makes some thousand objects, nearly all of which its end frees: Python's 700 would look several times while
one begins, which took an eighth of all that the ingress did (`make bench`, py-spy)."""


def settle() -> None:
    """What has been loaded stays: it is looked at no more, and the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)

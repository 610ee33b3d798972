"""Naming what a request asks and the upstream is not told: in the header `X-Gateway-Ignored`, and in the log.

Knows nothing of which fields those are.
"""

import logging
import re
from collections.abc import Iterable, Sequence

log = logging.getLogger(__name__)

HEADER = "X-Gateway-Ignored"
LONGEST_NAME = 80
LONGEST_HEADER = 1000
MAX_LOGGED = 1000
"""Names that are remembered as logged: clients choose names, and could fill the memory with them."""
_INDEX = re.compile(r"\.\d+")
_UNSAFE = re.compile(r"[^!-+\--~ ]")
"""Characters that a header or the list in it cannot hold: all but visible ASCII without the comma, and spaces."""


def ignored_header(names: Sequence[str]) -> str:
    """Return the names as the value of the header, in ASCII and about `LONGEST_HEADER` long at most; empty for none."""
    shown = ""
    for count, name in enumerate(names):
        more = f"{shown}, {_safe(name)}" if shown else _safe(name)
        if len(more) > LONGEST_HEADER:
            return f"{shown}, and {len(names) - count} more"
        shown = more
    return shown


class IgnoredLog:
    """Logs each name once."""

    def __init__(self) -> None:
        self._logged: set[str] = set()

    def note(self, names: Iterable[str], model: str) -> None:
        for name in (_INDEX.sub("", _safe(name)) for name in names):
            if name not in self._logged and len(self._logged) < MAX_LOGGED:
                self._logged.add(name)
                log.warning("requests to %s have %s, which is ignored; this is said once", model, name)


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", name)[:LONGEST_NAME].strip() or "_"

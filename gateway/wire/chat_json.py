"""JSON as APIs really write it: with NaN, and with emojis that were cut into two halves of a surrogate pair.

Knows nothing of what the JSON means.
"""

import json
from collections.abc import Hashable
from contextlib import suppress
from typing import Any

import orjson

HIGH_SURROGATES = ("\ud800", "\udbff")


def load(data: str) -> tuple[Any, bool]:
    """Return the value, None if it is not JSON at all, and whether its strings may hold halves of surrogate pairs."""
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(data), False
    try:
        return json.loads(data), True
    except (ValueError, RecursionError):
        return None, False


def without_halves(text: str) -> str:
    """Return a text in which surrogate pairs are characters, and halves without their other half are U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Halves:
    """Keeps the first half of a surrogate pair at the end of a piece of text until the piece with its other half."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, str] = {}

    def joined(self, place: Hashable, piece: str) -> str:
        """Return the next piece of the text at `place`, whole: what was kept before it is its beginning."""
        if not piece:
            return ""
        text = self._kept.pop(place, "") + piece
        first, last = HIGH_SURROGATES
        if first <= text[-1] <= last:
            self._kept[place], text = text[-1], text[:-1]
        return without_halves(text)

    def take(self, place: Hashable) -> str:
        """Return U+FFFD if a half is kept at `place`, and keep it no longer."""
        return without_halves(self._kept.pop(place, ""))

    def close(self) -> list[tuple[Hashable, str]]:
        """Take all halves that are kept, each with its place."""
        return [(place, self.take(place)) for place in list(self._kept)]

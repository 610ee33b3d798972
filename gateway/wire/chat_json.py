"""JSON as APIs really write it: with NaN, and with emojis that were cut into two halves of a surrogate pair.

Knows nothing of what the JSON means.
"""

import json
from typing import Any

import orjson


def load(data: str) -> tuple[Any, bool]:
    """Return the value, None if it is not JSON at all, and whether its strings may hold halves of surrogate pairs."""
    try:
        return orjson.loads(data), False
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(data), True
    except (ValueError, RecursionError):
        return None, False


def without_halves(text: str) -> str:
    """Return a text in which surrogate pairs are characters, and halves without their other half are U+FFFD."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

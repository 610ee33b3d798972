"""JSON of large bodies, read so that other threads run meanwhile.

pydantic and orjson hold the interpreter until they are done: 8 MB of small numbers take half a second, in whichever
thread, and 8 MB of escapes a tenth. So bodies with many of either are read by Python's own scanner in its plain Python
form, which is slower and lets go of the interpreter. The only module that uses `json.scanner`. Knows nothing of
requests.
"""

import json.decoder
import json.scanner
from collections.abc import Callable
from typing import Any

MANY_VALUES = 50_000
"""Values that pydantic reads in a few milliseconds."""
MAX_DEPTH = 200
"""Arrays and objects in each other, as pydantic has it."""


def has_many_values(body: bytes) -> bool:
    """Return whether a body may have many values or escapes. The commas of its texts are counted, too."""
    return len(body) > MANY_VALUES and sum(map(body.count, (b",", b"[", b"{", b"\\"))) > MANY_VALUES


def load(body: bytes) -> Any:
    """Return the value. Raises ValueError as pydantic would, if not in its words."""
    try:
        return _Decoder(body.count(b"\\") > MANY_VALUES).decode(body.decode())
    except RecursionError:
        raise ValueError("recursion limit exceeded") from None


_decoder: Any = json.decoder  # without types for what is used of them
_scanner: Any = json.scanner


class _Decoder(json.JSONDecoder):
    """A decoder of one text. Only its strings are read in C, unless they have many escapes."""

    def __init__(self, many_escapes: bool) -> None:
        super().__init__()
        self._depth = 0
        self.parse_string = _checked(_decoder.py_scanstring if many_escapes else _decoder.scanstring)
        self.parse_array = self._nested(_decoder.JSONArray)
        self.parse_object = self._nested(_decoder.JSONObject)
        self.scan_once = _scanner.py_make_scanner(self)

    def _nested(self, parse: Callable[..., Any]) -> Callable[..., Any]:
        def nested(*args: Any) -> Any:
            self._depth += 1
            if self._depth > MAX_DEPTH:
                raise ValueError("recursion limit exceeded")
            value = parse(*args)
            self._depth -= 1
            return value

        return nested


def _checked(scan: Callable[..., tuple[str, int]]) -> Callable[..., tuple[str, int]]:
    """Return a function that reads a string as `scan`, and raises ValueError for half of a surrogate pair."""

    def string(text: str, begin: int, strict: bool) -> tuple[str, int]:
        value, end = scan(text, begin, strict)
        if not value.isascii():
            value.encode()
        return value, end

    return string

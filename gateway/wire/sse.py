"""Server-sent events: framing only, both ways. Knows nothing of the data."""

import re
from typing import NamedTuple

MEDIA_TYPE = "text/event-stream; charset=utf-8"
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
PING = b": ping\n"
"""A comment between two events. It has no blank line behind it: openai-python could take that for an event."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def encode(event_type: str, data: bytes) -> bytes:
    """Return one event; `data` is a single line, such as JSON."""
    return b"event: %b\ndata: %b\n\n" % (event_type.encode(), data)


class Received(NamedTuple):
    """An event as it came; `type` is empty if it has no name."""

    type: str
    data: str


class EventTooLong(ValueError):
    """An event, or a line that does not end, is longer than it may be."""


class Decoder:
    """Decodes bytes into events as WHATWG HTML, 9.2.6, has it, however they are cut: lines end at CR, LF or CRLF only.

    There are two exceptions. The last event counts without its blank line, which servers forget. A line of the field
    `error` is an event of that type by itself, as llama.cpp sends it.
    Raises EventTooLong for an event of more than `longest` bytes, of which no more are kept.
    """

    def __init__(self, longest: int | None = None) -> None:
        self._longest, self._size = longest, 0  # of the event so far
        self._line: list[bytes] = []
        self._type, self._data = b"", list[bytes]()
        self._begun = self._after_cr = False

    def feed(self, chunk: bytes) -> list[Received]:
        """Return the events that `chunk` completes, in time linear in its length."""
        if not chunk:
            return []
        if self._after_cr:
            chunk, self._after_cr = chunk.removeprefix(b"\n"), False
        self._after_cr = chunk.endswith(b"\r")
        first, *rest = _LINE_END.split(chunk) if b"\r" in chunk else chunk.split(b"\n")
        self._keep(first)
        if not rest:
            return []
        events: list[Received] = []
        for line in rest:
            events += self._take(b"".join(self._line))
            self._line = []
            self._keep(line)
        return events

    def close(self) -> list[Received]:
        """Return the event that the end of the stream completes, if any."""
        return [*self._take(b"".join(self._line)), *self._take(b"")]

    def _keep(self, part: bytes) -> None:
        self._line.append(part)
        self._size += len(part)
        if self._longest is not None and self._size > self._longest:
            raise EventTooLong(f"an event of more than {self._longest:,} bytes")

    def _take(self, line: bytes) -> list[Received]:
        if not self._begun:
            self._begun, line = True, line.removeprefix(_BYTE_ORDER_MARK)
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._type = value
        elif name == b"error":
            return [*self._dispatch(), Received("error", value.decode(errors="replace"))]
        else:
            self._size -= len(line)  # a comment is dropped
        return []

    def _dispatch(self) -> list[Received]:
        kind, data = self._type, self._data
        self._type, self._data, self._size = b"", [], 0
        if not data:
            return []
        return [Received(kind.decode(errors="replace"), b"\n".join(data).decode(errors="replace"))]

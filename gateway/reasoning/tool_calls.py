"""Qwen's way of calling a tool, read as it streams:  <tool_call>\\n{"name": …, "arguments": {…}}\\n</tool_call>

Text outside calls passes through. The arguments of a call are returned in pieces, as they come. Text that begins like a
call and proves to be none stays text. Knows nothing of how the model was told of its tools.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from gateway.reasoning.parser import Segment
from gateway.upstream import Finished, ParsedItem, ToolPiece

START, END = "<tool_call>", "</tool_call>"
TAIL = "}" + END
_HEAD = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"(?:arguments|parameters)"\s*:\s*(?=\{)')
_JSON = re.compile(r'[{}\[\]"\\]')
_BEGINNINGS = tuple(START[:size] for size in range(len(START) - 1, 0, -1))
LONGEST_HEAD = 512
"""Characters of a call's beginning up to its arguments. A call with a longer one is read once it is whole."""
LONGEST_CALL = 100_000
"""Characters of a call that is read once it is whole, after which it is text."""
MOST_NEWLINES = 64
"""Newlines before a call that are dropped with it; those before them are text."""


class ToolCallParser:
    """A stage of `gateway.reasoning.answer.parse`: replaces the calls in the response by `ToolPiece`s."""

    def __init__(self) -> None:
        self._reader = ToolCallReader()

    def feed(self, items: Sequence[ParsedItem]) -> list[ParsedItem]:
        return [parsed for item in items for parsed in self._parse(item)]

    def close(self) -> list[ParsedItem]:
        return list(self._reader.close())

    def _parse(self, item: ParsedItem) -> Sequence[ParsedItem]:
        match item:
            case Segment(kind="response", text=text):
                return self._reader.feed(text)
            case Finished(finish_reason="stop"):
                held = self._reader.close()
                return [*held, replace(item, finish_reason="tool_calls") if self._reader.calls else item]
            case Finished():
                return [*self._reader.close(), item]
            case _:
                return [item]


class ToolCallReader:
    """Reads one response. `feed` returns what is certain, `close` what was held back; `calls` counts calls so far."""

    def __init__(self) -> None:
        self.calls = 0
        self._state: Literal["text", "head", "whole", "arguments", "tail"] = "text"
        self._held = ""
        self._pieces: list[str] = []  # of a call that is read once it is whole, before what is held
        self._collected = 0  # characters of them
        self._depth, self._quoted, self._escaped = 0, False, False

    def feed(self, text: str) -> list[Segment | ToolPiece]:
        self._held += text
        return list(self._run())

    def close(self) -> list[Segment | ToolPiece]:
        held, self._held = self._held, ""
        if self._state == "text":
            return _text(held)
        if self._state in ("head", "whole"):
            return list(self._read_whole("".join([*self._pieces, held]), ""))
        return []

    def _run(self) -> Iterator[Segment | ToolPiece]:
        before = None
        while before != (self._state, self._held):
            before = (self._state, self._held)
            match self._state:
                case "text":
                    yield from self._outside()
                case "head":
                    yield from self._head()
                case "whole":
                    yield from self._whole()
                case "arguments":
                    yield from self._arguments()
                case "tail":
                    self._tail()

    def _outside(self) -> Iterator[Segment | ToolPiece]:
        text, start, rest = self._held.partition(START)
        if start:
            self._state, self._held = "head", rest
            yield from _text(text.rstrip("\n"))
            return
        end = _possible_start(text)
        self._held = text[end:]
        yield from _text(text[:end])

    def _head(self) -> Iterator[Segment | ToolPiece]:
        if match := _HEAD.match(self._held):
            self._state, self._held = "arguments", self._held[match.end() :]
            yield ToolPiece(index=self._next(), name=json.loads(match[1]))
            return
        if END in self._held or len(self._held) > LONGEST_HEAD:
            self._state = "whole"

    def _whole(self) -> Iterator[Segment | ToolPiece]:
        """Collect a call that cannot be read as it comes. Of what has been searched, only a part of END is held."""
        body, end, rest = self._held.partition(END)
        searched = len(body) if end else max(0, len(body) - len(END) + 1)
        self._pieces.append(body[:searched])
        self._collected += searched
        self._held = rest.lstrip("\n") if end else body[searched:]
        if end or self._collected > LONGEST_CALL:
            call, self._pieces, self._collected, self._state = "".join(self._pieces), [], 0, "text"
            yield from self._read_whole(call, end)

    def _arguments(self) -> Iterator[ToolPiece]:
        end = self._value_end(self._held)
        value, self._held = self._held[:end], self._held[end:]
        if not self._depth:
            self._state = "tail"
        if value:
            yield ToolPiece(index=self.calls - 1, arguments=value)

    def _value_end(self, text: str) -> int:
        """Return how many characters of `text` belong to the JSON object that is being read."""
        position = 0
        while match := _JSON.search(text, position):
            # A backslash hides the character right behind it, which may come in the next text.
            if self._escaped and match.start() > position:
                self._escaped = False
            position = match.end()
            self._mark(match[0])
            if not self._depth:
                return position
        self._escaped = self._escaped and position == len(text)
        return len(text)

    def _mark(self, mark: str) -> None:
        if self._escaped:
            self._escaped = False
        elif mark == "\\":
            self._escaped = self._quoted
        elif mark == '"':
            self._quoted = not self._quoted
        elif not self._quoted:
            self._depth += 1 if mark in "{[" else -1

    def _tail(self) -> None:
        """Drop the framing behind the call, of which a model may forget some."""
        begun = "".join(self._held.split())
        if not begun:
            self._held = ""
        if TAIL.startswith(begun) or END.startswith(begun):
            return
        place = self._held.find(END)
        framed = begun.startswith(TAIL) or begun.startswith(END)
        rest = self._held[place + len(END) :] if framed else self._held.lstrip("} \n")
        self._state, self._held = "text", rest.lstrip("\n")

    def _read_whole(self, body: str, end: str) -> Iterator[Segment | ToolPiece]:
        """Read a whole call, such as one with its arguments first, or return it as text."""
        try:
            call = json.loads(body)
            name, arguments = call["name"], call.get("arguments", call.get("parameters", {}))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            yield from _text(START + body + end)
            return
        arguments = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        yield ToolPiece(index=self._next(), name=str(name), arguments=arguments)

    def _next(self) -> int:
        self.calls += 1
        return self.calls - 1


def _possible_start(text: str) -> int:
    """Return where the end of `text` may begin a call: at newlines, at a part of START, or both."""
    part = next((size for size in map(len, filter(text.endswith, _BEGINNINGS))), 0)
    tail = text[max(0, len(text) - part - MOST_NEWLINES) : len(text) - part]
    return len(text) - part - (len(tail) - len(tail.rstrip("\n")))


def _text(text: str) -> list[Segment | ToolPiece]:
    return [Segment("response", text)] if text else []

"""Watching an answer for how its model begins: inside its reasoning, if an end tag comes without a start tag.

An API without a parser of its own sends such text for models whose prompt opens the reasoning. An end tag counts only
at the end of a line, or of the answer, and not in code or quotes: an answer may speak of tags.
Knows nothing of other answers: `upstreams.choice` remembers what they have shown.
"""

from collections.abc import Callable, Sequence

from gateway.reasoning.parser import Segment
from gateway.reasoning.states import Format
from gateway.upstream import Finished, ParsedItem, ToolPiece

LONGEST_LINE = 20_000
"""Characters. An answer with a longer line is not looked at any further."""
FENCES = ("```", "~~~")
QUOTES = "`\"'“”‘’«»„「『(<"


class BeginningWatch:
    """A stage that changes nothing. It calls `on_seen` at most once, with whether the answer began inside.

    An answer that was parsed from `outside` shows it by a lone end tag. One that was not shows the contrary by
    finishing with `stop` before any end tag.
    """

    def __init__(self, format: Format, outside: bool, on_seen: Callable[[bool], None]) -> None:
        self._format, self._outside, self._on_seen = format, outside, on_seen
        self._line: list[str] = []
        self._length = 0
        self._fenced = self._over = False

    def feed(self, items: Sequence[ParsedItem]) -> Sequence[ParsedItem]:
        if not self._over:
            for item in items:
                self._watch(item)
        return items

    def close(self) -> list[ParsedItem]:
        return []

    def _watch(self, item: ParsedItem) -> None:
        if self._over:
            return
        if isinstance(item, Segment):
            if self._outside and item.kind == "response":
                self._read(item.text)
            elif self._outside or item.kind == "response":
                self._over = True
        elif isinstance(item, ToolPiece):
            self._over = True
        elif isinstance(item, Finished):
            if self._outside:
                self._read("\n")
            elif item.finish_reason == "stop":
                self._on_seen(False)
            self._over = True

    def _read(self, text: str) -> None:
        first, *lines = text.split("\n")
        self._line.append(first)
        self._length += len(first)
        for line in lines:
            self._judge("".join(self._line).strip())
            self._line, self._length = [line], len(line)
        self._over = self._over or self._length > LONGEST_LINE

    def _judge(self, line: str) -> None:
        if self._over or not line:
            return
        if len(line) > LONGEST_LINE:
            self._over = True
        elif line.startswith(FENCES):
            self._fenced = not self._fenced
        elif any(start in line for start in self._format.starts):
            self._over = True
        elif not self._fenced and self._ends_reasoning(line):
            self._over = True
            self._on_seen(True)

    def _ends_reasoning(self, line: str) -> bool:
        for end in self._format.ends:
            if line.endswith(end):
                before = line.removesuffix(end)
                return not before.endswith(tuple(QUOTES)) and before.count("`") % 2 == 0
        return False

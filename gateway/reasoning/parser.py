"""One state machine that splits a model's text into reasoning and response as it arrives.

    pending text + new text -> the state's scan -> plain text, a marker and its rule, or part of a marker to hold back

Between chunks it keeps the state, a number of newlines, blank text up to LONGEST_BLANK, and at most the beginning of
one marker. So the work is linear in the new text, the memory is bounded, and the result does not depend on how the
text is cut into chunks.
Knows nothing of any one format (`formats.py` has the table), of tokens, or of what becomes of a segment.
"""

import re
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from gateway.reasoning.formats import FORMATS
from gateway.reasoning.states import LONGEST_BLANK, Format, Header, Kind, StateName

_MARKER = 1
"""The group of `State.scan` and `Header.scan` that holds a whole marker."""
_always_special = re.compile("").search


class Segment(NamedTuple):
    """A stretch of text of one kind, never empty.

    A NamedTuple because one is created for every token, and creating it takes less than half the time of a frozen
    dataclass.
    """

    kind: Kind
    text: str


class ReasoningParser:
    """A parser of one output, fed with its text as it arrives.

    `format` is a Format or a name in FORMATS. `starts_inside` says whether the prompt has already opened the
    reasoning; None selects the format's default. Raises ValueError for a name that is not in FORMATS.
    """

    __slots__ = ("_after_marker", "_blank", "_find_special", "_newlines", "_pending", "_state", "_states")

    def __init__(self, format: Format | str, starts_inside: bool | None = None) -> None:
        chosen = _format_named(format) if isinstance(format, str) else format
        inside = chosen.starts_inside if starts_inside is None else starts_inside
        self._states = chosen.states
        self._state = chosen.states[chosen.inside if inside else chosen.outside]
        self._pending = ""
        self._blank = ""
        self._newlines = 0
        # If the prompt opened the reasoning, it ended with the start marker, so newlines at the beginning of the
        # output surround that marker and are dropped like those after any other.
        self._after_marker = self.inside
        self._find_special: Callable[[str], re.Match[str] | None] = _always_special
        self._choose_fast_path()

    @property
    def inside(self) -> bool:
        """Return True if text that arrives now would be reasoning."""
        return self._state.kind == "reasoning"

    def feed(self, text: str) -> list[Segment]:
        """Return the segments that are certain after `text`: neighbours differ in kind, and none is empty."""
        # The fast path of nearly every token: no character of it can belong to a marker.
        if self._find_special(text) is None:
            return [Segment(self._state.kind, text)] if text else []
        segments: list[Segment] = []
        # The newlines before are not in the text any more; one says that the text begins a line.
        before = "\n" if self._newlines else ""
        pending, self._pending = self._pending, ""
        self._parse(before + pending + text, len(before), segments)
        self._choose_fast_path()
        return _merged(segments)

    def forget_blank(self) -> None:
        """Drop blank text that waits for the first word of the response or of the reasoning."""
        self._blank = ""
        if self._pending.isspace():
            self._pending = ""

    def close(self) -> list[Segment]:
        """Return all text that was held back: the output has ended, so it cannot become a marker any more."""
        segments: list[Segment] = []
        # Text that began a long marker may contain a whole shorter one, so it is parsed again after its first
        # character has become text.
        while self._pending:
            pending, self._pending = self._pending, ""
            self._reject(pending[0], segments)
            self._parse(pending[1:], 0, segments)
        self._release_blank(segments)
        if self._newlines:
            segments.append(Segment(self._state.kind, "\n" * self._newlines))
            self._newlines = 0
        self._choose_fast_path()
        return _merged(segments)

    def _parse(self, text: str, position: int, segments: list[Segment]) -> None:
        while position < len(text):
            match = self._state.scan(text, position)
            if match is None and self._state.fallback is not None:
                position = self._fall_back(text, position, segments)
                continue
            group = match.lastindex if match else None
            start = match.start(group) if match and group else len(text)
            if self._state.fallback is None:
                self._add_text(text[position:start], segments)
            elif not self._hold_blank(text[position:start], segments):
                position = start
                continue
            if match is None or group != _MARKER:
                self._pending = text[start:]
                return
            position = self._follow(match[_MARKER], start, segments)

    def _add_text(self, text: str, segments: list[Segment]) -> None:
        """Add plain text. Newlines at its end are only counted: if a marker follows, they are dropped with it."""
        if self._after_marker:
            text = text.lstrip("\n")
        body = text if self._state.plain else text.rstrip("\n")
        if body:
            segments.append(Segment(self._state.kind, "\n" * self._newlines + body))
            self._newlines = 0
            self._after_marker = False
        self._newlines += len(text) - len(body)

    def _hold_blank(self, text: str, segments: list[Segment]) -> bool:
        """Hold blank text of an anchored state back. If it is too much, enter the fallback state and return False."""
        self._blank += text.lstrip("\n") if self._after_marker and not self._blank else text
        if len(self._blank) <= LONGEST_BLANK:
            return True
        self._enter(self._state.fallback)
        self._release_blank(segments)
        return False

    def _release_blank(self, segments: list[Segment]) -> None:
        """Add the blank text that was held back, because no marker has followed it."""
        blank, self._blank = self._blank, ""
        if blank:
            self._add_text(blank, segments)

    def _follow(self, marker: str, start: int, segments: list[Segment]) -> int:
        """Follow the rule of a marker that begins at `start`. Return the position to go on from."""
        rule = self._state.rule(marker)
        self._state = self._states[rule.to]
        if isinstance(self._state, Header):
            # The header includes the marker that opens it, and may turn out to be text.
            return start
        self._newlines = 0
        self._blank = ""
        self._after_marker = not rule.keep
        if rule.keep:
            segments.append(Segment(self._state.kind, marker))
        return start + len(marker)

    def _fall_back(self, text: str, position: int, segments: list[Segment]) -> int:
        """Enter the fallback state, since no marker follows. Return the position to go on from."""
        if isinstance(self._state, Header):
            # The marker that opened this header would open it again, so its first character becomes text.
            self._reject(text[position], segments)
            return position + 1
        self._enter(self._state.fallback)
        self._release_blank(segments)
        return position

    def _reject(self, character: str, segments: list[Segment]) -> None:
        """Turn the first character of a supposed marker into text of the fallback state."""
        self._enter(self._state.fallback)
        self._release_blank(segments)
        self._add_text(character, segments)

    def _enter(self, state: StateName | None) -> None:
        if state is not None:
            self._state = self._states[state]

    def _choose_fast_path(self) -> None:
        """Choose the search that `feed` uses to recognize plain text.

        Nothing is plain while text is pending, or while the next text decides about newlines or the state.
        """
        state = self._state
        undecided = self._pending or self._newlines or self._after_marker
        if undecided or isinstance(state, Header) or state.fallback is not None:
            self._find_special = _always_special
        else:
            self._find_special = state.find_special


def _format_named(name: str) -> Format:
    try:
        return FORMATS[name]
    except KeyError:
        raise ValueError(f"no reasoning format {name!r}; there are: {', '.join(FORMATS)}") from None


def _merged(segments: list[Segment]) -> list[Segment]:
    """Join neighbours of the same kind."""
    if len(segments) < 2:
        return segments
    runs = groupby(segments, key=itemgetter(0))
    return [Segment(kind, "".join(segment.text for segment in run)) for kind, run in runs]

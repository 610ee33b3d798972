"""The bounds of one answer, in characters and in seconds: an upstream that never ends ends here.

Knows nothing of where the answer comes from, nor of clocks.
"""

from collections.abc import Sequence

from gateway.config import LimitSettings
from gateway.errors import UpstreamEndless
from gateway.events import Usage
from gateway.reasoning.parser import Segment
from gateway.slices import characters
from gateway.upstream import Finished, ParsedItem, ToolPiece


class AnswerBounds:
    """Counts one answer. Once it is `reached`, the answer ends with `end`."""

    def __init__(self, limits: LimitSettings | None = None) -> None:
        self._limits = limits or LimitSettings()
        self._began: float | None = None
        self._characters = 0
        self._answered = self._expired = False

    @property
    def reached(self) -> bool:
        return self._expired or self._characters > self._limits.answer_characters

    def count(self, items: Sequence[ParsedItem]) -> None:
        self._characters += sum(map(characters, items))
        if not self._answered:
            self._answered = any(map(_is_response, items))

    def deadline(self, now: float) -> float:
        """Return the time at which the answer must have ended; the first call begins it."""
        if self._began is None:
            self._began = now
        return self._began + self._limits.answer_seconds

    def expire(self) -> None:
        """Note that the deadline has passed."""
        self._expired = True

    def end(self) -> Finished:
        """Return the end of an answer that is cut here. Raises UpstreamEndless if it has no response."""
        if not self._answered:
            limits = self._limits
            most = f"{limits.answer_seconds:g} s" if self._expired else f"{limits.answer_characters:,} characters"
            raise UpstreamEndless(f"the upstream went on for more than {most} without a response; ask for less")
        return Finished(finish_reason="length", usage=Usage())


def _is_response(item: ParsedItem) -> bool:
    return isinstance(item, ToolPiece) or (
        isinstance(item, Segment) and item.kind == "response" and not item.text.isspace()
    )

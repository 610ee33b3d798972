"""The last stage of an answer: what was all reasoning is repeated as the response, so that no answer is empty.

A model that does not think, behind an API that was expected to begin inside the reasoning, answers so: all of it is
taken for reasoning that never ends. Knows nothing of markers.
"""

from collections.abc import Sequence

from gateway.reasoning.parser import Segment
from gateway.reasoning.states import LONGEST_BLANK
from gateway.upstream import Finished, ParsedItem, ThinkingEnded, ToolPiece

PIECES = 256
"""Number of pieces of the trace that are joined into one: short strings are mostly overhead."""


class Promoter:
    """Promotes the reasoning of an answer that finished with `stop`, without a word of response and without a call.

    With `truncated`, whatever the reason for which it finished.
    """

    def __init__(self, truncated: bool = False) -> None:
        self._truncated = truncated
        self._joined: list[str] = []
        self._pieces: list[str] = []
        self._blank = ""
        self._answered = self._ended = False

    def feed(self, items: Sequence[ParsedItem]) -> Sequence[ParsedItem]:
        if self._answered:
            return items
        # The fast path of nearly every batch before the response.
        if len(items) == 1 and isinstance(item := items[0], Segment) and item.kind == "reasoning":
            self._keep(item.text)
            return items
        return [promoted for item in items for promoted in self._promote(item)]

    def close(self) -> list[ParsedItem]:
        return list(self._release())

    def _promote(self, item: ParsedItem) -> Sequence[ParsedItem]:
        match item:
            case Segment(kind="reasoning", text=text) if not self._answered:
                self._keep(text)
            case Segment(text=text) if not self._answered and text.isspace() and len(self._blank) <= LONGEST_BLANK:
                self._blank += text
                return ()
            case Segment() | ToolPiece():
                self._answered = True
                self._joined, self._pieces = [], []
                return [*self._release(), item]
            case ThinkingEnded():
                self._ended = True
            case Finished(finish_reason=reason) if not self._answered:
                trace = "".join(self._joined + self._pieces)
                if trace.strip() and (reason == "stop" or self._truncated):
                    self._blank = ""
                    ended = [] if self._ended else [ThinkingEnded(tokens=None, ended_by="truncated")]
                    return [*ended, Segment("response", trace), item]
                return [*self._release(), item]
            case _:
                pass
        return [item]

    def _keep(self, text: str) -> None:
        self._pieces.append(text)
        if len(self._pieces) == PIECES:
            self._joined.append("".join(self._pieces))
            self._pieces = []

    def _release(self) -> list[Segment]:
        """Return the blank response that was held back, for the case that it was all of the response."""
        blank, self._blank = self._blank, ""
        return [Segment("response", blank)] if blank else []

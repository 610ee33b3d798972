"""Headlines: at times a title for what the model is doing right now, above the parts, which come later.

No model is asked for one: it is the title of a part that is being written, or else that of an extract. Knows nothing of
whether it is still sent in time; see `gateway.order`.
"""

import asyncio
from collections.abc import Callable

from gateway.events import Event, ReasoningSummaryHeadline
from gateway.summaries.part_scheduler import PartScheduler
from gateway.summaries.sentences import clauses

FIRST_CHARACTERS = 200
"""Length of the trace at which there is a first headline."""
LEAST_CHARACTERS, LEAST_SECONDS = 600, 3.0
"""Distance between one headline and the next, of both kinds."""
TITLED_CHARACTERS = 300
"""The end of the trace from which a title is made: it takes less than a millisecond."""
LONGEST = 8
"""Maximum number of words."""


class Headlines:
    """`feed` the trace of `parts` as it grows, after them; the headlines are passed to `put`."""

    def __init__(self, parts: PartScheduler, put: Callable[[Event], None]) -> None:
        self._parts, self._put = parts, put
        self._began: float | None = None
        self._characters = 0
        self._end = ""
        self._due_characters, self._due_seconds = FIRST_CHARACTERS, 0.0
        self._last = ""

    def feed(self, text: str) -> None:
        """Add text to the trace, and emit a headline if it is time for one."""
        now = asyncio.get_running_loop().time()
        self._began = now if self._began is None else self._began
        self._characters += len(text)
        self._end = (self._end + text)[-TITLED_CHARACTERS:]
        seconds = now - self._began
        if self._characters >= self._due_characters and seconds >= self._due_seconds:
            self._due_characters = self._characters + LEAST_CHARACTERS
            self._due_seconds = seconds + LEAST_SECONDS
            self._emit(seconds)

    def _emit(self, seconds: float) -> None:
        index, title = self._titled()
        if title and title != self._last:
            self._last = title
            self._put(
                ReasoningSummaryHeadline(
                    index=index, text=title, characters=self._characters, seconds=round(seconds, 3)
                )
            )

    def _titled(self) -> tuple[int, str]:
        """Return the index of the part to which the end of the trace belongs, and a title for it."""
        part = self._parts.newest
        is_running = part and not part.is_finished and part.step.end > self._characters - LEAST_CHARACTERS
        if part and is_running and 0 < len(part.draft.title.split()) <= LONGEST:
            return part.index, part.draft.title
        is_cut = self._characters > TITLED_CHARACTERS
        whole = clauses(self._end)[is_cut:-1]  # neither the sentence that is cut nor the one that is being written
        return part.index + 1 if part else 0, self._parts.extractor.title("".join(whole))

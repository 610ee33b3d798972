"""The status line of a terminal while nothing is written: what the model is doing, for how long, how much of it.

It is drawn below the text and gone before more is written. Knows nothing of sections and their text.
"""

import time

from rich.console import Console
from rich.live import Live
from rich.text import Text

from gateway.events import Event, ReasoningDelta, ReasoningDone, ReasoningSummaryHeadline

CHARACTERS_A_TOKEN = 4
"""Estimate of the tokens of a trace whose end has not come."""
A_SECOND = 4
"""Number of times that the line is drawn."""


class StatusLine:
    """`note` every event; `start` while nothing is written, `stop` before something is."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._headline = ""
        self._characters = self._seen = 0
        self._live: Live | None = None

    def note(self, event: Event) -> None:
        """Take from an event what the line tells."""
        match event:
            case ReasoningSummaryHeadline(text=text, characters=characters):
                self._headline, self._characters = text, max(self._characters, characters)
            case ReasoningDelta(delta=delta):
                self._seen += len(delta)
                self._characters = max(self._characters, self._seen)
            case ReasoningDone(characters=characters):
                self._headline, self._characters = "", characters
            case _:
                pass

    def start(self) -> None:
        """Draw the line, again and again, below what has been written."""
        if self._live is None and self._console.is_terminal:
            self._live = Live(
                console=self._console, get_renderable=self._line, refresh_per_second=A_SECOND, transient=True
            )
            self._live.start(refresh=True)

    def stop(self) -> None:
        """Remove the line."""
        live, self._live = self._live, None
        if live:
            live.stop()

    def _line(self) -> Text:
        return Text(self.text(time.monotonic() - self._began), style="dim", no_wrap=True, overflow="ellipsis")

    def text(self, seconds: float) -> str:
        """Return "Trying seven · 12 s · about 340 tokens" after so many seconds, without what is not known."""
        tokens = self._characters // CHARACTERS_A_TOKEN
        notes = [self._headline or "Waiting", f"{seconds:.0f} s"]
        if tokens:
            notes.append(f"about {tokens} token{'s' if tokens > 1 else ''}")
        return " · ".join(notes)

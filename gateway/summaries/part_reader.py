"""Read a part while a model writes it: one line, the title between marks, then the text.

    **Too late for the film** Bus and walk take 100 minutes, five more than there are.

A title on a line of its own is read too, with or without marks, since some models prefer that. If the text goes on
from the title, as it does in Japanese by a particle ("**結果**は、…"), it begins with the title. Knows nothing of
whether title and text are true.
"""

import re
from dataclasses import dataclass, field

MARK = "**"
"""Stands before and behind the title."""
LONGEST_TITLE = 120
"""Characters after which the beginning of a part is taken for text."""
LONGEST_HEADING = 10
"""Maximum number of words of a first line without marks that is taken for the title."""
_BETWEEN = " \t\n:：–—*#>"
PARTICLES = frozenset("はがをと")
_GOES_ON = re.compile("[はがを]、|[はがをと](?!同)[「『（\u30a0-\u30ff\u3400-\u9fff]")
"""A particle, and a character by which it is no beginning of a word."""


@dataclass(slots=True)
class PartReader:
    """`feed` it, then `close`; both return the characters that belong to the text, however the part is cut.

    `title` is what stands for the title, as it was written; empty if there is none, or before the first character of
    the text. `ended` is true once the line of the text has ended: all that follows is left out.
    """

    title: str = ""
    ended: bool = False
    _beginning: str = field(default="")
    _titled: bool = field(default=False)
    _begun: bool = field(default=False)

    def feed(self, delta: str) -> str:
        at, text = 0, ""
        while not self._titled and at < len(delta):
            text = self._add(delta[at])
            at += 1
        return text + self._line(delta[at:])

    def close(self) -> str:
        """Return the beginning as the text, unless it is a title between marks."""
        if self._titled or self._marked_title() is not None:
            return ""
        return self._begin("", self._beginning.rstrip())

    def _add(self, char: str) -> str:
        """Add a character to the beginning, and return the text once it is known where that begins."""
        self._beginning += char
        if char not in _BETWEEN:
            title = self._marked_title()
            heading, end, _ = self._beginning.lstrip(_BETWEEN).partition("\n")
            if title is not None:
                text = self._beginning.split(MARK, 2)[2].lstrip(_BETWEEN)
                if text in PARTICLES:  # the next character tells
                    return ""
                return self._begin(title, title.strip(_BETWEEN) + text if _GOES_ON.match(text) else text)
            if end:
                short = len(heading.split()) <= LONGEST_HEADING
                return self._begin(heading, char) if short else self._begin("", self._beginning)
        return self._begin("", self._beginning) if len(self._beginning) > LONGEST_TITLE else ""

    def _marked_title(self) -> str | None:
        """Return the title between its marks, or None if there is none yet."""
        before, mark, rest = self._beginning.partition(MARK)
        title, closing, _ = rest.partition(MARK)
        between = mark and closing and title.strip() and "\n" not in title
        return title if between and not before.strip(_BETWEEN) else None

    def _begin(self, title: str, rest: str) -> str:
        self._titled, self.title = True, title.strip(_BETWEEN)
        return self._line(rest)

    def _line(self, delta: str) -> str:
        """Return what belongs to the line of the text."""
        if self.ended:
            return ""
        if not self._begun:
            delta = delta.lstrip(_BETWEEN)
            self._begun = bool(delta)
        text, end, _ = delta.partition("\n")
        self.ended = bool(end)
        return text

"""How a summary is read as a model writes it: a part's title apart, and whole sentences, each checked before it leaves,
so that nothing that left has to be revoked.

Knows nothing of what the check looks at.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.summaries.extractive import title

_END = re.compile(
    r"(?:(?<=[^\d\s]\S)|(?<=\d\d)|(?<= \d))[.!?…]+[\"”’)*`]*(?=\s)|[。！？]+[」』”’）]*(?=[^」』”’）。！？])|\n"
)
LONGEST_HEADING = 8
"""Words in a first line that is still a heading, to be cut to a title; a longer one is text."""
MOST = 2
SHORTEST = 8
"""Characters: what is shorter is an abbreviation or a number in a list, not a sentence."""


class Enough(Exception):
    """As many sentences as there may be have been said."""


class Ungrounded(Exception):
    """A sentence says what nothing supports, what has been said before, or who thinks instead of what; or all that is
    said is too little."""


class Sentences:
    """`feed` what is written, then `close`; both give what may leave, in order, to the character.

    `check` gives what is wrong with a sentence, nothing if it is fine; what has been said already is not. The first
    that is not fine is left out, and whatever comes behind it raises Ungrounded; behind `MOST` of them it raises
    Enough. Nothing leaves before there are `least` characters, and where there never are, the end raises Ungrounded.
    """

    def __init__(self, check: Callable[[str], Sequence[str]], least: int = 0) -> None:
        self._check, self._least = check, least
        self._text = self._passed = ""
        self._said = self._left = 0
        self._wrong: Sequence[str] = ()

    def feed(self, text: str) -> str:
        self._raise()
        self._text += text
        while not self._wrong and self._said < MOST and (end := self._end()):
            self._pass(end)
        return self._leaving()

    def close(self) -> str:
        """The last sentence; one without an end was cut off, and leaves only where it is all there is."""
        self._raise()
        rest = self._text.rstrip()
        cut_off = bool(rest) and not re.search(r"[.!?…。！？:：][\"”’)*`」』）]*$", rest)
        if rest and not (cut_off and self._said):
            self._pass(len(rest))
        if self._wrong:
            self._raise()
        self._raise_short()
        return self._leaving()

    @property
    def _short(self) -> bool:
        return len(self._passed.strip()) < self._least

    def _end(self) -> int:
        """Where the first sentence ends, 0 while it goes on."""
        for found in _END.finditer(self._text):
            if found.end() >= SHORTEST or found[0][0] in "。！？":
                return found.end()
        return 0

    def _pass(self, end: int) -> None:
        sentence, self._text = self._text[:end], self._text[end:]
        self._wrong = [sentence] if sentence.strip() in self._passed else self._check(sentence)
        if not self._wrong:
            self._said += 1
            self._passed += sentence

    def _leaving(self) -> str:
        if self._short:
            return ""
        leaving, self._left = self._passed[self._left :], len(self._passed)
        return leaving

    def _raise(self) -> None:
        if self._wrong:
            raise Ungrounded(f"{len(self._wrong)} claims are not in the source")
        if self._said == MOST:
            self._raise_short()
            raise Enough

    def _raise_short(self) -> None:
        if self._short:
            raise Ungrounded(f"less than {self._least} characters are said")


@dataclass(slots=True)
class PartReader:
    """Reads a part as it is written: the first line is its title, the rest its text.

    A first line that is longer than a heading is text; then `title` stays empty.
    """

    title: str = ""
    _line: str = field(default="")
    _titled: bool = field(default=False)

    def feed(self, delta: str) -> str:
        """The text in `delta`, its title taken out."""
        if self._titled:
            return delta
        self._line += delta
        heading, _, text = self._line.partition("\n")
        return self._begin(heading, text) if text.strip() else ""

    def close(self) -> str:
        """What is left when no text followed the first line: that line is the text."""
        return "" if self._titled else self._begin("", self._line.strip())

    def _begin(self, heading: str, text: str) -> str:
        self._titled = True
        heading, text = heading.strip(" *#>"), text.lstrip(" \n>")
        if 0 < len(heading.split()) <= LONGEST_HEADING:
            self.title = title(heading)
            return text
        return f"{heading} {text}" if heading else text

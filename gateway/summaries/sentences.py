"""How a summary is read as a model writes it: a part's title apart, and whole sentences, each checked before it leaves,
so that nothing that left has to be revoked.

Knows nothing of what the check looks at.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gateway.summaries.extractive import title

_END = re.compile(
    r"(?:(?<=[^\d\s]\S)|(?<=\d\d)|(?<= \d))[.!?…]+[\"”’)*`]*(?=\s)|[。！？]+[」』”’）]*(?=[^」』”’）。！？])"
)
LONGEST_HEADING = 8
"""Words in a first line that is still a heading, to be cut to a title; a longer one is text."""
MOST = 2
SHORTEST = 8
"""Characters: what is shorter is an abbreviation or a number in a list, not a sentence."""


class Enough(Exception):
    """As many sentences as there may be have been said."""


class Ungrounded(Exception):
    """A sentence says what nothing supports, what has been said before, or who thinks instead of what."""


class Sentences:
    """`feed` what is written, then `close`; both give what may leave, in order, to the character.

    `check` gives what is wrong with a sentence, nothing if it is fine. The first that is not fine is left out, and
    whatever comes behind it raises Ungrounded; behind `MOST` of them it raises Enough.
    """

    def __init__(self, check: Callable[[str], Sequence[str]]) -> None:
        self._check, self._text, self._said = check, "", 0
        self._wrong: Sequence[str] = ()

    def feed(self, text: str) -> str:
        self._raise()
        self._text += text
        passed = ""
        while not self._wrong and self._said < MOST and (end := self._end()):
            passed += self._passed(end)
        return passed

    def close(self) -> str:
        """The last sentence; one without an end was cut off, and leaves only where it is all there is."""
        self._raise()
        rest = self._text.rstrip()
        cut_off = bool(rest) and not re.search(r"[.!?…。！？:：][\"”’)*`」』）]*$", rest)
        if not rest or (cut_off and self._said):
            return ""
        passed = self._passed(len(rest))
        if self._wrong:
            self._raise()
        return passed

    def _end(self) -> int:
        """Where the first sentence ends, 0 while it goes on."""
        for found in _END.finditer(self._text):
            if found.end() >= SHORTEST or found[0][0] in "。！？":
                return found.end()
        return 0

    def _passed(self, end: int) -> str:
        sentence, self._text = self._text[:end], self._text[end:]
        self._wrong = self._check(sentence)
        if self._wrong:
            return ""
        self._said += 1
        return sentence

    def _raise(self) -> None:
        if self._wrong:
            raise Ungrounded(f"{len(self._wrong)} claims are not in the source")
        if self._said == MOST:
            raise Enough


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

"""Cut a growing trace of reasoning into steps, at the borders of its thoughts.

A step ends at a paragraph, a code block, a list item or a turn of thought once it is long enough, else at a sentence;
never inside a code block or a formula. The steps do not depend on how the text is cut into chunks, since a border is
decided only once all text that could change it has arrived.
"""

import re
from typing import NamedTuple

from gateway.summaries.sentences import AHEAD, CLOSERS, LONGEST_END, MARKS, STOPS, is_end

FIRST, SMALLEST, LARGEST = 500, 600, 2000
"""Sizes of a step in characters: it ends at the first border after SMALLEST, or at LARGEST if there is none. FIRST is
the smallest size of the first step: a reader sees its part sooner, and a short trace has a part before it ends."""
EARLY = 2 / 3
"""Share of the smallest size from which a part may be begun before its step is over."""
LONGEST_CODE, LONGEST_FORMULA = 8000, 4000
"""Maximum length of a block in characters: a longer one is taken to be unclosed, and may be cut."""
LOOKAHEAD = LONGEST_END + AHEAD
"""Longer than any match of `_EVENTS`, with what is looked at behind it: text that arrives later cannot change a match
this far from the end."""
STRIDE = 64
"""Characters that are scanned together: scanning at each token costs ten times as much."""
PIECE = 16_384
"""Characters that are added together: taking a step copies all text behind it, which must not be a whole long trace."""

_TURNS = (
    r"(?:but |oh,? |hmm,? |no,? )?wait|alternatively|hmm|actually|therefore|thus|hence|however|next|finally|first"
    r"|second|third|let me|let's|now|so|okay|ok|in other words|on the other hand|another"
    r"|moment mal|alternativ|also|nun|jetzt|zuerst|dann|schlie(?:ß|ss)lich|allerdings|warte"
    r"|espera|entonces|ahora|primero|luego|finalmente|sin embargo|attendez|donc|ensuite|maintenant|d'abord|cependant"
)
_TURNS_UNSPACED = (
    "等等|等一下|不过|另外|所以|接下来|那么|但是|首先|然后|其次|最后|因此|现在|再看|让我|或者"
    "|しかし|まず|次に|つまり|그런데|따라서|먼저"
)
_BEGINS = rf"(?:(?<=\n)|(?<=[{STOPS}{CLOSERS}][ \n]))"
_EVENTS = re.compile(
    rf"(?P<fence>(?:^|(?<=\n))[ ]{{0,3}}(?:```|~~~))"
    rf"|(?P<formula>\$\$|\\\[|\\\()"
    rf"|(?P<paragraph>\n[ \t]{{0,16}}\n\s{{0,16}})"
    rf"|(?P<item>(?<=\n)[ \t]{{0,8}}(?:[-*•+]|\d{{1,3}}[.)])[ ])"
    rf"|(?P<turn>{_BEGINS}(?:{_TURNS})\b|(?<=[{STOPS}{CLOSERS}\n])(?:{_TURNS_UNSPACED}))"
    rf"|(?P<sentence>{MARKS}|\n)",
    re.IGNORECASE,
)
_HINT = re.compile(rf"[{STOPS}{CLOSERS}\n`~$\\]")
"""A character that a match of `_EVENTS` begins with, or has one or two characters before it."""
_CLOSERS = {"```": "```", "~~~": "~~~", "$$": "$$", r"\[": r"\]", r"\(": r"\)"}
_LONGEST = {"fence": LONGEST_CODE, "formula": LONGEST_FORMULA}


class Step(NamedTuple):
    """A piece of the trace: `trace[start:end]`, in characters."""

    start: int
    end: int
    text: str


class Steps:
    """Cuts one trace; the steps joined are the trace. Time is linear in the text, memory is bounded by a step."""

    def __init__(self) -> None:
        self._start = 0
        self._text = ""
        self._at = 0  # all text before it has been scanned
        self._closer: str | None = None
        self._longest = 0  # a block must have ended here
        self._free = 0  # the end of the last block
        self._sentence = 0

    @property
    def _smallest(self) -> int:
        return SMALLEST if self._start else FIRST

    def long_enough(self, after: int) -> bool:
        """Return True if a part may be begun with what there is from `after` to the last sentence.

        That is a share of a whole step's size; or `FIRST` if it does not begin as the running step does, but behind a
        part that was begun so.
        """
        least = self._smallest * EARLY if after == self._start else FIRST
        return self._start + self._sentence - after >= least

    def so_far(self, after: int) -> Step:
        """Return what the running step has from `after` to its last sentence; it may be nothing."""
        start = max(self._start, after)
        end = max(self._start + self._sentence, start)
        return Step(start, end, self._text[start - self._start : end - self._start])

    def feed(self, text: str) -> list[Step]:
        """Return the steps that `text` completes."""
        if len(text) > PIECE:
            pieces = (text[start : start + PIECE] for start in range(0, len(text), PIECE))
            return [step for piece in pieces for step in self.feed(piece)]
        self._text += text
        limit = len(self._text) - LOOKAHEAD
        return self._cut(limit) if limit - self._at >= STRIDE else []

    def close(self) -> list[Step]:
        """Return the steps that the end of the trace completes; the last one may be short, none is blank."""
        steps = self._cut(len(self._text))
        last = self._take(len(self._text))
        if last.text.strip():
            return [*steps, last]
        if steps and last.text:
            steps[-1] = Step(steps[-1].start, last.end, steps[-1].text + last.text)
        return steps

    def _cut(self, limit: int) -> list[Step]:
        """Cut at the borders that begin before `limit`, a position in the text."""
        steps = []
        while self._at < limit:
            before = len(self._text)
            end = self._border(limit)
            if end is None:
                break
            steps.append(self._take(end))
            limit -= before - len(self._text)
        return steps

    def _border(self, limit: int) -> int | None:
        """Return the end of the step, or None if all text before `limit` belongs to it."""
        while self._at < limit:
            if self._closer:
                if not self._leave_block(limit):
                    return None
                continue
            # Not searched beyond the largest step: whatever is found there, the step ends before it.
            event = _next_event(self._text, self._at, max(self._at, LARGEST) + LOOKAHEAD)
            begin = event.start() if event else limit
            if min(begin, limit) >= LARGEST:
                return self._forced()
            if event is None or begin >= limit:
                self._at = limit
                return None
            if (end := self._follow(event)) is not None:
                return end
        return None

    def _follow(self, event: re.Match[str]) -> int | None:
        """Return the border that an event makes, or None, and move beyond the event."""
        kind, begin, end = event.lastgroup, event.start(), event.end()
        border = begin if kind in ("fence", "item", "turn") else end
        if kind == "sentence":
            self._end_sentence(begin, end)
        elif kind == "turn" and begin != self._sentence:
            pass  # within a sentence, behind an abbreviation
        elif kind != "formula" and border >= self._smallest:
            return border
        if kind in ("fence", "formula"):
            self._closer, self._longest = _CLOSERS[event.group().lstrip()], end + _LONGEST[kind]
        self._at = end
        return None

    def _end_sentence(self, begin: int, end: int) -> None:
        if self._text[begin] == "\n" or is_end(self._text, begin, end):
            self._sentence = end + (self._text[end : end + 1] == " ")

    def _leave_block(self, limit: int) -> bool:
        """Move beyond the end of the block; return False if it has not arrived yet."""
        closer = self._closer or ""
        end = self._text.find(closer, self._at, self._longest)
        if not (0 <= end < limit or limit >= self._longest):
            self._at = max(self._at, limit)
            return False
        self._at = self._free = end + len(closer) if end >= 0 else self._longest
        self._closer = None
        return True

    def _forced(self) -> int:
        """Return an end for a step without a border: a sentence after the last block, else a word, else any place."""
        if self._sentence >= max(self._smallest, self._free):
            return self._sentence
        space = self._text.rfind(" ", max(self._smallest, self._free), LARGEST)
        return space + 1 if space >= 0 else max(LARGEST, self._free)

    def _take(self, end: int) -> Step:
        step = Step(self._start, self._start + end, self._text[:end])
        self._start, self._text = step.end, self._text[end:]
        self._at = max(0, self._at - end)
        self._longest = max(0, self._longest - end)
        self._free = max(0, self._free - end)
        self._sentence = 0
        return step


def _next_event(text: str, start: int, end: int) -> re.Match[str] | None:
    """Return what `_EVENTS.search` would, in two fifths of its time."""
    # A search tries every alternative at every character; most characters begin none.
    if start == 0 and (event := _EVENTS.match(text, 0, end)):
        return event
    position = max(0, start - 2)
    while hint := _HINT.search(text, position, end):
        for begin in range(max(start, hint.start()), hint.start() + 3):
            if event := _EVENTS.match(text, begin, end):
                return event
        position = hint.end()
    return None

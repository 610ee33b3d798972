"""A growing trace of reasoning, cut into steps at the borders of its thoughts.

A step ends at a paragraph, a code block, a list item or a turn of thought once it is long enough, else at a sentence;
never inside a code block or a formula. The same steps come out however the text is cut into chunks, since a border is
decided only when all that could change it is here. Knows nothing of what a step is for.
"""

import re
from typing import NamedTuple

FIRST, SMALLEST, LARGEST = 500, 600, 2000
"""Characters of a step: it ends at the first border behind the smallest, and where there is none, at the largest. The
smallest is less for the first step: a reader sees its part sooner, and a short trace has one before it ends."""
LONGEST_CODE, LONGEST_FORMULA = 8000, 4000
"""Characters of a block: one that goes on for longer has lost its end, and may be cut."""
LOOKAHEAD = 48
"""Longer than anything that `_EVENTS` matches: a match that begins this far from the end stays what it is."""
STRIDE = 64
"""Characters looked at together: a look at each token would cost ten times as much."""

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
_BEGINS = r"(?:(?<=\n)|(?<=[.!?…] )|(?<=[.!?…]\n))"
_EVENTS = re.compile(
    rf"(?P<fence>(?:^|(?<=\n))[ ]{{0,3}}(?:```|~~~))"
    rf"|(?P<formula>\$\$|\\\[|\\\()"
    rf"|(?P<paragraph>\n[ \t]{{0,16}}\n\s{{0,16}})"
    rf"|(?P<item>(?<=\n)[ \t]{{0,8}}(?:[-*•+]|\d{{1,3}}[.)])[ ])"
    rf"|(?P<turn>{_BEGINS}(?:{_TURNS})\b|(?<=[。！？\n])(?:{_TURNS_UNSPACED}))"
    rf"|(?P<sentence>[.!?…][\"”’)]{{0,2}}(?:[ \t]|(?=\n))|[。！？][」』”’）]{{0,2}}|\n)",
    re.IGNORECASE,
)
_CLOSERS = {"```": "```", "~~~": "~~~", "$$": "$$", r"\[": r"\]", r"\(": r"\)"}
_LONGEST = {"fence": LONGEST_CODE, "formula": LONGEST_FORMULA}


class Step(NamedTuple):
    """A stretch of the trace: `trace[start:end]`, in characters."""

    start: int
    end: int
    text: str


class Steps:
    """Cuts one trace. What the steps hold is the whole trace, in order. Work is linear in the text, memory a step."""

    def __init__(self) -> None:
        self._start = 0
        self._text = ""
        self._at = 0  # all before it has been looked at
        self._closer: str | None = None
        self._longest = 0  # where the block must have ended
        self._free = 0  # behind the last block
        self._sentence = 0

    @property
    def _smallest(self) -> int:
        return SMALLEST if self._start else FIRST

    def feed(self, text: str) -> list[Step]:
        """The steps that `text` completes."""
        self._text += text
        limit = len(self._text) - LOOKAHEAD
        return self._cut(limit) if limit - self._at >= STRIDE else []

    def close(self) -> list[Step]:
        """The steps that the end of the trace completes; the last one may be short, none is blank."""
        steps = self._cut(len(self._text))
        last = self._take(len(self._text))
        if last.text.strip():
            return [*steps, last]
        if steps and last.text:
            steps[-1] = Step(steps[-1].start, last.end, steps[-1].text + last.text)
        return steps

    def _cut(self, limit: int) -> list[Step]:
        """Look at what begins before `limit`, a position in the text that is here."""
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
        """Where the step ends, or None where all before `limit` belongs to it."""
        while self._at < limit:
            if self._closer:
                if not self._leave_block(limit):
                    return None
                continue
            event = _EVENTS.search(self._text, self._at)
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
        kind, begin, end = event.lastgroup, event.start(), event.end()
        border = begin if kind in ("fence", "item", "turn") else end
        if kind == "sentence":
            self._sentence = end
        elif kind != "formula" and border >= self._smallest:
            return border
        if kind in ("fence", "formula"):
            self._closer, self._longest = _CLOSERS[event.group().lstrip()], end + _LONGEST[kind]
        self._at = end
        return None

    def _leave_block(self, limit: int) -> bool:
        """Go on behind the end of the block; False where it is not here yet."""
        closer = self._closer or ""
        end = self._text.find(closer, self._at, self._longest)
        if not (0 <= end < limit or limit >= self._longest):
            self._at = max(self._at, limit)
            return False
        self._at = self._free = end + len(closer) if end >= 0 else self._longest
        self._closer = None
        return True

    def _forced(self) -> int:
        """No border up to the largest size: the last sentence behind all blocks ends it, else a word, else nothing."""
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

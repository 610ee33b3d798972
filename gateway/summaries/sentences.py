"""The borders of sentences, in all scripts: the only place that knows them.

A pattern finds the marks. Whether a full stop ends a sentence, or belongs to an abbreviation, an initial, an ordinal or
the label of a list item, is told by sentencex from the word before it and the one behind it. So a decision is local,
and the same however a text arrives in pieces. Knows nothing of steps and summaries.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

import sentencex

_SPACED, _UNSPACED = ".!?…", "。！？｡।॥؟۔։።။។"
STOPS = _SPACED + _UNSPACED
"""The characters that end a sentence."""
UNSPACED = frozenset(_UNSPACED)
"""Those that need no space behind them."""
CLOSERS = '"”’»)\\]*`_」』）】》'
"""Characters that may stand between the end of a sentence and the space behind it, for a pattern's class."""
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
MARKS = (
    rf"(?<![{STOPS}])(?:[{_SPACED}]{{1,16}}+(?![{STOPS}])[{CLOSERS}]{{0,8}}+(?=\s)"
    rf"|(?<=[{_CJK}])[!?](?=[{_CJK}])|[{STOPS}]{{0,16}}?[{_UNSPACED}][{STOPS}]{{0,8}}+[{CLOSERS}]{{0,8}}+)"
)
"""A pattern of the marks at the end of a sentence; `is_end` tells whether it ends there. Marks count once, from the
first of a run, and a longer run than a person writes is no end: a text is searched in linear time, whatever it is."""
LONGEST_END = 36
"""Longer than any match of `MARKS`, with what stands beside it: text that arrives later changes no match before."""
AHEAD = 20
"""Characters behind an end that are looked at."""
_BEFORE = 32
_MARKS = re.compile(MARKS)
_END = re.compile(rf"{MARKS}|\n")
_TOKEN = re.compile(rf"[^\s(\[\"'“„«*_`{_CJK}]+\Z")
_LABEL = re.compile(r"[ \t>#*_-]*(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,4})\Z")
_LIST_OR_INITIAL = re.compile(r"(?:[,;:]|(?<!\w)[^\W\d_]\.)\Z")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}\Z")
_LANGUAGES = (("\u0400", "\u052f", ("ru",)), ("\u0370", "\u03ff", ("el",)), ("\u0900", "\u097f", ("hi",)))
_LATIN = ("en", "de", "fr", "es")
"""The languages whose abbreviations count: few, since one's abbreviation is another's word."""
_AMBIGUOUS = "no min max me ok id cm km kg mm ml mg ft hs pen cv am pm sec art etc usw ii iii iv vi vii viii ix xi xii"
_WORDS = frozenset(_AMBIGUOUS.split())
"""Abbreviations that also end sentences, as words, units or numbers do."""
LONGEST_ABBREVIATION = 8
_OPENING, _CLOSING = "([{（【“„«「『《", ")]}）】”“»」』》"
_QUOTE_GOES_ON = "とっなでがはのもを、，,：:"
_ASIDE = re.compile(rf"[{re.escape(_OPENING + _CLOSING)}\"]")
LONGEST_ASIDE = 240
"""Maximum length in characters of a bracket or a quotation inside which no sentence ends."""
WRAPPED = 60
"""Minimum length in characters of a line that may go on in the next one."""
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_MARGIN = re.compile(r"\n[ \t]*(?=[^\W\d_])")


def is_end(text: str, begin: int, end: int) -> bool:
    """Return True if a sentence ends with the match of `MARKS` at `text[begin:end]`."""
    mark, closed = text[begin], text[end - 1] not in STOPS
    if not UNSPACED.isdisjoint(text[begin:end]):
        return not (closed and text[end : end + 1] in _QUOTE_GOES_ON and end < len(text))
    behind = text[end : end + AHEAD].split(maxsplit=1)
    follower = behind[0] if behind else ""
    if closed or mark == "…" or text.startswith("..", begin):
        return not follower[:1].islower()
    return mark != "." or _full_stop_ends(text[max(0, begin - _BEFORE) : begin], follower)


def is_settled(text: str, begin: int, end: int) -> bool:
    """Return True if text that arrives later cannot change what `is_end` returns."""
    if end == len(text):
        return False
    if text[end - 1] in "!?" or not UNSPACED.isdisjoint(text[begin:end]):
        return True
    if end == begin + 1 and text[begin] == "." and _is_plain(_word_before(text[max(0, begin - _BEFORE) : begin])):
        return True
    behind = text[end : end + AHEAD]
    return len(behind) == AHEAD or len(behind.split(maxsplit=1)) > 1 or bool(behind.strip() and behind[-1].isspace())


def ends(text: str, start: int = 0, *, complete: bool = True) -> Iterator[int]:
    """Yield where sentences and lines end behind `start`, until one that is not settled unless the text is complete."""
    for found in _END.finditer(text, start):
        begin, end = found.span()
        if text[begin] == "\n":
            yield end
        elif not complete and not is_settled(text, begin, end):
            return
        elif is_end(text, begin, end):
            yield end


def clauses(text: str) -> list[str]:
    """Cut a text behind each of its sentences and lines; the pieces joined are the text."""
    borders = [0, *ends(text), len(text)]
    return [text[start:end] for start, end in pairwise(borders) if end > start]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, each on one line; a line ends a sentence unless it is wrapped.

    Sentences inside brackets or a quotation belong to the one around it.
    """
    return [
        sentence
        for paragraph in _PARAGRAPH.split(text)
        for line in _unwrapped(paragraph)
        for sentence in _sentences_of(line)
    ]


def is_whole(sentence: str) -> bool:
    """Return True if the sentence has its end."""
    return sentence.rstrip().rstrip(CLOSERS.replace("\\", "")).endswith(tuple(STOPS))


def _unwrapped(paragraph: str) -> Iterator[str]:
    """Yield the lines of a paragraph, those that a margin has wrapped joined."""
    whole, last = "", ""
    for line in paragraph.split("\n"):
        goes_on = len(last) >= WRAPPED and line.lstrip()[:1].islower() and last.rstrip()[-1:] not in STOPS
        if whole and not goes_on:
            yield whole
            whole = ""
        whole, last = f"{whole} {line}" if whole else line, line
    if whole:
        yield whole


def _sentences_of(line: str) -> Iterator[str]:
    start = scanned = 0
    asides = _Asides()
    for found in _MARKS.finditer(line):
        begin, end = found.span()
        asides.read(line, scanned, end)
        scanned = end
        if is_end(line, begin, end) and not asides.open_at(line, end):
            yield " ".join(line[start:end].split())
            start = end
    if rest := " ".join(line[start:].split()):
        yield rest


class _Asides:
    """The brackets and quotations of a line that are open, while it is read."""

    def __init__(self) -> None:
        self._closing = ""
        self._since = 0

    def read(self, line: str, start: int, end: int) -> None:
        for found in _ASIDE.finditer(line, start, end):
            char, at = found[0], found.start()
            if self._closing and (char == self._closing or at - self._since > LONGEST_ASIDE):
                self._closing = ""
            elif not self._closing and char in _OPENING:
                self._closing, self._since = _CLOSING[_OPENING.index(char)], at
            elif not self._closing and char == '"':
                self._closing, self._since = '"', at

    def open_at(self, line: str, at: int) -> bool:
        return bool(self._closing) and line.find(self._closing, at, self._since + LONGEST_ASIDE) >= 0


def _full_stop_ends(before: str, follower: str) -> bool:
    """Return True if a full stop between these texts ends a sentence."""
    line = before.rpartition("\n")[2]
    if _LABEL.match(line) and (len(line) < len(before) or len(before) < _BEFORE):
        return False
    word = _word_before(line)
    if word.isdigit():
        date = len(word) <= 2 and follower[:1].isupper()
        return not (date and _kept("de", f"am {word}. {follower}"))
    if len(word) == 1 and word.isalpha():
        return _letter_ends(line[:-1].rstrip(), word, follower)
    if _DOTTED.match(word):
        return not any(_kept(language, f"in {word}. {follower or 'X'}") for language in ("en", "de", *_script(word)))
    if not word.isalpha() or _is_plain(word):
        return True
    if word.lower() in _WORDS:
        return not follower[:1].isdigit()
    return not any(_kept(language, f"in {word}. {follower or 'X'}") for language in _script(word))


def _letter_ends(before: str, letter: str, follower: str) -> bool:
    """Return True if a sentence ends behind a single letter: a variable may, an initial or a label does not."""
    if follower[:1].islower() or (follower[1:2] == "." and follower[:1].isalpha()):
        return False
    if letter.islower():
        return not follower[:1].isdigit()
    if _LIST_OR_INITIAL.search(before):
        return False
    before = before.rpartition(" ")[2] if before[-1:].isalpha() else ""
    return not _kept(_script(letter)[0], f"{before} {letter}. {follower}")


def _word_before(text: str) -> str:
    found = _TOKEN.search(text)
    return found.group() if found else ""


def _is_plain(word: str) -> bool:
    """Return True if a sentence may end with the word, whatever follows."""
    return len(word) > 1 and word.isalpha() and (len(word) > LONGEST_ABBREVIATION or not _is_abbreviation(word))


@lru_cache(4096)
def _is_abbreviation(word: str) -> bool:
    return any(_kept(language, f"in {word}. Xyz") for language in _script(word))


def _script(word: str) -> tuple[str, ...]:
    return next((names for first, last, names in _LANGUAGES if first <= word[0] <= last), _LATIN)


def _kept(language: str, text: str) -> bool:
    """Return True if sentencex takes a text for one sentence."""
    return len([piece for piece in sentencex.segment(language, text) if piece.strip()]) == 1

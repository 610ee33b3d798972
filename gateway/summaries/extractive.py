"""Summaries without a model: the plain fallback, cut from the text itself."""

import re
from collections import Counter
from itertools import islice
from math import log, sqrt

from gateway.summaries.code import code_lines, without_code

SENTENCE = re.compile(r"\S.*?(?:(?<!^\d)(?<!^\d\d)[.!?](?=\s|\Z)|[。！？][。！？”’」』]*|\Z)", re.DOTALL | re.MULTILINE)
"""The number of a list item ends none."""
_ITEM = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[-*•+])[ \t]+", re.MULTILINE)
TITLE_WORDS, SHORTEST = 6, 4
"""Of a title, and the characters of a sentence: what is shorter is a number in a list."""
_UNSPACED = r"\u3000-\u9fff\uff00-\uffef"
_HEADING_WORD = re.compile(rf"[{_UNSPACED}]{{1,2}}|[^\s{_UNSPACED}]+")
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_CUT_OFF = re.compile(rf"[^\s{_UNSPACED}]+$")
"""What may go on behind a cut; scripts without spaces between words may be cut at any letter."""


def first_and_last(text: str, limit: int = 200) -> str:
    """The first and the last sentence, of `limit` characters each: what it is about, and what it came to. Code counts
    only where there is nothing else, by its lines."""
    said = without_code(text)
    code = [] if said.strip() else code_lines(text)
    first, last = (code[0], code[-1]) if code else (said, said)
    ends = (first_sentence(first, limit), last_sentence(last, limit))
    return " ".join(dict.fromkeys(filter(None, ends)))


def first_sentence(text: str, limit: int = 200) -> str:
    """The first sentence, on one line; past `limit` characters it is cut, not in a word or number, and ends in …"""
    found = SENTENCE.search(text.lstrip()[: limit * 4])
    line = " ".join(found.group().split()) if found else ""
    return line if len(line) <= limit else (_CUT_OFF.sub("", line[: limit + 1])[:limit].rstrip() or line[:limit]) + "…"


def last_sentence(text: str, limit: int = 200) -> str:
    """The last sentence, where a trace most often says what it came to."""
    sentences = [found.group() for found in SENTENCE.finditer(text.rstrip()[-limit * 4 :])]
    return first_sentence(sentences[-1], limit) if sentences else ""


def title(text: str) -> str:
    """The first words of a text, as a heading."""
    line = first_sentence(text).rstrip(".!?…。！？")
    words = list(islice(_HEADING_WORD.finditer(line), TITLE_WORDS))
    return line[: words[-1].end()].rstrip(",;:，、；：") if words else ""


def heading(text: str) -> str:
    """A title from the sentence whose words are most those of the whole text, beside its first and its last one."""
    said = _ITEM.sub("", without_code(text).strip() or text)
    lines = (SENTENCE.finditer(line) for line in said.splitlines())
    sentences = [found.group() for line in lines for found in line if len(found.group()) >= SHORTEST]
    inner = sentences[1:-1] or sentences[-1:]
    whole = _weights(text)
    return title(max(inner, key=lambda sentence: _likeness(_weights(sentence), whole), default=""))


def _weights(text: str) -> dict[str, float]:
    return {word: 1 + log(times) for word, times in Counter(_WORD.findall(text.casefold())).items()}


def _likeness(part: dict[str, float], whole: dict[str, float]) -> float:
    """The cosine between the two, but for the length of `whole`."""
    length = sqrt(sum(weight * weight for weight in part.values()))
    return sum(weight * whole.get(word, 0) for word, weight in part.items()) / (length or 1)

"""Extractive summaries: the fallback without a model, made of sentences of the text itself."""

import re
from collections import Counter
from itertools import islice
from math import log, sqrt

from gateway.summaries.code import code_lines, without_code
from gateway.summaries.sentences import STOPS, sentences

_ITEM = re.compile(r"^[ \t]*(?:\d{1,3}[.)]|[-*•+])[ \t]+", re.MULTILINE)
TITLE_WORDS = 6
"""Maximum number of words of a title."""
MIN_SENTENCE_CHARACTERS = 4
"""Shorter matches are taken for the number of a list item."""
_UNSPACED = r"\u3000-\u9fff\uff00-\uffef"
_HEADING_WORD = re.compile(rf"[{_UNSPACED}]{{1,2}}|[^\s{_UNSPACED}]+")
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_CUT_OFF = re.compile(rf"[^\s{_UNSPACED}]+$")
"""A word that a cut may have split. Scripts without spaces between words may be cut at any letter."""


def first_and_last(text: str, limit: int = 200) -> str:
    """Return the first and the last sentence, each cut to `limit` characters: usually the topic and the conclusion.

    Code blocks are skipped; if there is nothing else, the first and the last line of code are returned.
    """
    said = without_code(text)
    code = [] if said.strip() else code_lines(text)
    first, last = (code[0], code[-1]) if code else (said, said)
    ends = (first_sentence(first, limit), last_sentence(last, limit))
    return " ".join(dict.fromkeys(filter(None, ends)))


def first_sentence(text: str, limit: int = 200) -> str:
    """Return the first sentence on one line. Past `limit` characters, it is cut between words and ends in …"""
    line = next(iter(sentences(text.lstrip()[: limit * 4])), "")
    return line if len(line) <= limit else (_CUT_OFF.sub("", line[: limit + 1])[:limit].rstrip() or line[:limit]) + "…"


def last_sentence(text: str, limit: int = 200) -> str:
    """Return the last sentence, usually the conclusion of a trace, on one line of at most `limit` characters."""
    found = sentences(text.rstrip()[-limit * 4 :])
    return first_sentence(found[-1], limit) if found else ""


def title(text: str) -> str:
    """Return the first words of a text as a heading."""
    line = first_sentence(text).rstrip(STOPS)
    words = list(islice(_HEADING_WORD.finditer(line), TITLE_WORDS))
    return line[: words[-1].end()].rstrip(",;:，、；：") if words else ""


def heading(text: str) -> str:
    """Return a title made from the sentence most similar to the whole text, the first and the last one excepted."""
    said = _ITEM.sub("", without_code(text).strip() or text)
    found = [sentence for sentence in sentences(said) if len(sentence) >= MIN_SENTENCE_CHARACTERS]
    inner = found[1:-1] or found[-1:]
    whole = _weights(text)
    return title(max(inner, key=lambda sentence: _similarity(_weights(sentence), whole), default=""))


def _weights(text: str) -> dict[str, float]:
    return {word: 1 + log(times) for word, times in Counter(_WORD.findall(text.casefold())).items()}


def _similarity(part: dict[str, float], whole: dict[str, float]) -> float:
    """Return the cosine similarity, up to the constant length of `whole`."""
    length = sqrt(sum(weight * weight for weight in part.values()))
    return sum(weight * whole.get(word, 0) for word, weight in part.items()) / (length or 1)

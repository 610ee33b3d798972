"""Summaries without a model: the plain fallback, cut from the text itself."""

import re

SENTENCE = re.compile(r"[^\s].*?(?:[.!?](?=\s|$)|[。！？][。！？”’」』]*|$)", re.DOTALL)
TITLE_WORDS = 6
_CUT_OFF = re.compile(r"[^\s\u3000-\u9fff\uff00-\uffef]+$")
"""What may go on behind a cut; scripts without spaces between words may be cut at any letter."""


def first_and_last(text: str, limit: int = 200) -> str:
    """The first and the last sentence, of `limit` characters each: what it is about, and what it came to."""
    ends = (first_sentence(text, limit), last_sentence(text, limit))
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
    words = first_sentence(text).rstrip(".!?…。！？").split()
    return " ".join(words[:TITLE_WORDS]).rstrip(",;:")

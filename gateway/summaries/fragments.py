"""Sentences of which a piece is missing: their beginning, their end, a quotation mark, or what stands in the marks."""

import re

from gateway.summaries.function_words import FUNCTION_WORDS
from gateway.summaries.prose import WITHOUT_SPACES

_SHORT_WORDS = frozenset(["is", "it", "to", "in", "of", "or", "as", "by", "if", "on", "at", "an"])
"""Function words of English that are shorter than those of the list."""
LONGEST_SYMBOL, FORMULA_SYMBOLS = 2, 5
"""In letters: longer names of formulas are words. And how many symbols more than one formula has."""
_WORD, _CHARACTER = re.compile(r"[^\W\d_]+"), re.compile(f"[{WITHOUT_SPACES}]")
_LATIN_WORD = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_FIRST_WORD = re.compile(r"[^\W\d_]+(?= )")
_PAIRS = (("「", "」"), ("『", "』"), ("《", "》"), ("【", "】"))
"""Marks that stand in pairs only; others are brackets of lists, or close in one language what they open in another."""
_DEBRIS = re.compile(r"\"\"|「」|『』|“”|([^\w\s.,;:!?(){}\[\]|=*+/\\'\"#~_-])\1{3}")
_ANNOUNCES = (":", "：")
_ASIDE = re.compile('[「『《“"(（‘][^「『《“(（‘」』》”")）’]*[」』》”")）’]')
MIXED = 2
"""Function words of a script with spaces, beside which one without is out of place."""


def is_fragment(sentence: str) -> bool:
    """Return True if the sentence begins with a small function word, as what follows a title does ("is known for…"),
    announces what does not come (":"), has a quotation mark without its other one, quotes nothing, is full of one sign,
    has no word, or one of another script ("a chronic/亚急性 condition")."""
    said = sentence.strip()
    word = _FIRST_WORD.match(said)
    if word and word[0].islower() and (word[0] in FUNCTION_WORDS or word[0] in _SHORT_WORDS):
        return True
    if _DEBRIS.search(said) or _is_formula(said) or _mixes_scripts(said):
        return True
    return said.endswith(_ANNOUNCES) or any(said.count(first) != said.count(last) for first, last in _PAIRS)


def _mixes_scripts(said: str) -> bool:
    rest = _ASIDE.sub(" ", said)
    if not _CHARACTER.search(rest):
        return False
    words = (word.casefold() for word in _LATIN_WORD.findall(rest))
    return sum(word in FUNCTION_WORDS or word in _SHORT_WORDS for word in words) >= MIXED


def _is_formula(said: str) -> bool:
    """Return True if there are several formulas, and no word of three letters, nor a short one of a sentence."""
    words = _WORD.findall(said)
    if len(words) < FORMULA_SYMBOLS or _CHARACTER.search(said):
        return False
    return not any(len(word) > LONGEST_SYMBOL or word.casefold() in _SHORT_WORDS for word in words)

"""The lexicon of a text, told by its script and its function words.

Cheaper and coarser than `gateway.summaries.language`, which tells the language of a summary.
"""

import re
from functools import lru_cache

from gateway.summaries.extracts.lexicon import Lexicon
from gateway.summaries.extracts.words import de, en, es, fr, it, ja, ko, nl, pt, ru, zh

LEXICONS = {
    "en": en.WORDS,
    "de": de.WORDS,
    "es": es.WORDS,
    "fr": fr.WORDS,
    "it": it.WORDS,
    "pt": pt.WORDS,
    "nl": nl.WORDS,
    "ru": ru.WORDS,
    "zh": zh.WORDS,
    "ja": ja.WORDS,
    "ko": ko.WORDS,
}
ANY = Lexicon(stops="", fillers="(?!)", talk="(?!)", found="", doubts="")
"""The lexicon of a language that we do not know."""
SAMPLE = 1200
"""Characters at the beginning of a text that tell its language."""
_SCRIPTS = {
    "ja": re.compile("[\u3040-\u30ff]"),
    "ko": re.compile("[\uac00-\ud7a3]"),
    "zh": re.compile("[\u4e00-\u9fff]"),
    "ru": re.compile("[\u0400-\u04ff]"),
    "ar": re.compile("[\u0600-\u06ff]"),
    "hi": re.compile("[\u0900-\u097f]"),
    "el": re.compile("[\u0370-\u03ff]"),
    "he": re.compile("[\u0590-\u05ff]"),
    "th": re.compile("[\u0e00-\u0e7f]"),
}
_LATIN = re.compile(r"(?<![\w.(\"'])[A-Za-z\u00c0-\u024f][a-z\u00c0-\u024f]*(?![\w.(=_])")
"""A word, not an identifier."""


@lru_cache(256)
def language_of(text: str) -> str:
    """Return the tag of a text's language, or "" if it is none that we tell."""
    text = text[:SAMPLE]
    latin = [word.lower() for word in _LATIN.findall(text)]
    counts = {tag: len(letters.findall(text)) for tag, letters in _SCRIPTS.items()}
    if counts["ja"] * 8 > counts["zh"]:
        counts["ja"] += counts["zh"]
    tag = max(counts, key=lambda name: counts[name])
    if counts[tag] * (3 if tag in ("zh", "ja") else 1) > sum(map(len, latin)):
        return tag
    shares = {
        name: sum(word in lexicon.function_words for word in latin)
        for name, lexicon in LEXICONS.items()
        if name not in _SCRIPTS
    }
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] * 8 > len(latin) or (shares[best] and len(latin) < 16) else ""


def lexicon(tag: str) -> Lexicon:
    """Return the lexicon of a language, or `ANY`."""
    return LEXICONS.get(tag.partition("-")[0].lower(), ANY)

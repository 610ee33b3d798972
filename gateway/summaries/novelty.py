"""The check whether a few sentences bring anything new: by their words and figures alone, in some microseconds.

Knows nothing of meanings: sentences of the same words that say the opposite bring something new only by a word for it.
"""

import re

NEW_SHARE = 0.1
"""Share of the words from which a text brings something new."""
SHORT_WORD = 4
"""Words of at most this many letters may turn what is said ("not", "nie", "aber"), so each counts as new by itself."""
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_\u3040-\u30ff\u3400-\u9fff]+|(?=([\u3040-\u30ff\u3400-\u9fff]{2}))")
_SIGN = re.compile(r"[=<>≤≥≠+*/^√∞¬→⇒]")


def brings_something_new(text: str, before: str) -> bool:
    """Return True if the text has a figure, a short word or a sign that is not in the text before, or other words in
    number. Scripts without spaces are compared by pairs of characters."""
    said, words = _words(before), _words(text)
    new = words - said
    if any(len(word) <= SHORT_WORD or word[0].isdigit() for word in new if not _is_pair(word)):
        return True
    return len(new) > NEW_SHARE * len(words) or not set(_SIGN.findall(text)) <= set(_SIGN.findall(before))


def _words(text: str) -> set[str]:
    return {found[1] or found[0] for found in _WORD.finditer(text.casefold())} - {""}


def _is_pair(word: str) -> bool:
    return len(word) == 2 and "\u3040" <= word[0] <= "\u9fff"

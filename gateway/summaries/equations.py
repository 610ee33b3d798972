"""Calculations that a summary makes up: "30 + 30 = 60" of a text that adds 30 and 15.

Each number of such a line may well be one of the text's, so grounding alone does not find it. What is calculated must
stand in the text; the result may stand elsewhere in it, which grounding checks.
"""

import re
from itertools import islice

_NUMBER = r"\d++(?:[.,]\d++)*+"
_SIGN = r"[+×*·÷/−–-]"
_RESULT = rf"(?=(?:\s?{_SIGN}\s?[\d.,]+){{0,8}}\s?=)"
_CALCULATION = re.compile(
    rf"(?<![\d.,]){_NUMBER}(?:\s?[+×*·÷/]\s?{_NUMBER}|\s[-−–]\s{_NUMBER}|[-−–]{_NUMBER}{_RESULT})++"
)
MOST = 8
"""Number of a sentence's calculations that are compared."""
_THOUSANDS, _SPACE = re.compile(r"(?<=\d),(?=\d{3})"), re.compile(r"\s*([-+*/=])\s*")
_SIGNS = str.maketrans("−–×·÷", "--**/")


def has_calculations_of(sentence: str, text: str) -> bool:
    """Return True if all that the sentence calculates with numbers is calculated in the text, or if it calculates
    nothing. Spaces, and how signs are written, do not matter; ranges such as 15-20 are no calculations."""
    found = [match[0] for match in islice(_CALCULATION.finditer(sentence), MOST)]
    if not found:
        return True
    written = _plain(text)
    return all(re.search(rf"(?<![\d.]){re.escape(_plain(one))}(?!\d)", written) for one in found)


def _plain(text: str) -> str:
    return _SPACE.sub(r"\1", _THOUSANDS.sub("", text.translate(_SIGNS)))

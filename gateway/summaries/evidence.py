"""The sources of a summary in one form, and indexes of what stands in them, each made when it is first asked for.

Knows nothing of claims; see `grounding.py`.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property

from gateway.summaries.quantities import CJK_DIGITS, supported
from gateway.summaries.units import LETTERS, units

_SQUEEZED = (
    (re.compile("(?<=[0-9])(?=[¼-¾⅐-⅞])"), " "),
    (re.compile("[⁰¹²³⁴-⁹⁻]+"), r"^\g<0>"),
    (re.compile("(?<![０-９])，|，(?![０-９]{3})"), ", "),
)
_MARKS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛", "'"),
        **dict.fromkeys("“”„‟«»「」『』", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"),
        "\u2044": "/",
    }
)
_REWRITTEN = (
    (re.compile(r"\\(?:text|mathrm|mathbf|boxed) ?\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\[dt]?frac ?\{([^{}]*)\}\{([^{}]*)\}"), r"\1/\2"),
    (re.compile(r"\\([%$])|\\[,;] ?|\{(,)\}|(?<=\^)\{([^{}]*)\}"), r"\1\2\3"),
    (re.compile(r"(?<!\d)(\d{1,4})/(\d{1,4})/(\d{1,4})(?!\d)"), r"\1-\2-\3"),
    (re.compile(r"\b(Dr|Mr|Mrs|Ms|Prof|St|vs|e\.g|i\.e|z\. ?B|d\. ?h|bzw|ca|approx|Nr|Sr|Sra|Mme)\."), r"\1"),
    (re.compile(r"(?i:\b(quadrat|kubik)(?=\w{0,5}meter))"), r"\1 "),
    (re.compile(r"(?<![A-Za-z\d_])(log|[A-Za-z])_(?:(\d+)|\{(\d+)\})(?![A-Za-z\d_])"), r"\1\2\3"),  # A_9 is A₉
    (re.compile(rf"百分之([\d.{CJK_DIGITS}]+)"), r"\1%"),
    (re.compile(rf"(?<![\d{CJK_DIGITS}])([\d{CJK_DIGITS}]++)分之([\d{CJK_DIGITS}]++)"), r"\2/\1"),
)

_TOKEN = re.compile(rf"[{LETTERS}]+|\d+|\S")
_LETTER = re.compile(rf"(?<![{LETTERS}\d])[A-Z](?![{LETTERS}])")
_NUMBERING = re.compile(r"(?m)(?:^|[\s(*])([a-z])(?=[).:](?:\W|$))")
WORD = re.compile(rf"[{LETTERS}]+")


class Evidence:
    """Some texts as one. Each index takes time and memory linear in them, once."""

    def __init__(self, sources: Sequence[str]) -> None:
        self._sources = tuple(sources)

    @cached_property
    def text(self) -> str:
        """The sources, a blank line between them."""
        return "\n\n".join(map(plain, self._sources))

    @cached_property
    def code(self) -> str:
        """The tokens, a line each."""
        return token_string(self.text)

    @cached_property
    def quotable(self) -> str:
        """The tokens without case, markup and quotation marks, a line each."""
        return folded_tokens(self.text)

    @cached_property
    def words(self) -> set[str]:
        """The words, folded."""
        return set(map(fold, set(WORD.findall(self.text))))

    @cached_property
    def letters(self) -> set[str]:
        """The capital letters that stand alone, and those that number something: (a), b), c."""
        return set(_LETTER.findall(self.text)) | {letter.upper() for letter in _NUMBERING.findall(self.text)}

    @cached_property
    def lower(self) -> set[str]:
        """The words that stand somewhere without a capital, folded."""
        return {fold(word) for word in set(WORD.findall(self.text)) if word[0].islower()}

    @cached_property
    def words_in_order(self) -> list[str]:
        return sorted(self.words)

    @cached_property
    def unit_parts(self) -> set[str]:
        """Parts of the units: km and h of km/h."""
        return {unit for _, made_of in units(self.text) for unit in made_of}

    @cached_property
    def values(self) -> set[str]:
        """The values of the numbers; see `quantities`."""
        return supported(self.text)


def plain(text: str) -> str:
    """Normalize widths, digits, quotation marks, dashes, powers, fractions and LaTeX to one form each."""
    for pattern, replacement in _SQUEEZED:
        text = pattern.sub(replacement, text)
    text = unicodedata.normalize("NFKC", text).translate(_MARKS)
    text = re.sub(r"(?![0-9])\d", lambda digit: str(unicodedata.digit(digit[0])), text)
    for pattern, replacement in _REWRITTEN:
        text = pattern.sub(replacement, text)
    return text


def token_string(text: str, dropped: str = "`$") -> str:
    """Return the tokens of a text, a line each, so that `in` finds a sequence of whole tokens."""
    return "\n".join(["", *(token for token in _TOKEN.findall(text) if token not in dropped), ""])


def folded_tokens(text: str) -> str:
    """Return the token string of a text without case and without markup and quotation marks."""
    return token_string(text.casefold(), "`*_$\"'")


def fold(word: str) -> str:
    """Return a word in lower case and without accents."""
    return "".join(char for char in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(char))

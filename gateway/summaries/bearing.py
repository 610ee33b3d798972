"""The lexical check: whether the words of a sentence are borne by the text that it summarizes.

`grounding.py` checks numbers, names and code. This check is for sentences that have none: enough of their content words
must occur in the source, by their stems, or by pairs of characters in scripts without spaces. It compares words, not
meanings, and says nothing where source and sentence are in different languages.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

from gateway.summaries.function_words import FUNCTION_WORDS

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u30a0-\u30ff\u3400-\u9fff"
_MARKS = "\u0591-\u05c7\u064b-\u065f\u0900-\u0903\u093a-\u094f\u0962-\u0963"
_RUN = re.compile(rf"[{_UNSPACED}]+|(?:[^\W\d_{_UNSPACED}\u3040-\u309f]|[{_MARKS}])+")
_UNSPACED_RUN = re.compile(rf"[{_UNSPACED}]")
_PARTICLES = re.compile(
    "[的了是在和与跟及或而且但也都就才又再已着过把被让使给对从到由于以为因所如若则那这其之个些么吗呢吧啊不没有无要会能可得地很最更还只即並與們们我你他她它您]"
)
"""Chinese characters that are words without a meaning of their own, or parts of such words."""
_HANGUL = re.compile("[\uac00-\ud7a3]")
SHORTEST = 3
"""Shorter words of scripts with spaces tell nothing."""
LONGEST_STEM, LONGEST_ENDING = 6, 4
"""In characters. A longer ending makes another word."""
SHARE = 0.55
"""Minimum share of a sentence's content words that its source must have (`bench.swapped`)."""
MARGIN = 0.05
"""Share of a sentence's content words that an earlier step may have beyond that of the sentence's own step."""
FEWEST = 10
"""A text with fewer different content words bears anything: its summary must use other words."""


class LexicalIndex:
    """The words of a text in all their stems, built once to check many sentences; both take linear time.

    `size` is the number of different words.
    """

    def __init__(self, text: str) -> None:
        words = frozenset(_words(text))
        self._forms = frozenset(form for word in words for form in _forms(word))
        self.size = len(words)

    @property
    def tells(self) -> bool:
        return self.size >= FEWEST

    def share(self, stems: frozenset[str]) -> float:
        """Return the share of a sentence's `stems` that the text has; 1 if there are none."""
        return len(stems & self._forms) / len(stems) if stems else 1.0


def stems_of(text: str) -> frozenset[str]:
    """Return the stems of the different content words of a text, and the pairs of characters of unspaced scripts."""
    return frozenset(map(_stem, _words(text)))


def ordered_stems(text: str) -> Sequence[str]:
    """Return the stems of a text's content words in their order."""
    return [_stem(word) for word in _words(text)]


def forms_of(text: str) -> Sequence[frozenset[str]]:
    """Return of each content word of a text, in their order, what may be the stem of one of its inflected forms."""
    return [frozenset(_forms(word)) for word in _words(text)]


def _words(text: str) -> Iterator[str]:
    """Yield the content words, folded."""
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _UNSPACED_RUN.match(run):
            for word in _PARTICLES.split(run):
                yield from (word[at : at + 2] for at in range(len(word) - 1))
        elif run not in FUNCTION_WORDS and (len(run) >= SHORTEST or _HANGUL.match(run)):
            yield run


def _stem(word: str) -> str:
    """Return the beginning of a word without the most that may be its ending."""
    if _HANGUL.match(word) or _UNSPACED_RUN.match(word):
        return word[:2]
    return _plain(word)[: max(SHORTEST, min(LONGEST_STEM, len(word) - 2))]


@lru_cache(4096)
def _forms(word: str) -> tuple[str, ...]:
    """Return what `_stem` may return of the word's inflected forms."""
    if _HANGUL.match(word) or _UNSPACED_RUN.match(word):
        return (word[:2],)
    plain = _plain(word)
    shortest = max(SHORTEST, min(LONGEST_STEM, len(plain) - LONGEST_ENDING))
    return tuple(plain[:length] for length in range(shortest, LONGEST_STEM + 1))


def _plain(word: str) -> str:
    """Return a word without accents."""
    return "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))

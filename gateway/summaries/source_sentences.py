"""The sentences of a text, and where in it a sentence of a summary comes from.

A summary is borne best by one sentence or two neighbours that have its words in its order: what joins words from all
over a text, or turns them around, has often made something up.
"""

import re
from collections.abc import Sequence
from functools import cached_property

from gateway.summaries.bearing import LexicalIndex, forms_of, ordered_stems
from gateway.summaries.extracts.tongues import language_of
from gateway.summaries.sentences import sentences

COMPARED_WORDS = 64
"""Content words of a sentence that are compared in their order."""
NEAR = 0.15
"""Pairs of sentences whose share of the words is so much below the highest are compared too."""
MOST_STATEMENTS = 8
"""Number of a sentence's statements that are compared."""
_BORDER = re.compile(
    r"[,;:](?=\s)|[，；：、]"
    r"|\b(?:and|but|so|because|making|which|und|aber|weil|y|pero|porque|et|mais|car|e|ma|mas|и|но|а)\b",
    re.IGNORECASE,
)


def statements(sentence: str) -> Sequence[str]:
    """Return what a sentence says one after another: its clauses, and the items of its lists."""
    return _BORDER.split(sentence)[:MOST_STATEMENTS]


class SourceSentences:
    """The sentences of a text, indexed once they are first compared."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def sentences(self) -> Sequence[str]:
        return [sentence for sentence in sentences(self._text) if sentence.strip()]

    @cached_property
    def language(self) -> str:
        """The tag of the text's language, as `extracts.tongues` tells it."""
        return language_of(" ".join(self.sentences))

    @cached_property
    def indexes(self) -> Sequence[LexicalIndex]:
        """The words of each sentence."""
        return [LexicalIndex(sentence) for sentence in self.sentences]

    def best_for(self, stems: frozenset[str], near: float = 0.0) -> Sequence[int]:
        """Return the numbers of the sentences that have most of the stems, or a share at most `near` below."""
        shares = [index.share(stems) for index in self.indexes]
        least = max(shares, default=0.0) - near
        return [number for number, share in enumerate(shares) if share >= least]

    def ordered_share(self, sentence: str) -> float:
        """Return the largest share of a sentence's content words that one sentence or two neighbours of the text have
        in its order; 1 if it has none. The time is bounded by the length of the text."""
        stems = ordered_stems(sentence)[:COMPARED_WORDS]
        if not stems:
            return 1.0
        wanted = frozenset(stems)
        shares = [pair.share(wanted) for pair in self._pairs]
        least = max(shares, default=0.0) - NEAR
        near = [number for number, share in enumerate(shares) if share >= least]
        return max((_in_order(stems, self._words(number)) for number in near), default=0) / len(stems)

    @cached_property
    def _pairs(self) -> Sequence[LexicalIndex]:
        return [LexicalIndex(" ".join(self.sentences[at : at + 2])) for at in range(len(self.sentences))]

    def _words(self, number: int) -> Sequence[frozenset[str]]:
        return forms_of(" ".join(self.sentences[number : number + 2]))


def _in_order(stems: Sequence[str], words: Sequence[frozenset[str]]) -> int:
    """Return the length of the longest common subsequence of stems and words, each in all its forms."""
    longest = [0] * (len(words) + 1)
    for stem in stems:
        before = 0
        for at, forms in enumerate(words, 1):
            kept = longest[at]
            longest[at] = before + 1 if stem in forms else max(kept, longest[at - 1])
            before = kept
    return longest[-1]

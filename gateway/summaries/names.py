"""Names that a summary gives to something else: "Billy is older than Joseph" of a text in which Martha is.

If sentences of the text have all other words of a clause, one of them must have its names, or the sentence before it,
to which "he" or "this" may point. A name is a word that has a capital throughout the text, also within a sentence;
German has capitals for all nouns, so none is told there. "The user" is one, too: "we can choose" is not what he can.
"""

import re
from collections.abc import Sequence
from functools import cached_property

from gateway.summaries.bearing import stems_of
from gateway.summaries.source_sentences import SourceSentences, statements

ROLES = frozenset({"user", "User"})
"""Words that are names without having a capital."""
_WORD = re.compile(r"[^\W\d_]+")


class Names:
    """The names of a text, by its sentences."""

    def __init__(self, source: SourceSentences) -> None:
        self._source = source

    def are_of_something_else(self, sentence: str) -> bool:
        """Return True if a clause of the sentence has words of the text with names that do not stand beside them."""
        return any(map(self._is_elsewhere, statements(sentence)))

    def _is_elsewhere(self, clause: str) -> bool:
        words = _WORD.findall(clause)
        names = {word.lower() for word in words if word in self._names}
        stems = stems_of(" ".join(word for word in words if word not in self._names))
        if not names or not stems:
            return False
        places = [at for at, index in enumerate(self._source.indexes) if index.share(stems) == 1.0]
        return bool(places) and not any(names <= self._near(at) for at in places)

    def _near(self, at: int) -> set[str]:
        return self._words[at] | (self._words[at - 1] if at else set())

    @cached_property
    def _words(self) -> Sequence[set[str]]:
        """The words of each sentence, without capitals."""
        return [set(_WORD.findall(sentence.lower())) for sentence in self._source.sentences]

    @cached_property
    def _names(self) -> frozenset[str]:
        if self._source.language == "de":
            return ROLES
        words = [_WORD.findall(sentence) for sentence in self._source.sentences]
        within = {word for one in words for word in one[1:] if word[0].isupper()}
        lower = {word for one in words for word in one if word[0].islower()}
        return frozenset(word for word in within if word.lower() not in lower) | ROLES

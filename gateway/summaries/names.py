"""Names that a summary gives to something else: "Billy is older than Joseph" of a text in which Martha is.

If sentences of the text have all other words of a clause, one of them must have its names, or the sentence before it,
to which "he" or "this" may point. A name is a word that has a capital throughout the text, also within a sentence;
German has capitals for all nouns, so none is told there. "The user" is one, too: "we can choose" is not what he can.
"""

import re
from collections.abc import Sequence
from functools import cached_property

from gateway.summaries.bearing import stems_of
from gateway.summaries.extracts.tongues import language_of
from gateway.summaries.source_sentences import SourceSentences, statements

ROLES = frozenset({"user", "User"})
_WORD = re.compile(r"[^\W\d_]+")


class Names:
    """The names of a text, by its sentences."""

    def __init__(self, source: SourceSentences) -> None:
        self._source = source

    def are_of_something_else(self, sentence: str) -> bool:
        """Return True if a clause of the sentence has words of the text with names that do not stand beside them."""
        return any(map(self._is_elsewhere, statements(sentence)))

    def _is_elsewhere(self, clause: str) -> bool:
        names = {word for word in _WORD.findall(clause) if word in self._names}
        stems = stems_of(" ".join(word for word in _WORD.findall(clause) if word not in names))
        if not names or not stems:
            return False
        places = [at for at, index in enumerate(self._source.indexes) if index.share(stems) == 1.0]
        names = {word.lower() for word in names}
        return bool(places) and not any(names <= self._near(at) for at in places)

    def _near(self, at: int) -> set[str]:
        return self._words[at] | (self._words[at - 1] if at else set())

    @cached_property
    def _words(self) -> Sequence[set[str]]:
        """The words of each sentence, without capitals."""
        return [set(_WORD.findall(sentence.lower())) for sentence in self._source.sentences]

    @cached_property
    def _names(self) -> frozenset[str]:
        text = " ".join(self._source.sentences)
        if language_of(text) == "de":
            return ROLES
        within = {word for one in self._source.sentences for word in _WORD.findall(one)[1:] if word[0].isupper()}
        lower = {word for word in _WORD.findall(text) if word[0].islower()}
        return frozenset(word for word in within if word.lower() not in lower) | ROLES

"""Numbers that a summary gives to something else: "the scale is 4" of a text in which 4 is a score.

A number must have stood beside what it is said of: of the words of its clause, some sentence of the text that has the
number must have one at least, unless it has no other words. Numbers of one clause must stand together in one sentence
of the text or in two neighbours: "40 people lost 1382 samples" joins the 40 of one calculation and the 1382 of another.
Numbers are compared as they are spelled; `grounding.py` knows them by their values.
"""

import re
from collections.abc import Iterator
from functools import cached_property

from gateway.summaries.bearing import stems_of
from gateway.summaries.source_sentences import SourceSentences, statements

_NUMBER = re.compile(r"(?<![\d.,])\d+(?:[.,]\d+)*")


class Figures:
    """The numbers of a text, by its sentences."""

    def __init__(self, source: SourceSentences) -> None:
        self._source = source

    def are_of_something_else(self, sentence: str) -> bool:
        """Return True if a number of the sentence stands beside none of the words, or numbers, of its clause in the
        text."""
        return any(self._is_elsewhere(clause) or self._are_apart(clause) for clause in statements(sentence))

    def _is_elsewhere(self, clause: str) -> bool:
        stems = stems_of(clause)
        return bool(stems) and any(
            not any(self._source.indexes[at].share(stems) for at in places) for places in self._places(clause)
        )

    def _are_apart(self, clause: str) -> bool:
        together = [{*places, *(at + 1 for at in places)} for places in self._places(clause)]
        return len(together) > 1 and not set.intersection(*together)

    def _places(self, clause: str) -> Iterator[set[int]]:
        """Yield of each number of the clause that the text has beside words, the sentences with it."""
        for number in {*_NUMBER.findall(clause)}:
            if places := self._sentences.get(number):
                yield places

    @cached_property
    def _sentences(self) -> dict[str, set[int]]:
        found = dict[str, set[int]]()
        for at, sentence in enumerate(self._source.sentences):
            if stems_of(sentence):
                for number in _NUMBER.findall(sentence):
                    found.setdefault(number, set()).add(at)
        return found

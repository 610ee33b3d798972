"""Causes that a summary makes up: "B is likelier, so it is the answer" of a text that says each without the other.

Small models join what stands apart in a text with "so" and "because". The two sides of such a word must be borne by one
sentence of the text or by neighbours, with a word for a cause, a condition or a consequence, or the later of the two
sentences must have a word for a cause. Which side is the cause is not compared.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise

from gateway.summaries.bearing import stems_of
from gateway.summaries.source_sentences import SourceSentences

MOST_SIDES = 6
"""Number of a sentence's sides that are compared."""
_CAUSE = (
    r"(?:(?:^|[,;:.]|\b(?:and|but))\s{0,3}so|[,;] ?(?:car|denn)"
    r"|\b(?:because|since|therefore|thus|hence|consequently|as a result|which means|weil|deshalb|daher|deswegen"
    r"|folglich|parce que?|donc|puisque|porque|por lo tanto|por eso|así que|ya que|por isso|portanto|já que|perché"
    r"|quindi|perciò|poiché|потому что|поэтому|так как))\b|因为|因為|所以|因此|ので|ため|だから|때문|므로|따라서"
)
"""Words that join clauses, some of them only behind a comma: "so" big, a "car". What stands behind "due to" is rarely
made up."""
_JOINING = (
    r"\b(?:if|then|when|given|as|mean\w*|impl(?:y|ies)|suggest\w*|makes?|leads?|which|wenn|falls|dann|also|bedeutet"
    r"|si|alors|signifie|entonces|significa|se|então|allora|если|тогда|значит)\b|如果|那么|则|就|なら|れば|たら|→|⇒|=>|면"
)
_SIDES = re.compile(_CAUSE, re.IGNORECASE)
_BEFORE_COMMA = re.compile(r"[,，、]")
_JOINS = re.compile(rf"{_CAUSE}|{_JOINING}", re.IGNORECASE)


class CauseIndex:
    """The causes that a text tells; a check of a sentence is linear in the text."""

    def __init__(self, source: SourceSentences) -> None:
        self._source = source

    @cached_property
    def _joining(self) -> set[int]:
        return {number for number, sentence in enumerate(self._source.sentences) if _JOINS.search(sentence)}

    @cached_property
    def _causal(self) -> set[int]:
        return {number for number, sentence in enumerate(self._source.sentences) if _SIDES.search(sentence)}

    def has(self, sentence: str) -> bool:
        """Return True if the text joins what the sentence joins as cause and consequence, or if it joins nothing."""
        return all(self._are_joined(one, other) for one, other in pairwise(_sides(sentence)))

    def _are_joined(self, one: frozenset[str], other: frozenset[str]) -> bool:
        ones, others = set(self._source.best_for(one)), set(self._source.best_for(other))
        pairs = [{at, beside} for at in ones for beside in (at - 1, at, at + 1) if beside in others]
        return (
            any(pair & self._joining for pair in pairs)
            or max(others & self._causal, default=-1) > min(ones, default=0)
            or max(ones & self._causal, default=-1) > min(others, default=0)
        )


def _sides(sentence: str) -> Iterator[frozenset[str]]:
    """Yield the stems of what stands before and behind the words for a cause; "Because of A, B" has two sides too."""
    begin, *rest = _SIDES.split(sentence)[:MOST_SIDES]
    if rest and not stems_of(begin):
        rest = [*_BEFORE_COMMA.split(rest[0], maxsplit=1), *rest[1:]]
    yield from filter(None, map(stems_of, (begin, *rest)))

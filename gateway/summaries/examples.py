"""Tell whether a model has repeated an example of its prompt instead of summarizing: small ones do."""

from functools import cache

from gateway.summaries.bearing import LexicalIndex
from gateway.summaries.wordings import PIECES, WORDINGS

ALIKE = 0.6
"""Share of a text's stems that an example has, from which on they are alike."""


def is_like_an_example(stems: frozenset[str], step_share: float) -> bool:
    """Return True if one example has more of a text's stems than the step, which has `step_share` of them."""
    if not stems or step_share == 1:
        return False
    return any(share >= ALIKE and share > step_share for share in (example.share(stems) for example in _examples()))


@cache
def _examples() -> tuple[LexicalIndex, ...]:
    """Return the words of each example: of its piece, and of its summary in each language."""
    summaries = (part for wording in WORDINGS.values() for part in wording.parts)
    return tuple(map(LexicalIndex, (*PIECES, *summaries)))

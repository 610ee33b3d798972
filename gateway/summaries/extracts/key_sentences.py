"""The sentences of a step that tell most, for a model that is lost in the whole of it."""

from collections.abc import Sequence

from gateway.summaries.extracts.rating import SIMILAR, asked_words, looked_at, overlap, rate
from gateway.summaries.extracts.tongues import language_of, lexicon
from gateway.summaries.extracts.units import units_of

MOST, CHARACTERS = 5, 420
"""Maximum number of sentences, and of their characters together, half as many in scripts without spaces."""


def key_sentences(step: str, request: str) -> str:
    """Return the sentences of a step that tell most, in their order, without self-talk and code; "" if it has none.

    `request` is what the user has asked, whose words tell less than others.
    """
    shown = looked_at(step)
    words = lexicon(language_of(shown) or language_of(request))
    rated = rate(units_of(shown, words), words, asked_words(request, words), {})
    characters = CHARACTERS if words.spaced else CHARACTERS // 2

    def fits(taken: Sequence[int], n: int) -> bool:
        room = characters - sum(len(rated.sentences[other]) for other in taken)
        said = any(overlap(rated.content[n], rated.content[other]) >= SIMILAR for other in taken)
        return not taken or (len(rated.sentences[n]) <= room and not said)

    return (" " if words.spaced else "").join(rated.best(MOST, fits))

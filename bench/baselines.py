"""Summaries of a trace without a model, as simple gateways make them. Each function returns sentences in order.

`characters` is the length of a summary: the sentence that would exceed it is cut, after the word that does. 0 means the
method's own length.
"""

import re
from collections.abc import Iterable, Sequence

from gateway.summaries import sentences as borders

_WORD = re.compile(r"[^\W\d_]+|\d+")
_HAN = re.compile(r"[一-鿿]")
SHORTEST = 4
"""Minimum length of a sentence in characters; a shorter one is taken for the number of a list item."""


def sentences(text: str) -> list[str]:
    """Split a text into sentences, each on one line."""
    return [sentence for sentence in borders.sentences(text) if len(sentence) >= SHORTEST]


def first_and_last(trace: str, characters: int = 0) -> list[str]:
    """Return the first and the last sentence; with `characters`, as many from both ends as it takes."""
    found = sentences(trace)
    inwards = [n for pair in zip(range(len(found)), reversed(range(len(found))), strict=True) for n in pair]
    return _in_order(found, list(dict.fromkeys(inwards)), characters, fewest=2)


def first_then_finally(trace: str, longest: int = 120) -> list[str]:
    """Return `First, … Then, … Finally, …` with the beginnings of the first, the middle and the last sentence."""
    found = sentences(trace)
    if not found:
        return []
    chosen = (found[0], found[len(found) // 2], found[-1])
    beginnings = [f"{sentence} "[: longest + 1].rpartition(" ")[0] for sentence in chosen]
    return [f"{word}, {said}" for word, said in zip(("First", "Then", "Finally"), beginnings, strict=True)]


def text_rank(trace: str, characters: int = 0) -> list[str]:
    """Return the sentences that TextRank (sumy) ranks first. They are split here, so that nothing is downloaded."""
    from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
    from sumy.summarizers.text_rank import TextRankSummarizer

    found = sentences(trace)
    document = ObjectDocumentModel([Paragraph([Sentence(sentence, _Words()) for sentence in found])])
    ranks = TextRankSummarizer().rate_sentences(document) if found else {}
    best = sorted(range(len(found)), key=lambda n: -ranks[Sentence(found[n], _Words())])
    seen = list({found[n]: n for n in reversed(best)}.values())[::-1]
    return _in_order(found, seen, characters, fewest=1)


class _Words:
    """A tokenizer for sumy: words, or the characters of Chinese."""

    def to_words(self, sentence: str) -> Sequence[str]:
        words: Iterable[str] = _WORD.findall(sentence.casefold())
        return [piece for word in words for piece in (word if _HAN.search(word) else [word])]


def _in_order(found: Sequence[str], best: Sequence[int], characters: int, fewest: int) -> list[str]:
    if not characters:
        return [found[n] for n in sorted(best[:fewest])]
    chosen: dict[int, str] = {}
    room = characters
    for n in best:
        chosen[n] = _cut(found[n], room)
        room -= len(found[n])
        if room <= 0:
            break
    return [chosen[n] for n in sorted(chosen)]


def _cut(sentence: str, characters: int) -> str:
    end = sentence.find(" ", characters) if " " in sentence else characters
    return sentence if end < 0 else sentence[:end]

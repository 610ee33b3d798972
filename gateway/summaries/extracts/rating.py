"""Scores of the sentences of a step by what each says: findings, figures, and words that are typical of this step."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from math import log, sqrt
from typing import NamedTuple

from gateway.summaries.excerpts import both_ends, sanitized_excerpt
from gateway.summaries.extracts.lexicon import Lexicon
from gateway.summaries.extracts.units import Units
from gateway.summaries.sentences import clauses

LOOKED_AT = 2000
"""Only this many characters of a step are looked at, both ends of a longer one: it takes milliseconds."""
_LEFT_OUT = "\n…\n"
UNKNOWN = 0.1
"""Weight of a word that no sentence has."""
SIMILAR = 0.6
"""Share of common words from which a sentence says what another one has said."""
WORST = -1.0
"""A sentence with a lower score says nothing."""
SHORT_FORMULA = 8
"""Signs and figures of a sentence that do not make it a formula."""
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_\u3040-\u30ff\u3400-\u9fff]+|[\u3040-\u30ff\u3400-\u9fff]{1,2}")
_FIGURE = re.compile(r"\d+")
_CODE_SIGNS = re.compile(r"[_={}\[\];<>]|\w\(|\w\.\w+\(")


class Rated(NamedTuple):
    """The sentences of a step, the words of each, how much it says, and the weights of all words, at most 1."""

    sentences: list[str]
    content: list[set[str]]
    scores: list[float]
    weights: dict[str, float]

    @property
    def best_first(self) -> Sequence[int]:
        """The numbers of the sentences, the one that says most first, of equals the later one."""
        return sorted(range(len(self.sentences)), key=lambda n: (-self.scores[n], -n))

    def best(self, most: int, fits: Callable[[Sequence[int], int], bool]) -> list[str]:
        """Return at most so many of the sentences that say something, those that say most, in their order.

        `fits` is given the numbers of those taken and that of another, and says whether it may be taken too.
        """
        taken: list[int] = []
        for n in self.best_first:
            if len(taken) == most or self.scores[n] < WORST:
                break
            if fits(taken, n):
                taken.append(n)
        return [self.sentences[n] for n in sorted(taken)]


def rate(units: Units, words: Lexicon, asked: Collection[str], before: Mapping[str, int]) -> Rated:
    """Return the sentences of a step with their words and scores.

    `asked` are the words of the request; `before` says how many of the steps before have a word.
    """
    found = list(dict.fromkeys(units.sentences))
    content = [words_of(one, words) for one in found]
    counts = Counter(word for one in [*content, *(words_of(one, words) for one in units.headings)] for word in one)
    weights = {
        word: (1 + log(count)) / (1 + log(1 + before.get(word, 0))) * (0.7 if word in asked else 1.0)
        for word, count in counts.items()
    }
    most = max(weights.values(), default=1.0)
    weights = {word: weight / most for word, weight in weights.items()}
    scores = [
        _score(one, own, n >= len(found) * 2 // 3, words, weights, asked)
        for n, (one, own) in enumerate(zip(found, content, strict=True))
    ]
    return Rated(found, content, scores, weights)


def _score(
    sentence: str, content: set[str], late: bool, words: Lexicon, weights: Mapping[str, float], asked: Collection[str]
) -> float:
    """Return how much a sentence says: about 1 for a good one, less than `WORST` for one that says nothing."""
    figures = len(_FIGURE.findall(sentence))
    talk = bool(words.self_talk.match(sentence))
    if len(content) < (1 if figures else 2) or (talk and len(content) < 4):
        return 2 * WORST
    score = telling(content, weights)
    score += 0.35 * bool(words.finding.search(sentence)) + 0.15 * (0 < figures < 7)
    score += 0.15 * late - 0.7 * talk
    score -= 0.4 * bool(words.doubt.search(sentence))
    score -= 0.6 * sentence.rstrip("\"”'）)").endswith(("?", "？", "؟")) + 0.25 * (len(sentence) > 200)
    score -= (
        0.3 * sentence.startswith(("I ", "I'm ", "I've "))
        + 0.3 * bool(words.dependent.match(sentence))
        + 0.5 * (sum(word in asked for word in content) > 0.8 * len(content))
    )
    letters = sum(map(str.isalpha, sentence)) + SHORT_FORMULA
    score -= 0.5 * (letters < 0.6 * len(sentence)) + 0.7 * (letters < 0.45 * len(sentence))
    return score - 0.6 * (len(_CODE_SIGNS.findall(sentence)) * 25 > len(sentence))


def telling(content: Collection[str], weights: Mapping[str, float]) -> float:
    """Return how telling words are together, more of them more, but not in proportion."""
    return sum(weights.get(word, UNKNOWN) for word in content) / sqrt(len(content) + 3) / 2


def overlap(one: Collection[str], other: Collection[str]) -> float:
    """Return the share of the smaller set's words that the other one has."""
    return len({*one} & {*other}) / (min(len(one), len(other)) or 1)


def words_of(text: str, words: Lexicon) -> set[str]:
    """Return the content words of a text, folded; of scripts without spaces one or two characters each."""
    return {word for word in _WORD.findall(text.casefold()) if word not in words.function_words}


def asked_words(request: str, words: Lexicon) -> set[str]:
    """Return the content words of what the user has asked."""
    return words_of(request[:LOOKED_AT], words)


def looked_at(step: str) -> str:
    """Return the step without prompt injections, of a long one both ends, and of those the whole sentences."""
    pieces = [clauses(piece) for piece in both_ends(step, LOOKED_AT).split(_LEFT_OUT)]
    first, last = 0, len(pieces) - 1
    whole = (piece[n > first : len(piece) - (n < last)] for n, piece in enumerate(pieces))
    return sanitized_excerpt("\n\n".join("".join(piece) for piece in whole))

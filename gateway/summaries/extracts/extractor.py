"""The extracts of one trace: of each step the sentences that tell most, none of them twice, and a title."""

import re
from collections import Counter, deque
from collections.abc import Sequence
from math import log, sqrt
from typing import NamedTuple

from gateway.summaries.excerpts import both_ends, sanitized_excerpt
from gateway.summaries.extracts import titles
from gateway.summaries.extracts.lexicon import Lexicon
from gateway.summaries.extracts.moves import moves_of, titles_of
from gateway.summaries.extracts.tongues import language_of, lexicon
from gateway.summaries.extracts.units import Units, units_of
from gateway.summaries.languages import AUTO
from gateway.summaries.masking import Mask, masked
from gateway.summaries.sentences import clauses, sentences

MAX_SENTENCES, MAX_CHARACTERS = 2, 340
LOOKED_AT = 2000
"""Only this many characters of a step are looked at, both ends of a longer one: it takes milliseconds."""
_LEFT_OUT = "\n…\n"
TITLED = 16
"""Number of sentences of a step from which its title may be made."""
UNKNOWN = 0.1
"""Weight of a word that no sentence has."""
ENOUGH = 0.35
"""Share of the best sentence's score from which a second one is added."""
SHORTEST = 8
"""Minimum length of a sentence in characters; half of it in scripts without spaces."""
REMEMBERED = 400
"""Number of words, and of sentences, of the steps before that are remembered."""
RECENT_TITLES = 6
"""Number of titles before that a new one must not repeat."""
SIMILAR = 0.6
"""Share of common words from which a sentence says what another one has said."""
_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_\u3040-\u30ff\u3400-\u9fff]+|[\u3040-\u30ff\u3400-\u9fff]{1,2}")
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_CALLS, _IDENTIFIERS = re.compile(r"\b([A-Za-z_]\w{2,})\("), re.compile(r"\b([A-Za-z_]\w{3,})\b")
SHORT_FORMULA = 8
"""Signs and figures of a sentence that do not make it a formula."""
NAMED = 4
"""Maximum number of names of a piece of code."""
_SIGNS = re.compile(r"[\W_]+")
_FIGURE = re.compile(r"\d+")
_CODE_SIGNS = re.compile(r"[_={}\[\];<>]|\w\(|\w\.\w+\(")
_NAMES = re.compile(
    r"^\s*(?:export |public |private |async |static )*(?:def|class|function|fn|func|interface|struct|predicate)"
    r" +(\w+)",
    re.M,
)


class Extract(NamedTuple):
    title: str
    text: str


class _Rated(NamedTuple):
    """The sentences of a step, the words of each, how much it says, and the weights of all words, at most 1."""

    sentences: list[str]
    content: list[set[str]]
    scores: list[float]
    weights: dict[str, float]


class Extractor:
    """Makes the extracts of one trace in order. `request` is what the user has asked; `language` is that of the titles
    which are not of the text itself. `mask` is what each text goes through at last."""

    def __init__(self, request: str = "", language: str = AUTO, mask: Mask = masked) -> None:
        self._mask = mask
        self._language = language if language != AUTO else language_of(request)
        self._asked = frozenset(_words(request[:LOOKED_AT], lexicon(language_of(request))))
        self._before: Counter[str] = Counter()
        self._said: dict[str, None] = {}
        self._titles: deque[str] = deque(maxlen=RECENT_TITLES)
        self._tag = language_of(request)
        self._steps = 0

    def note(self, title: str, text: str) -> None:
        """Remember a part that somebody else has written, so that it is not said again."""
        self._titles.append(_key(title))
        self._remember(sentences(text))

    def title(self, text: str) -> str:
        """Return a title for a text that somebody else has written; "" if it is blank."""
        if not text.strip():
            return ""
        words = lexicon(language_of(text) or self._tag)
        units = units_of(text, words)
        return self._mask(self._title(text, units, self._rated(units, words), words))

    def extract(self, step: str) -> Extract:
        """Return the title and the text for a step; both "" if it is blank."""
        if not step.strip():
            return Extract("", "")
        shown = _shown(step)
        self._tag = language_of(shown) or self._tag
        words = lexicon(self._tag)
        units = units_of(shown, words)
        rated = self._rated(units, words)
        chosen = self._chosen(rated, words)
        title = self._title(shown, units, rated, words)
        text = (" " if words.spaced else "").join(chosen) or self._code_named(units)
        text = text or title + ("。" if _CJK.search(title) else ".")
        self._steps += 1
        self._titles.append(_key(title))
        self._remember(chosen)
        self._before.update(rated.weights.keys())
        if len(self._before) > REMEMBERED:
            self._before = Counter(dict(self._before.most_common(REMEMBERED // 2)))
        return Extract(self._mask(title), self._mask(text))

    def _title(self, text: str, units: Units, rated: "_Rated", words: Lexicon) -> str:
        """Return the title that is worth most and most telling, or else a plain one of the kind of move."""
        telling = sorted(sorted(range(len(rated.sentences)), key=lambda n: -rated.scores[n])[:TITLED])
        title = titles.best(
            titles.candidates(units, [rated.sentences[n] for n in telling], words, self._tag),
            lambda candidate: _telling(_words(candidate, words), rated.weights),
            lambda candidate: _key(candidate) in self._titles,
        )
        if title:
            return title
        code = sum(len(line) for _, lines in units.code for line in lines)
        plain = titles_of(moves_of(text, code, first=not self._steps), self._language or self._tag)
        return next((one for one in plain if _key(one) not in self._titles), plain[0])

    def _rated(self, units: Units, words: Lexicon) -> "_Rated":
        """Return the sentences of a step with their words and scores."""
        found = list(dict.fromkeys(units.sentences))
        content = [_words(one, words) for one in found]
        counts = Counter(word for one in [*content, *(_words(one, words) for one in units.headings)] for word in one)
        weights = {
            word: (1 + log(count)) / (1 + log(1 + self._before[word])) * (0.7 if word in self._asked else 1.0)
            for word, count in counts.items()
        }
        most = max(weights.values(), default=1.0)
        weights = {word: weight / most for word, weight in weights.items()}
        scores = [
            self._score(one, own, n >= len(found) * 2 // 3, words, weights)
            for n, (one, own) in enumerate(zip(found, content, strict=True))
        ]
        return _Rated(found, content, scores, weights)

    def _chosen(self, rated: "_Rated", words: Lexicon) -> list[str]:
        """Return the sentences that tell most, in their order."""
        least = SHORTEST if words.spaced else SHORTEST // 2
        new = (n for n, one in enumerate(rated.sentences) if len(one) >= least and not self._is_said(one))
        taken: list[int] = []
        for n in sorted(new, key=lambda n: (-rated.scores[n], -n)):
            if len(taken) == MAX_SENTENCES or rated.scores[n] < -1:
                break
            if not taken or self._adds(rated, taken, n, words):
                taken.append(n)
        return [rated.sentences[n] for n in sorted(taken)]

    def _adds(self, rated: "_Rated", taken: Sequence[int], n: int, words: Lexicon) -> bool:
        """Return True if a sentence has room beside those taken, and says something else, and not that one thinks."""
        room = MAX_CHARACTERS - sum(len(rated.sentences[other]) for other in taken)
        good = rated.scores[n] > max(0.0, ENOUGH * rated.scores[taken[0]]) and len(rated.sentences[n]) < room
        alike = max(_overlap(rated.content[n], rated.content[other]) for other in taken)
        return good and alike < SIMILAR and not words.self_talk.match(rated.sentences[n])

    def _score(self, sentence: str, content: set[str], late: bool, words: Lexicon, weights: dict[str, float]) -> float:
        """Return how much a sentence says: about 1 for a good one, less than -1 for one that says nothing."""
        figures = len(_FIGURE.findall(sentence))
        talk = bool(words.self_talk.match(sentence))
        if len(content) < (1 if figures else 2) or (talk and len(content) < 4):
            return -2.0
        score = _telling(content, weights)
        score += 0.35 * bool(words.finding.search(sentence)) + 0.15 * (0 < figures < 7)
        score += 0.15 * late - 0.7 * talk
        score -= 0.4 * bool(words.doubt.search(sentence))
        score -= 0.6 * sentence.rstrip("\"”'）)").endswith(("?", "？", "؟")) + 0.25 * (len(sentence) > 200)
        score -= (
            0.3 * sentence.startswith(("I ", "I'm ", "I've "))
            + 0.3 * bool(words.dependent.match(sentence))
            + 0.5 * (len(content & self._asked) > 0.8 * len(content))
        )
        letters = sum(map(str.isalpha, sentence)) + SHORT_FORMULA
        score -= 0.5 * (letters < 0.6 * len(sentence)) + 0.7 * (letters < 0.45 * len(sentence))
        return score - 0.6 * (len(_CODE_SIGNS.findall(sentence)) * 25 > len(sentence))

    def _code_named(self, units: Units) -> str:
        """Return what a step of code alone consists of: its language and names that it defines, or else calls."""
        code = "\n".join(line for _, lines in units.code for line in lines)
        language = [language for language, _ in units.code if language][:1]
        found = dict.fromkeys(_NAMES.findall(code) or _CALLS.findall(code) or _IDENTIFIERS.findall(code))
        names = [name for name in found if name not in self._said] or list(found)
        named = [*language, *names[:NAMED]]
        self._said.update(dict.fromkeys(names[:NAMED]))
        return f"{titles_of(['code'], self._language or self._tag)[0]}: {', '.join(named)}." if named else ""

    def _is_said(self, text: str) -> bool:
        return _key(text) in self._said

    def _remember(self, texts: Sequence[str]) -> None:
        self._said.update(dict.fromkeys(map(_key, texts)))
        while len(self._said) > REMEMBERED:
            self._said.pop(next(iter(self._said)))


def _shown(step: str) -> str:
    """Return the step without prompt injections, of a long one both ends, and of those the whole sentences."""
    pieces = [clauses(piece) for piece in both_ends(step, LOOKED_AT).split(_LEFT_OUT)]
    first, last = 0, len(pieces) - 1
    whole = (piece[n > first : len(piece) - (n < last)] for n, piece in enumerate(pieces))
    return sanitized_excerpt("\n\n".join("".join(piece) for piece in whole))


def _key(text: str) -> str:
    return _SIGNS.sub("", text.casefold())


def _words(text: str, words: Lexicon) -> set[str]:
    return {word for word in _WORD.findall(text.casefold()) if word not in words.function_words}


def _telling(content: set[str], weights: dict[str, float]) -> float:
    return sum(weights.get(word, UNKNOWN) for word in content) / sqrt(len(content) + 3) / 2


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / (min(len(one), len(other)) or 1)

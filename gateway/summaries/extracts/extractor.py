"""The extracts of one trace: of each step the sentences that tell most, none of them twice, and a title."""

import re
from collections import Counter, deque
from collections.abc import Sequence
from typing import NamedTuple

from gateway.summaries.extracts import titles
from gateway.summaries.extracts.lexicon import Lexicon
from gateway.summaries.extracts.moves import moves_of, titles_of
from gateway.summaries.extracts.rating import SIMILAR, Rated, asked_words, looked_at, overlap, rate, telling, words_of
from gateway.summaries.extracts.tongues import language_of, lexicon
from gateway.summaries.extracts.units import Units, units_of
from gateway.summaries.languages import AUTO
from gateway.summaries.masking import Mask, masked
from gateway.summaries.sentences import sentences

MAX_SENTENCES, MAX_CHARACTERS = 2, 340
TITLED = 16
"""Number of sentences of a step from which its title may be made."""
ENOUGH = 0.35
"""Share of the best sentence's score from which a second one is added."""
SHORTEST = 8
"""Minimum length of a sentence in characters; half of it in scripts without spaces."""
REMEMBERED = 400
"""Number of words, and of sentences, of the steps before that are remembered."""
RECENT_TITLES = 6
"""Number of titles before that a new one must not repeat."""
_CJK = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_CALLS, _IDENTIFIERS = re.compile(r"\b([A-Za-z_]\w{2,})\("), re.compile(r"\b([A-Za-z_]\w{3,})\b")
NAMED = 4
"""Maximum number of names of a piece of code."""
_SIGNS = re.compile(r"[\W_]+")
_NAMES = re.compile(
    r"^\s*(?:export |public |private |async |static )*(?:def|class|function|fn|func|interface|struct|predicate)"
    r" +(\w+)",
    re.M,
)


class Extract(NamedTuple):
    title: str
    text: str


class Extractor:
    """Makes the extracts of one trace in order. `request` is what the user has asked; `language` is that of the titles
    which are not of the text itself. `mask` is what each text goes through at last."""

    def __init__(self, request: str = "", language: str = AUTO, mask: Mask = masked) -> None:
        self._mask = mask
        self._language = language if language != AUTO else language_of(request)
        self._asked = frozenset(asked_words(request, lexicon(language_of(request))))
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
        return self._mask(self._title(text, units, rate(units, words, self._asked, self._before), words))

    def extract(self, step: str) -> Extract:
        """Return the title and the text for a step; both "" if it is blank."""
        if not step.strip():
            return Extract("", "")
        shown = looked_at(step)
        self._tag = language_of(shown) or self._tag
        words = lexicon(self._tag)
        units = units_of(shown, words)
        rated = rate(units, words, self._asked, self._before)
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

    def _title(self, text: str, units: Units, rated: Rated, words: Lexicon) -> str:
        """Return the title that is worth most and most telling, or else a plain one of the kind of move."""
        chosen = sorted(rated.best_first[:TITLED])
        title = titles.best(
            titles.candidates(units, [rated.sentences[n] for n in chosen], words, self._tag),
            lambda candidate: telling(words_of(candidate, words), rated.weights),
            lambda candidate: _key(candidate) in self._titles,
        )
        if title:
            return title
        code = sum(len(line) for _, lines in units.code for line in lines)
        plain = titles_of(moves_of(text, code, first=not self._steps), self._language or self._tag)
        return next((one for one in plain if _key(one) not in self._titles), plain[0])

    def _chosen(self, rated: Rated, words: Lexicon) -> list[str]:
        """Return the sentences that tell most, in their order."""
        least = SHORTEST if words.spaced else SHORTEST // 2

        def fits(taken: Sequence[int], n: int) -> bool:
            if len(rated.sentences[n]) < least or self._is_said(rated.sentences[n]):
                return False
            return not taken or self._adds(rated, taken, n, words)

        return rated.best(MAX_SENTENCES, fits)

    def _adds(self, rated: Rated, taken: Sequence[int], n: int, words: Lexicon) -> bool:
        """Return True if a sentence has room beside those taken, and says something else, and not that one thinks."""
        room = MAX_CHARACTERS - sum(len(rated.sentences[other]) for other in taken)
        good = rated.scores[n] > max(0.0, ENOUGH * rated.scores[taken[0]]) and len(rated.sentences[n]) < room
        alike = max(overlap(rated.content[n], rated.content[other]) for other in taken)
        return good and alike < SIMILAR and not words.self_talk.match(rated.sentences[n])

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


def _key(text: str) -> str:
    return _SIGNS.sub("", text.casefold())

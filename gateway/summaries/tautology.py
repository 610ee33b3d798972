"""Sentences that say the same twice: "a list of constraints contains constraints", or the same guess behind "or"."""

import re

WORDS, CHARACTERS = 7, 8
"""Words, or characters of scripts without spaces: so many in the same order again are more than a parallel."""
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_CHARACTER = re.compile(rf"[{_UNSPACED}]")


def says_twice(sentence: str) -> bool:
    """Return True if a run of the sentence's words comes again behind itself."""
    tokens = _TOKEN.findall(sentence.casefold())
    unspaced = sum(map(bool, map(_CHARACTER.match, tokens)))
    size = CHARACTERS if 2 * unspaced > len(tokens) else WORDS
    first: dict[tuple[str, ...], int] = {}
    runs = (tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1))
    return any(at - first.setdefault(run, at) >= size for at, run in enumerate(runs))

"""Sentences that say the same twice: "a list of constraints contains constraints", or the same guess behind "or"."""

import re

from gateway.summaries.prose import WITHOUT_SPACES

WORDS, CHARACTERS = 7, 8
"""Words, or characters of scripts without spaces: so many in the same order again are more than a parallel."""
_TOKEN = re.compile(rf"[{WITHOUT_SPACES}]|[^\W_{WITHOUT_SPACES}]+")
_QUOTED = re.compile(r"「([^「」]{2,})」|“([^“”]{2,})”|\"([^\"]{2,})\"")
_CHARACTER = re.compile(f"[{WITHOUT_SPACES}]")


def says_twice(sentence: str) -> bool:
    """Return True if a run of the sentence's words comes again behind itself, or what it quotes ("A" means "A")."""
    quoted = ["".join(found).casefold() for found in _QUOTED.findall(sentence)]
    if len({*quoted}) < len(quoted):
        return True
    tokens = _TOKEN.findall(sentence.casefold())
    size = CHARACTERS if 2 * len(_CHARACTER.findall(sentence)) > len(tokens) else WORDS
    first: dict[tuple[str, ...], int] = {}
    runs = (tuple(tokens[at : at + size]) for at in range(len(tokens) - size + 1))
    return any(at - first.setdefault(run, at) >= size for at, run in enumerate(runs))

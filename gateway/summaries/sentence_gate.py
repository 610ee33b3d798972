"""Read a summary while a model writes it: release whole sentences once each has been checked.

Nothing that has been released has to be revoked. The check itself is a callable of the owner's.
"""

import unicodedata
from collections.abc import Callable, Sequence

from gateway.summaries import sentences

LONGEST_SENTENCE = 4000
"""Characters without the end of a sentence after which a summary is rejected."""
MAX_SENTENCES = 2
"""Maximum number of sentences of a summary."""
MIN_SENTENCE_CHARACTERS = 8
"""Shorter matches are taken for an abbreviation or the number of a list item."""


class SentenceLimit(Exception):
    """The summary has as many sentences as it may have."""


class Ungrounded(Exception):
    """The summary was rejected: a sentence is unsupported, repeated or narrates the model ("The assistant…"), or the
    text is too short or was cut off in its first sentence."""


class SentenceGate:
    """Releases a text sentence by sentence: `feed` it, then `close`; both return the characters released, in order.

    `check` returns what is wrong with a sentence, or nothing if it may be released. A sentence that is wrong, or a
    repetition of an earlier one, is dropped, and the next call raises Ungrounded; after `MAX_SENTENCES` sentences the
    next call raises SentenceLimit. Nothing is released before `least` characters have passed, wide ones such as Chinese
    counted twice; if there are fewer in the end, Ungrounded is raised.
    """

    def __init__(self, check: Callable[[str], Sequence[str]], least: int = 0) -> None:
        self._check, self._least = check, least
        self._text = self._passed = ""
        self._searched = 0  # no sentence ends in `_text` before it
        self._sentences = self._released = self._width = 0  # the second in characters of `_passed`
        self._problems: Sequence[str] = ()

    def feed(self, text: str) -> str:
        """Return what `text` lets pass, maybe nothing. Raises Ungrounded and SentenceLimit."""
        self._raise_if_ended()
        self._text += text
        self._check_sentences(complete=False)
        if len(self._text) > LONGEST_SENTENCE and self._sentences < MAX_SENTENCES:
            self._problems = [self._text]
        return self._release()

    def close(self, cut: bool = False) -> str:
        """Return the last sentence; an unfinished one only if it is the only one and was not `cut` at a token limit.

        Raises as `feed`.
        """
        self._raise_if_ended()
        self._check_sentences(complete=True)
        rest = "" if self._problems or self._sentences == MAX_SENTENCES else self._text.rstrip()
        unfinished = not sentences.is_whole(rest) and not rest.endswith((":", "："))
        if rest and not (unfinished and (cut or self._sentences)):
            self._check_sentence(len(rest))
        elif rest and not self._sentences:
            raise Ungrounded("its first sentence was cut off")
        released = self._release()
        if self._problems and not released:
            self._raise_if_ended()
        self._raise_if_too_short()
        return released

    @property
    def _too_short(self) -> bool:
        return self._width < self._least

    def _check_sentences(self, complete: bool) -> None:
        while not self._problems and self._sentences < MAX_SENTENCES and (end := self._sentence_end(complete)):
            self._check_sentence(end)

    def _sentence_end(self, complete: bool) -> int:
        """Return the end of the first sentence, or 0 if it is not complete."""
        for end in sentences.ends(self._text, self._searched, complete=complete):
            if end >= MIN_SENTENCE_CHARACTERS or not sentences.UNSPACED.isdisjoint(self._text[:end]):
                return end
        self._searched = max(0, len(self._text) - sentences.LONGEST_END - sentences.AHEAD)
        return 0

    def _check_sentence(self, end: int) -> None:
        sentence, self._text, self._searched = self._text[:end], self._text[end:], 0
        self._problems = [sentence] if sentence.strip() in self._passed else self._check(sentence)
        if not self._problems:
            self._sentences += 1
            self._passed += sentence
            self._width = _width(self._passed.strip())

    def _release(self) -> str:
        if self._too_short:
            return ""
        released, self._released = self._passed[self._released :], len(self._passed)
        return released

    def _raise_if_ended(self) -> None:
        if self._problems:
            raise Ungrounded(f"{len(self._problems)} claims are not in the source")
        if self._sentences == MAX_SENTENCES:
            self._raise_if_too_short()
            raise SentenceLimit

    def _raise_if_too_short(self) -> None:
        if self._too_short:
            raise Ungrounded(f"it has fewer than {self._least} characters")


def _width(text: str) -> int:
    """Return the number of characters, wide ones counted twice."""
    return len(text) + sum(unicodedata.east_asian_width(char) in "WF" for char in text)

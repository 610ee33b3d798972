"""Circles: a growing text that has come to say the same again and again. Knows nothing of models or languages.

A model that is stuck repeats itself word by word, or but for numbers that it counts up. Either way the end of its text
has a period, whatever the script, with or without full stops: a sentence, a line or several of them.
"""

import re

ROUNDS, CHARACTERS = 3, 120
"""A text is a circle if its end consists of so many equal rounds, and of so many characters."""
COUNTED_ROUNDS, COUNTED_CHARACTERS = 20, 240
"""These bounds apply if all numbers are taken to be equal: a dozen lines may differ only in them and be right."""
STRIDE = 80
"""Characters from one look at the end of the text to the next."""
TAIL = 16 * STRIDE
"""Characters of the end, in which all rounds of a circle have to be."""
_NUMBER, _DIGIT = re.compile(r"\d+"), re.compile(r"\d")
_ITEM = re.compile(r"^\s*\d+(?=[.)])", re.MULTILINE)


class Circles:
    """Reads a text in pieces, in linear time: each character is looked at `TAIL / STRIDE` times."""

    def __init__(self) -> None:
        self._tail, self._unread = "", 0

    def feed(self, text: str) -> bool:
        """Return whether the text ends in a circle, as far as it has been looked at."""
        self._tail = (self._tail + text)[-TAIL:]
        self._unread += len(text)
        if self._unread < STRIDE:
            return False
        self._unread = 0
        if without_circle(self._tail) != self._tail:
            return True
        return bool(_repeated(_NUMBER.sub("0", self._tail), COUNTED_ROUNDS, COUNTED_CHARACTERS))


def without_circle(text: str) -> str:
    """Return the text with one round of the circle that it ends in, or as it is if it ends in none.

    The items of a list may differ in their numbers.
    """
    unnumbered = _ITEM.sub(lambda item: _DIGIT.sub("0", item.group()), text[-TAIL:])
    return text[: len(text) - _repeated(unnumbered, ROUNDS, CHARACTERS)]


def _repeated(text: str, rounds: int, characters: int) -> int:
    """Return how many characters at the end of `text`, in whole rounds, repeat the round before; 0 if it is no circle.

    By the failure function of Knuth, Morris and Pratt, of the text read backwards: an end of n characters whose longest
    border has b has the period n - b.
    """
    backwards = text[::-1]
    borders, border, repeated = [0], 0, 0
    for n, character in enumerate(backwards[1:], 2):
        while border and character != backwards[border]:
            border = borders[border - 1]
        border += character == backwards[border]
        borders.append(border)
        if n >= characters and n >= rounds * (n - border):
            repeated = border - border % (n - border)
    return repeated

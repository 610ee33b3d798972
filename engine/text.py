"""Tokens to text as they come, never cutting a character, and stopping at a stop string however it is cut."""

from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers.decoders import DecodeStream


class Detokenizer:
    """Turns tokens into text without special tokens; half a character is kept until its other half arrives.

    `tokenizer` is a `tokenizers.Tokenizer`.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._stream = DecodeStream(skip_special_tokens=True)

    def feed(self, tokens: Iterable[int]) -> str:
        """Return the text that `tokens` complete."""
        return "".join(self._stream.step(self._tokenizer, token) or "" for token in tokens)


class StopStrings:
    """Passes text on up to the first stop string, and holds back only text that may still become one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._longest = max(map(len, stops), default=0)
        self._held = ""
        self.found = False

    def feed(self, text: str) -> str:
        """Return the text that can be sent on. All text after a stop string is dropped."""
        if self.found or not self._stops:
            return "" if self.found else text
        text = self._held + text
        # The stop string that is complete first counts, as if the text arrived a character at a time.
        places = [(place + len(stop), place) for stop in self._stops if (place := text.find(stop)) >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)[1]]
        keep = self._possible_prefix(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def close(self) -> str:
        """Return the text that was held back and has not become a stop string."""
        held, self._held = self._held, ""
        return held

    def _possible_prefix(self, text: str) -> int:
        """Return the length of the longest suffix of `text` that begins a stop string."""
        for size in range(min(self._longest - 1, len(text)), 0, -1):
            if any(stop.startswith(text[-size:]) for stop in self._stops):
                return size
        return 0

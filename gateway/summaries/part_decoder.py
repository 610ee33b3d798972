"""One draft of a part as it is written: its title, and the sentences that its gate releases, made plain."""

from gateway.summaries.extracts.plain import plain
from gateway.summaries.part_reader import PartReader
from gateway.summaries.sentence_gate import SentenceGate, SentenceLimit, Ungrounded


class PartDecoder:
    """Decodes one draft of a part while it is written: splits off the title, checks sentences, and makes them plain.

    Raises SentenceLimit after the end of the line.
    """

    def __init__(self, gate: SentenceGate) -> None:
        self._reader, self._gate = PartReader(), gate

    @property
    def title(self) -> str:
        """The title, not checked; empty if there is none, or before the first character of the text."""
        return self._reader.title

    def feed(self, text: str) -> str:
        if self._reader.ended:
            raise SentenceLimit
        released = self._gate.feed(self._reader.feed(text))
        return _plain(self._closed(released) if self._reader.ended else released)

    def close(self, cut: bool = False) -> str:
        """Return the last sentence; see `SentenceGate.close`."""
        if self._reader.ended:
            raise SentenceLimit
        return _plain(self._closed(self._gate.feed(self._reader.close()), cut))

    def _closed(self, released: str, cut: bool = False) -> str:
        """Return what was released and what the end of the text releases; a rejected rest takes nothing back."""
        try:
            return released + self._gate.close(cut)
        except (Ungrounded, SentenceLimit):
            if not released:
                raise
            return released


def _plain(sentences: str) -> str:
    """Return whole sentences without markup, with the space around them."""
    begin, end = (sentences[: len(sentences) - len(sentences.lstrip())], sentences[len(sentences.rstrip()) :])
    return f"{begin}{plain(sentences).strip()}{end}" if sentences.strip() else sentences

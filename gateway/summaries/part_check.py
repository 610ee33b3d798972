"""The check of one part: each sentence against its step, then against the conversation.

Also holds what the model is shown of the step, since a summary may claim only what that excerpt says.
"""

import re
from collections.abc import Sequence
from functools import cached_property, lru_cache

from gateway.summaries.excerpts import sanitized_excerpt
from gateway.summaries.grounding import EvidenceIndex
from gateway.summaries.protocol import PartTask
from gateway.summaries.sentence_gate import PartReader, SentenceGate

MIN_CHARACTERS, MIN_SHARE = 40, 16
"""Minimum length of a summary in characters: 40, or 1/16 of the step if that is less."""
CACHED_CONVERSATIONS = 32
"""Number of conversations whose index is kept for their next part: building one takes up to 30 ms, it holds 160 KB."""
_NARRATION = re.compile(
    r"\s*(?:(?:the|this|das|der|dieser|dieses|el|este|le|ce|la) (?:model|assistant|ai|piece|text|passage|author|writer"
    r"|reasoning|modell|assistent|textstück|abschnitt|autor|modelo|asistente|texto|fragmento|modèle|texte|passage)\b"
    r"|(?:该|这个|这段|本)?(?:模型|助手|作者|段落|文本))",
    re.IGNORECASE,
)
"""The beginning of a sentence about the model or its text ("The assistant…") instead of what it has found out."""


@lru_cache(CACHED_CONVERSATIONS)
def conversation_index(evidence: tuple[str, ...]) -> EvidenceIndex:
    """Return the index of a conversation's excerpts (`evidence_of`), sanitized."""
    return EvidenceIndex(["\n\n".join(map(sanitized_excerpt, evidence))])


class PartCheck:
    """The excerpt of a task's step that the model is shown, and the check of what it writes about it."""

    def __init__(self, task: PartTask) -> None:
        self._task = task
        self.excerpt = sanitized_excerpt(task.step)

    def decoder(self) -> "PartDecoder":
        """Return a decoder for one draft of the part."""
        return PartDecoder(SentenceGate(self._problems, min(MIN_CHARACTERS, len(self.excerpt) // MIN_SHARE)))

    def checked_title(self, title: str) -> str:
        """Return the title, or "" if it makes unsupported claims."""
        return "" if self._unsupported_claims(title) else title

    def _problems(self, sentence: str) -> Sequence[str]:
        if sentence.strip() in self._task.before or _NARRATION.match(sentence):
            return [sentence]
        return self._unsupported_claims(sentence)

    def _unsupported_claims(self, text: str) -> Sequence[str]:
        # Most sentences are supported by their step alone, so the conversation is not indexed for them.
        claims = self._step_index.unsupported_claims(text)
        unsupported = conversation_index(self._task.evidence).unsupported_claims(text) if claims else ()
        return [claim for claim in claims if claim in unsupported]

    @cached_property
    def _step_index(self) -> EvidenceIndex:
        return EvidenceIndex([self.excerpt])


class PartDecoder:
    """Decodes one draft of a part while it is written: the title is split off, and the sentences are checked."""

    def __init__(self, gate: SentenceGate) -> None:
        self._reader, self._gate = PartReader(), gate

    @property
    def title(self) -> str:
        """The title, not checked; empty if there is none, or before the first character of the text."""
        return self._reader.title

    def feed(self, text: str) -> str:
        return self._gate.feed(self._reader.feed(text))

    def close(self) -> str:
        return self._gate.feed(self._reader.close()) + self._gate.close()

"""The check of a prompt's summary: it says what is asked, and never answers.

A number, name or piece of code that the conversation does not have is refused, and so is a verdict in words that the
prompt does not have.
"""

import re
from collections.abc import Callable, Sequence

from gateway.summaries.addressing import addresses_somebody
from gateway.summaries.extracts.plain import plain
from gateway.summaries.grounding import EvidenceIndex

_VERDICT = re.compile(
    r"\b(?:(?:answer|result|solution|conclusion) (?:is|would be)|therefore|thus|hence|because|indeed|yes\b|no, "
    r"|die antwort (?:ist|lautet)|deshalb|daher|ja, |nein, "
    r"|la respuesta es|por lo tanto|sí, |la réponse est|donc|oui, |non, "
    r"|ответ:|потому что|да, |нет, )|答案是|所以|因此|答えは|だから|はい、|いいえ、|정답은",
    re.IGNORECASE,
)
"""Words of an answer or of its reason."""


class PromptCheck:
    """The check of one summary, against the prompt and against the conversation, which `index` returns."""

    def __init__(self, prompt: str, index: Callable[[], EvidenceIndex]) -> None:
        self._prompt, self._index = prompt.casefold(), index

    def problems(self, sentence: str) -> Sequence[str]:
        """Return what is wrong with a sentence, or nothing."""
        verdicts = [found.group() for found in _VERDICT.finditer(sentence)]
        if new := [verdict for verdict in verdicts if verdict.casefold().strip(" ,、") not in self._prompt]:
            return new
        said = plain(sentence).strip()
        if addresses_somebody(said):
            return [sentence]
        return self._index().unsupported_claims(sentence)

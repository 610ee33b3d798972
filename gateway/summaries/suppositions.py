"""Suppositions, questions and options of a text, which a summary tells as facts.

"The user is a native speaker" of "Could the user be a native speaker?", "A is wrong" of "Maybe A is wrong", "Martha is
his aunt" of "Option 1: Martha is his aunt". A sentence of a summary tells such a thing if every sentence of the text
that has most of its words only supposes it, and the summary does not say so itself. "He is polite" of "If he is polite,
he waits" is told by a word that the text has in such a clause alone.
"""

import re
from functools import cached_property

from gateway.summaries.bearing import stems_of
from gateway.summaries.extracts.tongues import LEXICONS, language_of, lexicon
from gateway.summaries.source_sentences import SourceSentences

NEAR = 0.1
"""A sentence of the text whose share of the words is so much below the highest may be the source, too."""
_SUPPOSES = re.compile("|".join(words.hedge.pattern for words in LEXICONS.values()), re.IGNORECASE)
_CONDITION = re.compile(
    r"\b(?:if|unless|when|whether|assuming|suppose|falls|wenn|sofern|si|cuando|quand|se|quando|als|если|когда)\b"
    r"|如果|若|假如|要是|なら|れば|たら|もし|만약|면\b",
    re.IGNORECASE,
)
_ASKS = re.compile(r"[?？؟][\"'”’」』）)\s]*$")
_OPTION = re.compile(
    r"\W*(?:(?:option|choice|answer|statement|scenario|hypothesis|claim|aussage|antwort|hypothese|opción|respuesta"
    r"|énoncé|réponse|opzione|risposta|opção|resposta|вариант|ответ|选项|選択肢|보기)\s*[(（]?(\w{1,3})[)）]?\s*[:：]"
    r"|[(（]?([A-Ja-j])[)）]\s)",
    re.IGNORECASE,
)


class Suppositions:
    """The suppositions of a text, told by its sentences."""

    def __init__(self, source: SourceSentences) -> None:
        self._source = source

    def are_told_as_facts(self, sentence: str) -> bool:
        """Return True if the text only supposes, asks or lists what the sentence says without saying so."""
        stems = stems_of(sentence)
        if stems & self._only_in_premises and not _CONDITION.search(sentence):
            return True
        if not stems or _SUPPOSES.search(sentence):
            return False
        sources = [self._source.sentences[number] for number in self._source.best_for(stems, NEAR)]
        return bool(sources) and all(_is_supposed(source, sentence) for source in sources)

    @cached_property
    def _only_in_premises(self) -> frozenset[str]:
        """The stems that stand in conditions at the beginning of sentences only."""
        begins = lexicon(language_of(" ".join(self._source.sentences))).premise
        premises, others = set[str](), set[str]()
        for sentence in self._source.sentences:
            found = begins.match(sentence)
            premises |= stems_of(found[1]) if found else frozenset()
            others |= stems_of(sentence[found.end() :] if found else sentence)
        return frozenset(premises - others)


def _is_supposed(source: str, sentence: str) -> bool:
    option = _OPTION.match(source)
    if option and not re.search(rf"(?<!\w){re.escape(option[1] or option[2])}(?!\w)", sentence):
        return True
    return bool(_SUPPOSES.search(source) or _ASKS.search(source))

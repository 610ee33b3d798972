"""Suppositions, questions and options of a text, which a summary tells as facts.

"The user is a native speaker" of "Could the user be a native speaker?", "A is wrong" of "Maybe A is wrong", "Martha is
his aunt" of "Option 1: Martha is his aunt". A sentence of a summary tells such a thing if every sentence of the text
that has most of its words only supposes it, and the summary does not say so itself. "He is polite" of "If he is polite,
he waits" is told by a word that the text has in such a clause alone.
"""

import re
from functools import cached_property

from gateway.summaries.bearing import stems_of
from gateway.summaries.extracts.tongues import language_of
from gateway.summaries.source_sentences import SourceSentences

NEAR = 0.1
"""A sentence of the text whose share of the words is so much below the highest may be the source, too."""
_SUPPOSES = re.compile(
    r"\b(?:maybe|perhaps|might|could|possibl[ye]|probabl[ye]|seem\w*|appears?|likely|suppos\w*|guess|what if"
    r"|vielleicht|eventuell|könnte\w*|möglicherweise|wahrscheinlich|vermutlich|angenommen|scheint|quizás?|tal vez"
    r"|podría\w*|probablemente|posiblemente|parece\w*|supong\w*|peut-être|pourrai\w+|probablement|semble\w*|supposons"
    r"|forse|potrebbe\w*|probabilmente|sembra|talvez|poderia\w*|provavelmente|misschien|zou kunnen|waarschijnlijk"
    r"|lijkt|может быть|возможно|наверное|вероятно|кажется)\b"
    r"|\b(?-i:may)\b|可能|也许|或许|大概|似乎|好像|看起来|假设|かもしれ|もしかし|だろう|でしょう|おそらく|たぶん"
    r"|可能性|ようです|아마|일지도|수도 있|것 같",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:if|unless|when|whether|assuming|suppose|falls|wenn|sofern|si|cuando|quand|se|quando|als|если|когда)\b"
    r"|如果|若|假如|要是|なら|れば|たら|もし|만약|면\b",
    re.IGNORECASE,
)
_IF = {
    "en": r"(?:(?:and|so|but|now|then|also)\W+)?(?:if|unless)\b",
    "de": r"(?:(?:und|aber)\W+)?(?:wenn|falls|sofern)\b",
    "es": r"(?:(?:y|pero)\W+)?si\b",
    "fr": r"(?:(?:et|mais)\W+)?s(?:i\b|['’]ils?\b)",
    "it": r"(?:(?:e|ma)\W+)?se\b",
    "pt": r"(?:(?:e|mas)\W+)?se\b",
    "nl": r"(?:(?:en|maar)\W+)?(?:als|indien)\b",
    "ru": r"(?:(?:а|и|но)\W+)?если\b",
    "zh": "(?:如果|假如|要是|若)",
    "ja": "もし",
    "ko": "만약",
}
"""Beginnings of sentences with a condition, by language: "se" is no "if" in Spanish, nor "si" in Italian."""
_PREMISES = {
    tag: re.compile(rf"\W*{beginning}([^,，、;；]{{1,200}}[,，、])", re.IGNORECASE) for tag, beginning in _IF.items()
}
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
        begins = _PREMISES.get(language_of(" ".join(self._source.sentences)))
        if begins is None:
            return frozenset()
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

"""Suppositions, questions and options of a text, which a summary tells as facts.

"The user is a native speaker" of "Could the user be a native speaker?", "A is wrong" of "Maybe A is wrong", "Martha is
his aunt" of "Option 1: Martha is his aunt". A sentence of a summary tells such a thing if every sentence of the text
that has most of its words only supposes it, or is taken back by the next ("Wait, no"), and the summary does not say so
itself. "He is polite" of "If he is polite, he waits" is told by a word that the text has in such a clause alone, and so
is "the correct steps" of "Maybe the correct steps are:", or "a multiple of it" of "Can we express it as a multiple?".
"""

import re
from functools import cached_property

from gateway.summaries.bearing import stems_of
from gateway.summaries.extracts.tongues import LEXICONS, lexicon
from gateway.summaries.source_sentences import SourceSentences

FEWEST, MOST_CLAUSES = 2, 8
"""A clause with fewer stems is not compared, nor one behind so many others."""
NEAR = 0.1
"""A sentence of the text whose share of the words is so much below the highest may be the source, too."""
_SUPPOSES = re.compile("|".join(words.hedge.pattern for words in LEXICONS.values()), re.IGNORECASE)
_CONDITION = re.compile(
    r"\b(?:if|unless|when|whether|assuming|suppose|falls|wenn|sofern|si|cuando|quand|se|quando|als|если|когда)\b"
    r"|如果|若|假如|要是|なら|れば|たら|もし|만약|면\b",
    re.IGNORECASE,
)
_TAKES_BACK = re.compile(
    r"\W*(?:(?:but|oh|hmm+|wait|actually|sorry|aber|moment|pero|mais|但|等等|でも)\W+)*"
    r"(?:(?:no|nope|nein|non)\s*[,.!:;—–-]|not (?:quite|right|correct)|that can['’]t be"
    r"|(?:that|this|it)(?:['’]s| is| was)? (?:not (?:right|correct|true|possible)|wrong|incorrect|impossible)"
    r"|das (?:ist falsch|stimmt nicht)|eso no|ce n['’]est pas|不对|不是|不，|いや|違う|아니)",
    re.IGNORECASE,
)
"""The beginning of a sentence that takes the one before it back."""
_CLAUSE = re.compile(r"\b(?:because|since|weil|porque|puisque|perché)\b|因为", re.IGNORECASE)
_ASKS = re.compile(r"[?？؟][\"'”’」』）)\s]*$")
_OPTION = re.compile(
    r"\W*(?:(?:option|choice|answer|statement|scenario|hypothesis|claim|aussage|antwort|hypothese|opción|respuesta"
    r"|énoncé|réponse|opzione|risposta|opção|resposta|вариант|ответ|选项|選択肢|보기)\s*[(（]?(\w{1,3})[)）]?\s*[:：]"
    r"|[(（]?([A-Ja-j])[)）]\s)",
    re.IGNORECASE,
)


class Suppositions:
    """The suppositions of a text, told by its sentences. `request` is what it thinks about: its words are nobody's."""

    def __init__(self, source: SourceSentences, request: str = "") -> None:
        self._source, self._request = source, request

    def are_told_as_facts(self, sentence: str) -> bool:
        """Return True if the text only supposes, asks or lists what the sentence says without saying so."""
        stems = stems_of(sentence)
        if stems & self._only_in_premises and not _CONDITION.search(sentence):
            return True
        if not stems or _SUPPOSES.search(sentence):
            return False
        if stems & self._only_supposed:
            return True
        return any(map(self._has_no_better_source, [sentence, *_CLAUSE.split(sentence)[:MOST_CLAUSES]]))

    def _has_no_better_source(self, clause: str) -> bool:
        """Return True if all sentences that may be the source of a clause only suppose it, or are taken back."""
        stems = stems_of(clause)
        if len(stems) < FEWEST:
            return False
        sources = self._source.best_for(stems, NEAR)
        return bool(sources) and all(
            number in self._taken_back or _is_supposed(self._source.sentences[number], clause) for number in sources
        )

    @cached_property
    def _taken_back(self) -> frozenset[int]:
        """The numbers of the sentences that the next one takes back."""
        return frozenset(at for at, after in enumerate(self._source.sentences[1:]) if _TAKES_BACK.match(after))

    @cached_property
    def _only_supposed(self) -> frozenset[str]:
        """The stems that stand in suppositions and questions only, and not in the request."""
        if not lexicon(self._source.language).spaced:  # pairs of characters are no words
            return frozenset()
        supposed, said = set[str](), set[str]()
        for sentence in self._source.sentences:
            (supposed if _is_open(sentence) else said).update(stems_of(sentence))
        return frozenset(supposed - said - stems_of(self._request))

    @cached_property
    def _only_in_premises(self) -> frozenset[str]:
        """The stems that stand in conditions at the beginning of sentences only."""
        begins = lexicon(self._source.language).premise
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
    return _is_open(source)


def _is_open(sentence: str) -> bool:
    """Return True for a guess or a question."""
    return bool(_SUPPOSES.search(sentence) or _ASKS.search(sentence))

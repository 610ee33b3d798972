"""Negations that a summary loses, adds or makes up: "the cache is the cause" where it says that the cache is not.

Clauses are compared that have nearly the same content words. Only what no such clause of the text says is a
contradiction, so one is found rarely and with good reason. In languages with spaces a sentence is also one if several
of its words stand only under negations in the text, and it has none itself: "fever and nausea" of "no fever, chills or
nausea". What a sentence denies must be spoken of in the text. Antonyms and doubled negations are not understood.
"""

import re
from functools import cached_property
from itertools import takewhile

from gateway.summaries.bearing import LexicalIndex, stems_of

SAME = 0.8
"""Share of a clause's stems that another clause must have to be about the same."""
FEWEST = 3
"""A clause with fewer stems is not compared."""
MOST_CLAUSES = 8
"""Number of a sentence's clauses that are compared."""
DENIED = 3
"""Stems of a sentence without a negation that must be denied throughout the text."""
DENIED_SHARE = 0.5
"""Share of the stems that a sentence denies which the text must have."""
LISTED = 3
"""A negation reaches over commas as long as no more words follow each: it denies all items of a list."""
_BORDER = re.compile(r"[.!?;:\n。！？；：，、,।۔]+")
_NEGATION = re.compile(
    r"\b(?:not|never|none|nor|neither|cannot|without|nothing|nobody|nowhere|\w+n['’]t|no|nicht|nie|niemals|kein\w{0,3}|ohne"
    r"|nichts|weder|ne|n['’]\w+|pas|jamais|aucune?|sans|rien|nunca|jamás|ningun[oa]?|ningún|sin|nada|tampoco|não|nem|sem"
    r"|nenhuma?|non|senza|nessun\w?|niente|не|нет|без|никогда|ничего|ні|немає|nie|bez|niet|geen|zonder|inte|ikke|değil)\b"
    r"|[不没沒无無非未否别]|ない|なく|なかっ|ません|ずに|않|없|아니|못|नहीं|मत|ไม่|لا |ليس|לא |אין ",
    re.IGNORECASE,
)
_ABSENCE = re.compile(
    r"\b(?:absen[ct]\w*|lack\w*|miss\w*|exclud\w*|except\w*|unlikely|instead of|rather than|rul\w+ out|rules? out"
    r"|avoid\w*|fail\w*|\w*less|(?:un|im|in|ir)\w{5,}|wrong|false|mislead\w*|stop\w*|hardly|rarely|barely|fehl\w*"
    r"|ausgeschlossen|falsch|statt|kaum|ausencia|faltan?|falso|en lugar de|en vez de|descart\w*|manqu\w+|faux|fausse"
    r"|exclu\w*|au lieu d\w*|ausência|assenza|manca\w*|falta\w*|отсутств\w*|исключ\w*|вместо|невер\w*)\b",
    re.IGNORECASE,
)
"""Words that deny something without being a negation."""
_LIST_OF_ABSENT = re.compile(r"\b(?:absen[ct]\w*|ausencia|ausência|assenza|abwesen\w*|отсутств\w*) ?:", re.IGNORECASE)
_CLAUSE = re.compile(r",|;|:|\b(?:but|sondern|aber|pero|sino|mais|ma|но|mas)\b", re.IGNORECASE)
_SENTENCE_BORDER = re.compile(r"[.!?;\n]+")


class NegationIndex:
    """The clauses of a text, built once to check many sentences."""

    def __init__(self, text: str) -> None:
        self._clauses = [(LexicalIndex(clause), clause) for clause in _BORDER.split(text) if clause.strip()]
        self._text = text

    def contradicts(self, sentence: str) -> bool:
        """Return True if a clause of the sentence negates what the text says without a negation, or the reverse."""
        return (
            any(map(self._contradicts, _BORDER.split(sentence)[:MOST_CLAUSES]))
            or self._affirms_denied(sentence)
            or self._denies_unsaid(sentence)
        )

    def _denies_unsaid(self, sentence: str) -> bool:
        """Return True if the sentence denies what the text does not speak of: it "is not clear"."""
        denied = stems_of(_by_reach(sentence)[1])
        return bool(denied and self._text.strip()) and self._words.share(denied) < DENIED_SHARE

    @cached_property
    def _words(self) -> LexicalIndex:
        return LexicalIndex(self._text)

    def _affirms_denied(self, sentence: str) -> bool:
        if _is_negated(sentence) or _ABSENCE.search(sentence):
            return False
        return len(stems_of(sentence) & self._denied) >= DENIED

    @cached_property
    def _denied(self) -> frozenset[str]:
        """The stems that stand only within the reach of negations."""
        denied, said = set[str](), set[str]()
        for sentence in _SENTENCE_BORDER.split(self._text):
            free, reached = _by_reach(sentence)
            said |= stems_of(free)
            denied |= stems_of(reached)
        return frozenset(denied - said)

    def _contradicts(self, clause: str) -> bool:
        stems = stems_of(clause)
        if len(stems) < FEWEST:
            return False
        said = {_is_negated(other) for words, other in self._clauses if words.share(stems) >= SAME}
        return bool(said) and _is_negated(clause) not in said


def _by_reach(sentence: str) -> tuple[str, str]:
    """Return the words that no negation reaches, and those that one does."""
    found = _NEGATION.search(sentence) or _LIST_OF_ABSENT.search(sentence)
    if found is None:
        return sentence, ""
    clause, *items = _CLAUSE.split(sentence[found.end() :].lstrip(" :"))
    reached = [clause, *takewhile(lambda item: len(item.split()) <= LISTED, items)]
    return " ".join([sentence[: found.start()], *items[len(reached) - 1 :]]), " ".join(reached)


def _is_negated(clause: str) -> bool:
    return bool(_NEGATION.search(clause))

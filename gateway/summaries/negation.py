"""Negations that a summary loses or adds: "the cache is the cause" where it says that the cache is not.

Clauses are compared that have nearly the same content words. Only what no such clause of the text says is a
contradiction, so one is found rarely and with good reason. Antonyms and doubled negations are not understood.
"""

import re

from gateway.summaries.bearing import LexicalIndex, stems_of

SAME = 0.8
"""Share of a clause's stems that another clause must have to be about the same."""
FEWEST = 3
"""A clause with fewer stems is not compared."""
MOST_CLAUSES = 8
"""Number of a sentence's clauses that are compared."""
_BORDER = re.compile(r"[.!?;:\n。！？；：，、,।۔]+")
_NEGATION = re.compile(
    r"\b(?:not|never|none|nor|neither|cannot|without|nothing|nobody|nowhere|\w+n['’]t|no|nicht|nie|niemals|kein\w{0,3}|ohne"
    r"|nichts|weder|ne|n['’]\w+|pas|jamais|aucune?|sans|rien|nunca|jamás|ningun[oa]?|ningún|sin|nada|tampoco|não|nem|sem"
    r"|nenhuma?|non|senza|nessun\w?|niente|не|нет|без|никогда|ничего|ні|немає|nie|bez|niet|geen|zonder|inte|ikke|değil)\b"
    r"|[不没沒无無非未否别]|ない|なく|なかっ|ません|ずに|않|없|아니|못|नहीं|मत|ไม่|لا |ليس|לא |אין ",
    re.IGNORECASE,
)


class NegationIndex:
    """The clauses of a text, built once to check many sentences."""

    def __init__(self, text: str) -> None:
        self._clauses = [(LexicalIndex(clause), clause) for clause in _BORDER.split(text) if clause.strip()]

    def contradicts(self, sentence: str) -> bool:
        """Return True if a clause of the sentence negates what the text says without a negation, or the reverse."""
        return any(map(self._contradicts, _BORDER.split(sentence)[:MOST_CLAUSES]))

    def _contradicts(self, clause: str) -> bool:
        stems = stems_of(clause)
        if len(stems) < FEWEST:
            return False
        said = {_is_negated(other) for words, other in self._clauses if words.share(stems) >= SAME}
        return bool(said) and _is_negated(clause) not in said


def _is_negated(clause: str) -> bool:
    return bool(_NEGATION.search(clause))

"""Verdicts that a summary makes up: "it is false" of a text that calls nothing false.

Only whether the text has any word of the kind is compared, in whichever language, not what it is said of.
"""

import re

_FALSE = (
    r"\b(?:false|wrong|incorrect\w*|invalid|mistake\w*|errors?|contradict\w*|fail\w*|falsch\w*|unrichtig|ungültig"
    r"|fehler\w*|fals[oa]s?|incorrect[oa]s?|equivocad\w*|erróne\w*|faux|fausse|erron\w*|errat[oa]|sbagliat\w*|errad\w*"
    r"|incorret\w*|неверн\w*|ложн\w*|неправильн\w*|ошиб\w*)\b|错|不对|不成立|不正确|誤|間違|正しくな|틀리|틀렸|거짓|잘못"
)
_TRUE = (
    r"\b(?:true|correct\w*|valid\w*|proven|proves?|richtig\w*|korrekt\w*|wahr\w*|bewiesen|ciert\w*|verdader\w*|correct[oa]"
    r"|demuestra|vraie?s?|exacte?s?|prouv\w*|ver[oa]|corrett\w*|corret[oa]|верн\w*|правильн\w*|доказ\w*)\b"
    r"|正确|成立|正しい|맞다|맞는|옳"
)
_AGREES = (
    r"\b(?:right|yes|yep|yeah|indeed|exactly|confirm\w*|works?|match\w*|consistent|holds?|makes sense|sure|stimmt|genau"
    r"|ja|sí|oui|sì|sim|да|passt)\b|对|没错|確か|그렇"
)
_KINDS = tuple(
    (re.compile(said, re.IGNORECASE), re.compile(bearing, re.IGNORECASE))
    for said, bearing in ((_FALSE, _FALSE), (_TRUE, f"{_TRUE}|{_AGREES}"))
)


def has_verdicts_of(sentence: str, text: str) -> bool:
    """Return True if the text has words for each kind of verdict of the sentence, or if that has none."""
    return all(bearing.search(text) for said, bearing in _KINDS if said.search(sentence))

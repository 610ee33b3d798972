"""Find sentences in which a writer talks to itself, where a plain statement is asked for: first persons and questions.

Beginnings are looked at, and endings where a language has its verbs there: "we" within a sentence is often the language
of proofs, and not self-talk.
"""

import re

from gateway.summaries.sentences import CLOSERS

_OPENING = (
    r"(?:(?:so|now|then|first|next|but|and|okay|ok|wait|hmm+|well|also|thus|therefore|maybe|perhaps|nun|jetzt|dann"
    r"|zuerst|aber|und|donc|alors|maintenant|d['’]abord|mais|et|así que|ahora|primero|pero|y|então|agora|primeiro|mas|e"
    r"|quindi|ora|prima|ma|dus|nu|maar|en|итак|теперь|сначала|но|и)[,:]? )*+"
)
_FIRST_PERSON = "|".join(
    (
        r"i['’](?:m|ll|ve|d)|i (?:need|have|should|must|will|can|could|might|may|would|want|think|believe|guess|wonder"
        r"|rate|select|choose|pick|agree|suggest|recommend|conclude|understand"
        r"|see|recall|remember|know|am|was|don['’]t|can['’]t|cannot|also|just)",
        r"let (?:me|us)|let['’]s|we (?:need|have to|should|must|want|might|['’]ll|(?:are|were) (?:asked|given|told))",
        r"ich|wir (?:müssen|sollen|sollten|brauchen)|lass(?:t|en wir)? (?:mich|uns)|mal sehen",
        r"je (?:dois|vais|pense|crois|peux|veux|sais|suis|me|ne|vois|note|vérifie)|j(?=['’])|laisse[zr]?-moi|voyons"
        r"|nous (?:devons|devrions|allons)|on nous (?:demande|donne)",
        r"yo (?:creo|debo|necesito|pienso|puedo|quiero|tengo|voy)|debo|debemos|necesito|necesitamos|tengo que"
        r"|tenemos que|voy a|vamos a|creo que|déjame|veamos|(?:se )?nos (?:piden?|dan|da|dice)",
        r"eu (?:acho|devo|posso|preciso|quero|sei|tenho|vou)|devo|preciso|precisamos|devemos|tenho (?:que|de)"
        r"|temos (?:que|de)|vou|vamos|deixe-me|vejamos",
        r"io (?:credo|devo|ho|penso|posso|so|voglio)|dobbiamo|ho bisogno|abbiamo bisogno|penso che|vediamo"
        r"|lasciami|lasciatemi",
        r"ik|we moeten|laat me|laten we",
        r"я|(?:мне|нам) (?:нужно|надо|следует)|давай(?:те)?|посмотрим",
    )
)
_UNSPACED_FIRST_PERSON = (
    r"(?:那么|所以|现在|首先|接下来|但是?|那)?[，,]?(?:我(?!国|國|们|們)|让我|讓我|[我咱](?:们|們)(?:需要|应该|應該|必须|必須|来|來|得))"
    r"|(?:では|まず|次に)?、?(?:私|僕|俺)(?:は|が|も|たちは)|(?:그럼|이제|먼저) ?(?:나|저)는|나는|저는|제가|내가"
)
_SELF_TALK = re.compile(
    rf"[\s*_>#(\[-]*(?:{_OPENING}(?:{_FIRST_PERSON})(?!\w)|{_UNSPACED_FIRST_PERSON})", re.IGNORECASE
)
LONGEST_ENDING = 40
"""Characters of a sentence that are looked at for its ending."""
_LETS = re.compile(r"(?:ましょう|てみよう|봅시다|(?:해|어|아)보자)[\s。.!！*_」』）)]*$")
"""Endings by which a sentence says that something is to be done together: "let us…"."""
_QUESTIONS = ("?", "？", "؟")
_MARKUP = "".join(set(CLOSERS) - set('"”’»」』》'))


def is_self_talk(sentence: str) -> bool:
    """Return True if the sentence begins as talk in the first person ("I need to…"), or says "let us" at its end."""
    return bool(_SELF_TALK.match(sentence) or _LETS.search(sentence[-LONGEST_ENDING:]))


def is_question(sentence: str) -> bool:
    """Return True if the sentence is a question, and not one that only ends in a quoted one."""
    return sentence.rstrip().rstrip(_MARKUP).endswith(_QUESTIONS)

"""Find sentences that tell of a text which there is not: "The article discusses…" of a step that knows no article.

Small models take a step that lists things for a document and describe it. A step that has the word may be about one.
"""

import re

_NOUN = (
    r"article|document|paragraph|essay|conversation|transcript|dokument|artikel|aufsatz|gespräch"
    r"|artículo|documento|párrafo|conversación|paragraphe|artigo|parágrafo|conversa|articolo|paragrafo"
    r"|conversazione|документ|статья|разговор|文章|文档|对话|記事|文書|会話|기사|문서|대화"
)
_TELLS = re.compile(
    rf"[\s\"'“„«「*_>#(\[-]*(?:(?:the|this|an?|der|die|das|dieser?|dieses|ein|el|la|este|esta|un|le|ce|cet|l['’]|o|a|il|lo"
    rf"|questo|эта|этот|该|这篇|这个|本|この|이) ?)?(?:given |provided )?({_NOUN})(?:e?s|e?n)?"
    r"(?![^\W_\u3040-\u9fff\uac00-\ud7a3])",
    re.IGNORECASE,
)


def tells_of_a_missing_text(sentence: str, step: str) -> bool:
    """Return True if the sentence begins with a text, and the step never names one of that kind."""
    found = _TELLS.match(sentence)
    return found is not None and found[1].casefold() not in step.casefold()

"""Find sentences that speak to somebody: to the reader, to the system, or about the model instead of the matter.

A summary tells what was found out. A trace that was made to carry orders must not send them on by its summary.
"""

import re

_NARRATION = (
    r"(?:the|this|das|der|dieser|dieses|el|este|le|ce|la) (?:model|assistant|ai|piece|text|passage|author|writer"
    r"|reasoning|thinking|modell|assistent|textstück|abschnitt|autor|modelo|asistente|texto|fragmento|modèle|texte"
    r"|passage)\b|(?:该|这个|这段|本)?(?:模型|助手|作者|段落|文本)"
)
"""A beginning about the model or its text ("The assistant…") instead of what it has found out."""
_ROLE = (
    r"(?:system|user|assistant|developer|human|tool|ai|admin(?:istrator)?|instructions?|prompt|nutzer|benutzer|anweisung"
    r"|usuario|asistente|sistema|utilisateur|système|система|пользователь|系统|用户|助手|指令|システム|ユーザー|시스템|사용자)"
    r"(?: (?:message|prompt|note|override|instructions?))?\s?[:：]"
)
"""The label of a turn, as in a transcript."""
_ORDER = (
    r"(?:please |now |so |then |next,? |also |always |just )?(?:tell|inform|remind|warn|notify|advise|ask|instruct) "
    r"(?:the |your |all )?(?:users?|readers?|humans?|assistant|system|model)\b"
    r"|dear (?:user|reader)|as an ai\b|i(?:'m| am) an ai\b|(?:please )?(?:click|tap) (?:here|on|the|this)\b"
    r"|(?:please )?(?:ignore|disregard|forget|override) (?:all|any|the|your|previous|prior|everything)\b"
    r"|(?:please )?(?:visit|go to|open) (?:https?|www)"
    r"|sagen? sie (?:dem|der) (?:nutzer|benutzer|kunden)|sag(?:e)? dem (?:nutzer|benutzer)|ignorieren? sie\b"
    r"|(?:dis|dites|informez|avertissez) (?:à )?l['’]utilisateur|ignorez\b"
    r"|(?:dile|dígale|informa|informe|avisa) al usuario|ignora (?:todas?|las|tus)\b"
    r"|скажи(?:те)? пользователю|(?:请)?(?:告诉|告知|提醒|通知)用户|(?:请)?(?:忽略|无视)"
    r"|(?:ユーザー|利用者)に(?:伝え|知らせ|教え)"
)
"""An order, or a beginning that speaks to somebody."""
_ANYWHERE = re.compile(
    r"<\|[\w ]{1,40}\|?>|</?(?:system|user|assistant|think|piece|tool_call)>|\[/?INST\]|\[(?:system|assistant|user)\]"
    r"|\*\*\s?(?:system|user|assistant|developer)\b|\btell the (?:user|reader)\b"
    r"|\b(?:ignore|disregard|forget|override) (?:all |any )?(?:the |your |previous |prior |above |earlier ){1,3}"
    r"(?:instructions?|prompts?|rules|messages?)\b",
    re.IGNORECASE,
)
_BEGINS = re.compile(rf"[\s\"'“„«「*_>#(\[-]*(?:{_NARRATION}|{_ROLE}|{_ORDER})", re.IGNORECASE)


def addresses_somebody(sentence: str) -> bool:
    """Return True if the sentence gives an order, has the label of a role, or tells of the model."""
    return bool(_BEGINS.match(sentence) or _ANYWHERE.search(sentence))

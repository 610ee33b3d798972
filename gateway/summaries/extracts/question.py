"""The question of a prompt: what it asks for, as its own words say it. Knows nothing of the summary around it."""

import re

from gateway.summaries.code import both_ends
from gateway.summaries.extracts.lexicon import Lexicon
from gateway.summaries.extracts.plain import plain
from gateway.summaries.extracts.tongues import language_of, lexicon
from gateway.summaries.extracts.units import whole
from gateway.summaries.sentences import sentences

LOOKED_AT = 8000
"""Only this many characters of a prompt are looked at: the beginning and the end of a longer one."""
LONGEST = 300
MIN_WORDS, MIN_CHARACTERS = 3, 5
"""Fewest words of a question, and characters in scripts without spaces: "Right?" asks for nothing by itself."""
_PARAGRAPHS = re.compile(r"\n[ \t]*\n")
_SPEAKER = re.compile(
    r"^(?:problem|question|task|user|q|aufgabe|frage|pregunta|tarea|问题|题目|問題|質問|ユーザー)\s*[:：]\s*",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:the following|below|this (?:\w+ )?(?:problem|question)|step by step|end your reply|your (?:final"
    r" )?answer)\b",
    re.I,
)
"""Signs of a request that only points to the one that follows, or says in which form it is to be answered."""
_QUESTION = re.compile(r"[?？؟;；]\W*$")
_ASKED = re.compile(
    r"(?:please|kindly|can you|could you|would you|will you|i (?:want|need|would like|'d like)|help|write|create"
    r"|explain|describe|summari[sz]e|translate|find|give|list|compare"
    r"|analy[sz]e|calculate|compute|solve|determine|design|implement|build|make|fix|rewrite|refactor|rate|evaluate"
    r"|suggest|recommend|tell|show|generate|draft|review|classify"
    r"|extract|convert|prove|identify|plan|pick|choose|name|invent|decide|answer|call|add|reply|respond|say|state"
    r"|provide|outline|complete|estimate|discuss|assess|grade"
    r"|bitte|schreib\w*|erkläre?|erstelle?|nenne?|berechne?|übersetze?|vergleiche?|fasse|hilf|finde|gib|zeige?|ich"
    r" (?:möchte|brauche|will)|kannst du|könntest du"
    r"|por favor|escrib\w+|explic\w+|calcul\w+|traduc\w+|compar\w+|resum\w+|dame|dime|necesito|quiero|puedes|encuentra"
    r"|haz|crea"
    r"|s'il (?:te|vous) pla[iî]t|écri\w+|expliqu\w+|traduis\w*|donne\w*|fais|peux-tu|pouvez-vous|je (?:veux|voudrais"
    r"|cherche)|trouve\w*"
    r"|пожалуйста|напиши\w*|объясни\w*|найди\w*|переведи\w*|сравни\w*|посчитай\w*|помоги\w*|составь\w*)(?![\w'’])"
    r"|.*(?:してください|して下さい|教えて|ください|お願いします|なさい|せよ|해 ?줘|해 ?주세요|하시오"
    r"|하세요)[。.!！]?$|(?:请|帮我|帮忙|给我|写|翻译|解释|计算|比较|总结|分析|设计|列出)",
    re.IGNORECASE,
)


def question_of(prompt: str, limit: int = LONGEST) -> str:
    """Return the sentence of a prompt that asks: a question, else a request, else the first one; "" if it is blank.

    What is asked stands in the last paragraph of a long prompt, or in the first. A sentence that is longer than `limit`
    characters is cut at the end of a word, and ends in "…".
    """
    text = plain(both_ends(prompt, LOOKED_AT)).strip()
    words = lexicon(language_of(text))
    paragraphs = [paragraph for paragraph in _PARAGRAPHS.split(text) if paragraph.strip()]
    ends = ([*paragraphs[-1:], *paragraphs[:-1][:1]], [text])
    for pieces in ends:
        found = [_sentences(piece, words) for piece in pieces]
        for is_asking in (_is_question, _is_request):
            for spoken in found:
                if asking := [one for one in spoken if is_asking(one)]:
                    return _cut(max(reversed(asking), key=_weight), limit)
    first = _sentences(text, words)[:1] or [" ".join(prompt.split())]
    return _cut(first[0], limit)


def _sentences(text: str, words: Lexicon) -> list[str]:
    whole_ones = (one for sentence in sentences(text) for one in whole(_SPEAKER.sub("", sentence), words))
    return [" ".join(one.split()) for one in whole_ones]


def _is_question(sentence: str) -> bool:
    return bool(_QUESTION.search(sentence)) and _is_long_enough(sentence)


def _is_request(sentence: str) -> bool:
    return bool(_ASKED.match(sentence)) and _is_long_enough(sentence) and not _POINTING.search(sentence)


def _weight(sentence: str) -> int:
    """Return how much a sentence asks, by its words: a longer one asks no more than one of eight."""
    return min(8, len(sentence.split())) if sentence.isascii() or " " in sentence.strip() else 8


def _is_long_enough(sentence: str) -> bool:
    return len(sentence.split()) >= MIN_WORDS or (not sentence.isascii() and len(sentence) >= MIN_CHARACTERS)


def _cut(sentence: str, limit: int) -> str:
    if len(sentence) <= limit:
        return sentence
    head = sentence[: limit + 1].rpartition(" ")[0] or sentence[:limit]
    return head.rstrip(" ,;:，；：、") + "…"

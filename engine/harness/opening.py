"""The first words of a thinking, in the language of the request: a model that is asked in English to think in the
language of a German question thinks in English, unless its first words are German.

They end with the request's last question, or its first line: without it, a small model thinks about the instructions
instead ("1. The request is to carry out every step" to "Reply with OK."). A quotation that breaks off within a word had
it end at once, and think nothing.

The language is told by the script, or by frequent words, of the user's last message; no detector is loaded. Where
neither tells it, the request alone does.
"""

import re

QUOTED = 160
"""Most characters of the request that are repeated."""
SHORTEST = 6
"""Shorter questions ("Why?") say too little."""
_SENTENCES = re.compile(r"(?<=[.!?؟])\s+(?![\sa-z:;,])|(?<=[。！？])|\n+")
_ASKS = re.compile(r"[?？؟][\"'”»)）*_]*$")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+")
_SCRIPTS = {
    "考えてみましょう。": r"[\u3040-\u30ff]",
    "我们来想一想：": r"[\u4e00-\u9fff]",
    "생각해 봅시다. ": r"[\uac00-\ud7af]",
    "Давайте подумаем: ": r"[а-яё]",
    "لنفكر: ": r"[\u0620-\u064a]",
    "आइए सोचें: ": r"[\u0904-\u0939]",
    "Ας σκεφτούμε: ": r"[\u0370-\u03ff]",
}
"""Openings, by the letters that tell their languages; Japanese before Chinese, whose letters it has as well."""
_SHARE = 0.3
"""Share of a script in the letters of a message: terms are Latin, and Japanese has many Chinese letters."""
_FOREIGN = re.compile(r"[ґєіїјљњћђџўٹپچژگےںہ]")
"""Letters of other languages in these scripts: Ukrainian, Serbian, Belarusian, Persian, Urdu."""
_FREQUENT = {
    "Let's see: ": "the is are was of to and a in on with how what why which who does do did can it this that you my me"
    " for from there write give make explain fix list say",
    "Überlegen wir: ": "der die das den dem und ist sind wie was warum ich ein eine einen mir mich nicht für von zu mit"
    " es auf bitte schreibe erkläre viele haben",
    "Voyons : ": "le la les un une des est et je tu pourquoi comment quel quelle que qui du pour dans combien il ne pas"
    " sur moi mon au avec",
    "Veamos: ": "el la los las un una es y qué cómo por para con de del cuántos cuál mi me en que yo dame escribe",
    "Vediamo: ": "il lo la gli un una è e che come perché di del della per con quanti qual mi in sono cosa scrivi",
    "Vejamos: ": "o a os as um uma é e que como por porque para com de do da quantos qual não me em meu escreva",
    "Eens kijken: ": "de het een is en wat hoe waarom ik van voor met niet hoeveel op mij in zijn schrijf",
    "Zastanówmy się: ": "jest i w na z jak co dlaczego ile nie się do mi czy to dla napisz",
}
"""Openings, by frequent words of their languages."""
_WORDS = {opening: frozenset(words.split()) for opening, words in _FREQUENT.items()}


def opening_of(message: str) -> str:
    """Return the first words of a thinking about `message`, or nothing if it is empty."""
    quoted = _quoted(message)
    return f'{_phrase(message)}"{quoted}"\n' if quoted else ""


def _quoted(message: str) -> str:
    """Return the last question of `message`, else its first line; of a long one, as many of its words as fit."""
    sentences = [sentence.strip() for sentence in _SENTENCES.split(message) if sentence.strip()]
    questions = [one for one in sentences if SHORTEST <= len(one) <= QUOTED and _ASKS.search(one)]
    line = questions[-1] if questions else next(iter(message.strip().splitlines()), "")
    if len(line) <= QUOTED:
        return line
    return (line[:QUOTED].rpartition(" ")[0] or line[:QUOTED]).rstrip() + " …"


def _phrase(message: str) -> str:
    """Return some words in the language of `message`, or nothing if it cannot be told."""
    text = message.lower()
    letters = len(_LETTER.findall(text))
    for opening, script in _SCRIPTS.items():
        if len(re.findall(script, text)) > _SHARE * letters:
            return "" if _FOREIGN.search(text) else opening
    words = _WORD.findall(text)
    counts = sorted(((sum(word in known for word in words), opening) for opening, known in _WORDS.items()))
    (second, _), (best, opening) = counts[-2:]
    return opening if best > second else ""

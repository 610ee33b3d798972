"""Guess the language of a text from its script or its common words, to choose the wording of a summary.

Only the languages of the tables are recognized.
"""

import re

from gateway.summaries.code import without_code

_SCRIPTS = {
    "ja": re.compile(r"[぀-ヿ]"),
    "ko": re.compile(r"[가-힣]"),
    "zh": re.compile(r"[一-鿿]"),
    "ru": re.compile(r"[а-яА-ЯёЁ]"),
    "ar": re.compile(r"[؀-ۿ]"),
}
_WORDS = {
    "en": "the a and is are was do does did of to in that it for on with as at by this what how which who when where"
    " why many much have has had can could would should if write give me my i you your tell explain an or not"
    " from there",
    "de": "der die das und ist sind war ein eine einen einem einer nicht für auf den dem des mit von zu im was wie"
    " viele viel welche welcher welches wer wann wo warum hat haben kann können wenn schreibe erkläre ich du"
    " mir mein bitte gib es wir aus dass",
    "es": "el la los las y es son era un una de que en no por con para cómo cuántos cuántas cuánto cuál qué quién"
    " cuándo dónde tiene tienen puede si escribe explica yo mi tu del al se su me dame",
    "fr": "le la les et est sont était un une de que en ne pas pour avec comment combien quel quelle quels quelles"
    " qui quand où pourquoi a ont peut si écris explique je mon ma du au des il elle ce cette y",
    "it": "il lo la gli le e è sono era un una di che in non per con come quanti quante quanto quale chi quando"
    " dove perché ha hanno può se scrivi spiega io mio del al della",
    "pt": "o a os as e é são era um uma de que em não por com para como quantos quantas quanto qual quem quando"
    " onde porque tem têm pode se escreva explique eu meu do ao da",
}
_WORD_SETS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_INLINE_CODE = re.compile(r"`[^`\n]*`")
_LETTERS = re.compile(r"[^\W\d_]+")
SAMPLE_CHARACTERS = 2000
"""Only this many characters at the beginning of a text are examined."""


def language_of(text: str) -> str | None:
    """Return an ISO 639-1 code, or None if the language is not recognized."""
    prose = _INLINE_CODE.sub(" ", without_code(text[:SAMPLE_CHARACTERS]))
    letters = sum(map(len, _LETTERS.findall(prose)))
    for language, script in _SCRIPTS.items():
        if (found := len(script.findall(prose))) and found * 4 > letters:
            return language
    words = _LETTERS.findall(prose.casefold())
    counts = {language: sum(word in known for word in words) for language, known in _WORD_SETS.items()}
    best = max(counts, key=counts.__getitem__)
    return best if counts[best] else None

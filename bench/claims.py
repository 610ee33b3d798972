"""A second check of the claims of a summary, independent of `gateway.summaries.grounding` and simpler.

It shares no code and no method with it: numbers are floats found with one pattern, and everything else is searched in
the text of the source without spaces. Capitalized words are names within a sentence, but not in German or Chinese.
"""

import re
from collections.abc import Iterator, Sequence

_NUMBER = re.compile(r"\d+(?:[.,' ]\d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,]\d+)?")
_GROUPED = re.compile(r"(\d{1,3}(?:[.,' ]\d{3})+)([.,]\d+)?")
_LABEL = re.compile(r"^\s*(?:\d{1,2}[.)]\s+|[-*•]\s+)", re.MULTILINE)
_QUOTED = re.compile(r"\"([^\"\n]+)\"|“([^”\n]+)”|„([^“”\n]+)[“”]|「([^」\n]+)」|`([^`\n]+)`")
_IDENTIFIER = re.compile(r"\b(?:[A-Za-z]\w*_\w+|[a-z]+[A-Z]\w*|[A-Za-z_]\w*\(|[A-Za-z]+\d+[A-Za-z\d]*)")
_NAME = re.compile(r"(?<=[a-zà-ÿ,;] )[A-ZÀ-Þ][a-zà-ÿ]{2,}")
_WORDS = re.compile(r"[^\W\d_]+")
_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve",
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce",
)
_TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety hundred",
    "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig hundert",
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa cien",
)
_VALUES = {word: float(n) for row in _NUMBER_WORDS for n, word in enumerate(row.split())}
_VALUES |= {word: 10.0 * n for row in _TENS for n, word in enumerate(row.split(), 2)}
_VALUES |= {"half": 0.5, "first": 1, "second": 2, "third": 3, "quarter": 4, "fourth": 4, "twice": 2}
_VALUES |= {"both": 2, "beide": 2, "zweite": 2, "dritte": 3, "segundo": 2, "tercero": 3, "drittel": 3, "viertel": 4}
_VALUES |= {"thirds": 3, "dritteln": 3, "tercios": 3, "ein": 1, "eine": 1, "einen": 1, "a": 1, "un": 1, "una": 1}
_HAN = {char: float(n) for n, char in enumerate("零一二三四五六七八九十")} | {"两": 2.0, "半": 0.5, "百": 100.0}
_UNSURE_WORDS = "one a un una uno ein eine einen eins once first second third quarter null acht elf"
UNSURE = frozenset(_UNSURE_WORDS.split())
"""Words that are often no numbers: they support a number, but do not claim one."""


def unsupported(part: str, sources: Sequence[str], names: bool = True) -> list[str]:
    """Return the claims of `part` that no source has. `names` is False if capitals do not mark names."""
    source = "\n".join(sources)
    values, squeezed = set(_values(source)), _squeezed(source)
    body = _LABEL.sub("", part)
    missing = [number for number, readings in _numbers(body) if not values.intersection(readings)]
    missing += [word for word, value in _counted(body) if word not in UNSURE and value not in values]
    pieces = [next(filter(None, found.groups())) for found in _QUOTED.finditer(body)]
    pieces += _IDENTIFIER.findall(body) + (_NAME.findall(body) if names else [])
    return missing + [piece for piece in pieces if _squeezed(piece) not in squeezed]


def _numbers(text: str) -> Iterator[tuple[str, set[float]]]:
    """Yield each number with its possible values: 1,250 is 1250 or 1.25."""
    for found in _NUMBER.finditer(text):
        yield found[0], _readings(found[0])


def _readings(number: str) -> set[float]:
    decimal = re.fullmatch(r"\d+(?:[.,]\d+)?", number)
    grouped = _GROUPED.fullmatch(number)
    spellings = [number.replace(",", ".")] if decimal else []
    spellings += [re.sub(r"\D", "", grouped[1]) + (grouped[2] or "").replace(",", ".")] if grouped else []
    return {round(float(spelling), 9) for spelling in spellings}


def _counted(text: str) -> Iterator[tuple[str, float]]:
    """Yield numbers in words. Han numerals are read in sources only, see `_values`."""
    for word in _WORDS.findall(text.casefold()):
        if word in _VALUES:
            yield word, _VALUES[word]


def _values(text: str) -> Iterator[float]:
    for number, readings in _numbers(text):
        yield from readings
        yield from map(float, number.split(",") if re.fullmatch(r"\d+,\d+", number) else ())
    yield from (value for _, value in _counted(text))
    yield from (_HAN[char] for char in text if char in _HAN)


def _squeezed(text: str) -> str:
    return re.sub(r"[\s`*_\\$'’\"“”„]", "", text).casefold()

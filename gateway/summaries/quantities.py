"""Numbers in a text, by value: 1,000 equals one thousand.

A value is a string in one canonical spelling (15e2, -5e0, 1/3) of any length, so that no number overflows or is
rounded. There is no arithmetic and no calendar here.
"""

import re
from collections.abc import Iterable, Mapping

from gateway.summaries.units import LETTERS, UNIT_END, UNITS

CJK_DIGITS = "〇零一二两三四五六七八九十百千万亿"
_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen",
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn"
    " achtzehn neunzehn",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete"
    " dieciocho diecinueve",
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit"
    " dix-neuf",
)
_TENS = (
    "twenty thirty forty fifty sixty seventy eighty ninety",
    "zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig",
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "vingt trente quarante cinquante soixante soixante-dix quatre-vingt quatre-vingt-dix",
)
_POWERS = {
    "1": "十",
    "2": "hundred hundreds hundert cien ciento cientos 百",
    "3": "thousand thousands tausend mil mille 千",
    "4": "万",
    "6": "million millions millionen millón millones mio",
    "8": "亿",
    "9": "billion billions milliarde milliarden milliard milliards mrd",
}
_PARTS = {
    "2": "half halves hälfte demi",
    "3": "third thirds drittel tercio tercios tiers",
    "4": "quarter quarters fourth fourths viertel cuarto cuartos quart quarts",
    "5": "fifth fifths fünftel quinto quintos cinquième cinquièmes",
    "8": "eighth eighths achtel",
    "10": "tenth tenths zehntel",
}
_IMPLIED = {
    "1e0": "first once single erste ersten erster einmal primero primera premier première",
    "2e0": "second twice double both pair couple zweite zweiten beide beiden doppelt segundo ambos doble deuxième 双",
    "3e0": "third triple thrice dritte dritten dreifach tercero tercera troisième",
    "4e0": "fourth vierte vierten cuarto cuarta quatrième",
    "5e0": "fifth fünfte fünften quinto quinta cinquième",
    "12e0": "dozen dutzend docena douzaine",
    "5e-1": "half halb halbe halben hälfte mitad medio media moitié demi 半",
    "1e0/3e0": "third drittel tercio tiers",
    "25e-2": "quarter viertel quart",
}


def _any(words: Iterable[str]) -> str:
    """Return a pattern for the longest matching word, as a trie: most text is rejected at its first letter."""
    rests: dict[str, list[str]] = {}
    for word in words:
        rests.setdefault(word[:1], []).append(word[1:])
    ends = rests.pop("", [])
    branches = "|".join(re.escape(letter) + _any(rest) for letter, rest in rests.items())
    return f"(?:{branches}){'?' if ends else ''}" if branches else ""


def _table(rows: Mapping[str, str]) -> dict[str, str]:
    return {word: key for key, words in rows.items() for word in words.split()}


_ADDED = {word: number for row in _COUNTED for number, word in enumerate(row.split())}
_ADDED |= {word: 10 * number for row in _TENS for number, word in enumerate(row.split(), 2)}
_ADDED |= dict(zip(CJK_DIGITS[:12], (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True)) | {"ein": 1, "dreissig": 30}
_POWER = _table(_POWERS)
_PART = _table(_PARTS)
_NUMERAL = re.compile(_any([*_ADDED, *_POWER, "und"]))
_SCALES = re.compile(_any([*_POWER, "k"]))
_VAGUE = frozenset(("once", "neuf", "sept", "null", "mil", "acht", "elf", "百", "千", "万", "亿", "千万", "万一"))


def _spelled() -> str:
    """Return a pattern for a number in words, whose powers of ten must descend (thousand, then hundred)."""
    ones, teens, tens = (
        _any(word for word, number in _ADDED.items() if number in span and word not in CJK_DIGITS)
        for span in (range(10), range(10, 20), range(20, 100))
    )
    words = [word for word in _POWER if word not in CJK_DIGITS]
    hundred, more = (_any(word for word in words if (_POWER[word] == "2") is low) for low in (True, False))
    gap, link = "[ -]?", "[ -]?(?:and|und|y|et)?[ -]?"
    small = f"(?:(?:{ones})und(?:{tens})|(?:{tens})(?:{link}(?:{teens}|{ones}))?|{teens}|{ones})"
    below = f"(?:(?:{small}{gap})?(?:{hundred})(?:{link}{small})?(?!{gap}(?:{hundred}))|{small})"
    large = f"(?:{below}{gap})?(?:{more})(?:{gap}{below}{gap}(?:{more}))*(?:{link}{below}(?!{gap}(?:{more})))?"
    return rf"(?<![{LETTERS}])(?i:(?={_any([*_ADDED, *words])})(?:{large}|{below}))(?![{LETTERS}])"


_DIGITS = r"(?:\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)|\d+(?:[.,']\d+)*|\.\d+)"
_SCALE_WORDS = _any(word for word in _POWER if word not in CJK_DIGITS)
_SCALE = rf"(?:(?: ?(?i:{_SCALE_WORDS})|k)(?![{LETTERS}\d])|百|千(?![米克瓦])|万|亿)"
_BY = (
    r" ?[/÷] ?| ?除以 ?| (?i:divided by|out of|of|over|geteilt durch|durch|von|dividido (?:por|entre)|divisé par|sur) "
)
AMOUNT = (
    rf"(?<![{LETTERS}](?=[{LETTERS}]))(?=[{LETTERS}\d$€£¥.负减{CJK_DIGITS}-])"
    rf"(?:(?P<minus>(?<![{LETTERS}\d)\]%])(?<!\d )-(?=[$€£¥\d.]))"
    r"|(?P<perhaps>- |(?i:minus|negative|menos|moins) |负|减))?"
    r"(?P<before>(?:US)?[$€£¥] ?)?"
    rf"(?:(?<![{LETTERS}\d])(?P<digits>{_DIGITS})(?:[eE](?P<exponent>[+-]?\d{{1,3}})(?![{LETTERS}\d]))?"
    rf"(?P<scale>{_SCALE}+)?"
    rf"|(?P<words>{_spelled()}|(?!十分(?!钟)|四舍|五入|三角)(?:[{CJK_DIGITS.replace('千', '')}]|千(?![米克瓦]))+)"
    rf"(?:[ -](?i:(?P<parts>{_any(_PART)}))(?![{LETTERS}]))?)"
    rf"(?:(?P<by>{_BY})(?P<over>{_DIGITS}|[{CJK_DIGITS}]+)(?![.,']?\d|/|{_SCALE}))?"
    rf"(?P<after>(?:[ -]?(?i:/ ?|per |pro |por |par |je |an? |每)?(?i:{'|'.join(UNITS.values())}){UNIT_END}){{0,4}})"
)
"""A number with its sign, currency and units. `read` uses its groups; `before` and `after` hold the units."""
_AMOUNT = re.compile(AMOUNT)
_OPEN, _CLOSE = tuple("[({,"), tuple("])},")


def supported(text: str) -> set[str]:
    """Return all values that a text mentions, including those implied by ordinals and words such as twice or dozen."""
    values = {value for found in _AMOUNT.finditer(text) for reading in read(found, True) for value in reading}
    words = set(re.findall(rf"[{LETTERS}]+|[双半]", text.casefold()))
    return values | {value for value, forms in _IMPLIED.items() if not words.isdisjoint(forms.split())}


def is_vague(found: re.Match[str]) -> bool:
    """Return True if a number word may be another word: an article, or a word of another language."""
    word = (found["words"] or "").casefold()
    return not found["parts"] and (word in _VAGUE or (bool(word) and _value_of_words(word) == "1e0"))


def read(found: re.Match[str], loosely: bool = False) -> list[set[str]]:
    """Return the possible readings of an amount, each a set of values.

    With `loosely`, a fraction may also be read as its two numbers.
    """
    readings = _first_number(found)
    if found["parts"]:
        return [{_ratio(value, _value(_PART[found["parts"].casefold()])) for value in readings[0]}]
    if found["over"]:
        over = _readings_of(found["over"])
        ratios = [{_ratio(a, b)} for first in readings for a in first for second in over for b in second]
        return ratios + [a | b for a in readings for b in over] * (loosely or "/" not in found["by"])
    if found["minus"] or found["perhaps"]:
        negative = [{f"-{value}" for value in reading} for reading in readings]
        return negative + readings if found["perhaps"] else negative
    return readings


def _first_number(found: re.Match[str]) -> list[set[str]]:
    if found["words"]:
        return [{_value_of_words(found["words"])}]
    powers = (int(_POWER.get(word, "3")) for word in _SCALES.findall((found["scale"] or "").casefold()))
    start, end = found.span("digits")
    listed = found.string[start - 1 : start] in _OPEN and found.string[end : end + 1] in _CLOSE
    return _readings_of(found["digits"], int(found["exponent"] or 0) + sum(powers), listed)


def _readings_of(run: str, exponent: int = 0, listed: bool = False) -> list[set[str]]:
    """Return the possible readings of digits: 1,234 is 1234 or 1.234, and (3,4) may be two numbers."""
    if run[0] in CJK_DIGITS:
        return [{_value_of_words(run)}]
    marks, pieces = re.findall(r"[.,' ]", run), re.split(r"[.,' ]", run)
    mixed = len(set(marks)) == 2 and marks.count(marks[-1]) == 1 and marks[-1] in ".,"
    whole, decimals = (pieces[:-1], pieces[-1]) if mixed else (pieces, "")
    grouped = len(whole) > 1 and 0 < len(whole[0].lstrip("0")) <= 3 and all(len(piece) == 3 for piece in whole[1:])
    readings = []
    if grouped and (mixed or len(set(marks)) == 1):
        readings.append({_value(f"{''.join(whole)}.{decimals}", exponent)})
    if len(marks) == 1 and marks[0] in ".," and not (grouped and marks[0] == "," and run.endswith("0")):
        readings.append({_value(".".join(pieces), exponent)})
    apart = ("," in marks and listed) or (" " in marks and len(pieces[0]) == 3)
    if apart or not readings:
        readings.append({_value(piece, exponent) for piece in re.split("[,' ]", run)})
    return readings


def _value_of_words(text: str) -> str:
    words = _NUMERAL.findall(text.casefold())
    if len(words) > 1 and all(word in CJK_DIGITS[:12] for word in words):
        return _value("".join(str(_ADDED[word]) for word in words))
    total = rest = 0
    for word in words:
        if word in _POWER:
            times = 10 ** int(_POWER[word])
            above = total // times * times
            total, rest = above + max(total - above + rest, 1) * times, 0
        else:
            rest += _ADDED.get(word, 0)
    return _value(str(total + rest))


def _value(number: str, exponent: int = 0) -> str:
    """Return the canonical spelling: 1500, and 1.5 with exponent 3, are 15e2. A version (1.2.3) is left as it is."""
    whole, _, decimals = number.partition(".")
    if "." in decimals:
        return number
    digits = (whole + decimals).lstrip("0")
    bare = digits.rstrip("0")
    return f"{bare}e{exponent + len(digits) - len(bare) - len(decimals)}" if bare else "0"


def _ratio(number: str, parts: str) -> str:
    ratio = f"{number}/{parts}"
    return {"1e0/2e0": "5e-1", "1e0/4e0": "25e-2", "3e0/4e0": "75e-2"}.get(ratio, ratio)

"""Units of measurement in a text, by meaning: km equals kilometre. Units are not converted."""

import re
from collections.abc import Iterator

LETTERS = r"A-Za-z_À-ÖØ-öø-\u1fff"
"""The letters of scripts that put spaces between words, for use in a regular expression's character class."""
UNITS = {
    "km": r"kms?|kil[oó]m[eéè]t(?:er|re|ro)[ns]?|公里|千米",
    "m": r"(?-i:m)|m[eéè]t(?:er|re|ro)[ns]?|米",
    "cm": r"cm|[cz]ent[ií]m[eéè]t(?:er|re|ro)[ns]?|厘米",
    "mm": r"mm|mill?[ií]m[eéè]t(?:er|re|ro)[ns]?|毫米",
    "mi_h": r"mph",
    "mi": r"mi|miles?|meilen?|millas?|英里",
    "kg": r"kgs?|kilos?|kilogram(?:me?|o)?[ns]?|千克|公斤",
    "g": r"(?-i:g)|gram(?:me?|o)?[ns]?|克",
    "t": r"ton(?:ne)?[ns]?|toneladas?|吨",
    "ml": r"ml|mill?ilit(?:er|re|ro)[ns]?|毫升",
    "l": r"(?-i:[lL])|lit(?:er|re|ro)[ns]?|升",
    "km_h": r"kmh|kph",
    "h": r"(?-i:h)|hrs?|hours?|std|stunden?|horas?|heures?|个?小时",
    "min": r"mins?|minut(?:es?|en|os?)|分钟",
    "ms": r"ms|milliseconds?|millisekunden?|milisegundos?|millisecondes?|毫秒",
    "s": r"(?-i:s)|secs?|seconds?|sekunden?|segundos?|secondes?|秒",
    "day": r"days?|tage?n?|días?|jours?|天",
    "week": r"weeks?|wochen?|semanas?|semaines?|个?星期",
    "month": r"months?|monate?n?|mes(?:es)?|mois|个月",
    "year": r"years?|yrs?|jahre?n?|años?|ans|années?",
    "percent": r"%|per ?cent(?:age)?|pct|prozent|por ciento|pour cent",
    "dollar": r"(?:us ?)?\$|(?:us )?dollars?|usd|dólar(?:es)?|美元",
    "euro": r"€|euros?|eur|欧元",
    "pound": r"£|pounds?|lbs?|pfund|libras?|livres?|英镑",
    "yuan": r"¥|yuan|rmb|cny|元|块",
    "cent": r"cents?|¢|centavos?|centimes?",
    "degree_celsius": r"° ?c|celsius|摄氏度",
    "degree_fahrenheit": r"° ?f|fahrenheit|华氏度",
    "degree": r"°|degrees?|grad|grados?|degrés?|度",
    "square": r"\^2(?!\d)|squared?|sq|quadrat|cuadrad[oa]s?|carrée?s?|平方",
    "cubic": r"\^3(?!\d)|cubic|cubed|kubik|cúbic[oa]s?|cubes?|立方",
    "byte": r"bytes?|字节",
    "mb": r"mb|megabytes?",
    "gb": r"gb|gigabytes?",
    "hz": r"hz|hertz|赫兹",
    "kwh": r"kwh|kilowatt[- ]?(?:hours?|stunden?)",
}
"""Patterns of the units, by name; the name of a compound unit joins the names of its parts by `_`."""
UNIT_END = rf"(?![{LETTERS}]|'[{LETTERS}]{{2}})"
"""Asserts that no letter continues the unit."""
_SIGNS = "".join({char for forms in UNITS.values() for char in forms if char in "%$€£¥°¢" or char >= "一"})
_NAMED = "|".join(f"(?P<{name}>{forms})" for name, forms in UNITS.items())
_UNIT = re.compile(rf"(?:(?<![{LETTERS}])(?=[{LETTERS}{_SIGNS}])|(?=\^))(?i:{_NAMED}){UNIT_END}")


def units(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each unit as it is written, and the names of the units that it consists of (km/h: km and h)."""
    for found in _UNIT.finditer(text):
        yield found.group(), (found.lastgroup or "").split("_")

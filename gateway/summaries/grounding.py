"""Whether a summary part says only what its sources say, claim by claim.

A claim is a number, a unit behind a number, code, an identifier, a quotation or a name; numbers are compared as values.
Knows nothing of truth: not of arithmetic, conversions or dates, nor of which number belongs to which unit or name, nor
of denials. It sees no name at the beginning of a sentence, in a Heading Of Capitals or in a script without capitals,
and takes a German noun with an article or adjective before it for a common one.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from gateway.summaries.quantities import AMOUNT, HAN, L, is_vague, read, supported, units

LONGEST_HEADING = 8
"""Words in a line without a full stop whose capitals tell nothing once one of them is a common word's."""

_COMMON_WORDS = (
    "the a an and or but if then so this that these those it its he she we you they in on at of to for from by with as"
    " is are was were be not no yes what when where which who why how each all both only since because let okay ok here"
    " there today one everyone analysis answer approach calculation case check choice comparison conclusion condition"
    " constraint data decision definition equation example fact final formula function goal idea input key logic loop"
    " main method number option order output plan problem process proof question reason result rule setup solution step"
    " strategy structure sum summary task test time total value verification i o y u e à dr mr mrs ms prof st sr sra"
    " mme frau herr sie ihr ihnen du er es der die das und oder el la los las le les un une il elle usted anzahl"
    " antwort aufgabe basis beispiel ergebnis fall formel frage hilfe losung problem preis punkt rechnung regel schritt"
    " summe vergleich wert zahl zeit ziel"
)
_GERMAN_WORDS = (
    "der das und ist nicht ein eine einen einem einer für auf den dem des wird werden sind sich auch mit von zu zur zum"
    " im als bei aus dass wenn oder nach"
)
_ENGLISH_WORDS = "the and is not a an for on of are to with from by that this it as be or was"
_COMMON, _GERMAN, _ENGLISH = (frozenset(text.split()) for text in (_COMMON_WORDS, _GERMAN_WORDS, _ENGLISH_WORDS))
_ENDINGS = {False: ("s", "es"), True: ("s", "es", "e", "n", "en", "er", "ern", "em", "ens")}
_ABSTRACT = re.compile(r"(?:ing|ed|tion|sion|ment|ness|ity|sis)s?$")
_NOUN = re.compile(r"(?:ung|heit|keit|schaft|tion|tat|nis|mus|ment|anz|enz)(?:en|s|e|se)?$")
_DETERMINED = re.compile(
    r"(?:^|\s)(?!(?:über|unter|hinter|ohne|gegen|zwischen|neben|wegen|oder|aber|außer|heiße|heißen)\s)"
    r"(?:(?i:der|die|das|dem|den|des|am|im|vom|zum|zur|ins|beim|pro|je|k?eine?[mnrs]?|zwei|drei|vier|fünf|acht|neun|zehn)"
    r"|[a-zäöüß]+(?:e|en|er|es|em)|\S*\d\S*)\s$"
)
_BEGINS = re.compile(r"(?:^|[.!?。:|>•]|\d\)|\([a-z\d]\))[\s\"'(\[*#>_•-]*$")

_SQUEEZED = (
    (re.compile("(?<=[0-9])(?=[¼-¾⅐-⅞])"), " "),
    (re.compile("[⁰¹²³⁴-⁹⁻]+"), r"^\g<0>"),
    (re.compile("(?<![０-９])，|，(?![０-９]{3})"), ", "),
)
_MARKS = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛", "'"),
        **dict.fromkeys("“”„‟«»「」『』", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"),
        "\u2044": "/",
    }
)
_REWRITTEN = (
    (re.compile(r"\\(?:text|mathrm|mathbf|boxed) ?\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\[dt]?frac ?\{([^{}]*)\}\{([^{}]*)\}"), r"\1/\2"),
    (re.compile(r"\\([%$])|\\[,;] ?|\{(,)\}|(?<=\^)\{([^{}]*)\}"), r"\1\2\3"),
    (re.compile(r"(?<!\d)(\d{1,4})/(\d{1,4})/(\d{1,4})(?!\d)"), r"\1-\2-\3"),
    (re.compile(r"\b(Dr|Mr|Mrs|Ms|Prof|St|vs|e\.g|i\.e|z\. ?B|d\. ?h|bzw|ca|approx|Nr|Sr|Sra|Mme)\."), r"\1"),
    (re.compile(r"(?i:\b(quadrat|kubik)(?=\w{0,5}meter))"), r"\1 "),
    (re.compile(rf"百分之([\d.{HAN}]+)"), r"\1%"),
    (re.compile(rf"(?<![\d{HAN}])([\d{HAN}]++)分之([\d{HAN}]++)"), r"\2/\1"),
)

_W = rf"{L}\d"
_ARGUMENT = r"[^()\n\u2e80-\uffff]"
_CODE_LIKE = "|".join(
    (
        rf"(?<![{_W}])[A-Za-z]++://[^\s<>)\"]+",
        # A path: from a root, or with an extension; km/h and and/or are none.
        rf"(?<![{_W}./~-])(?=[~.]{{0,2}}/[\w.-]+/|~/|\.{{1,2}}/|[{_W}./-]*\.[A-Za-z]{{1,5}}\b)[{_W}.~-]*+(?:/[{_W}.-]*[{_W}-])+",
        # A call; element(s) is none.
        rf"(?<![{_W}.])(?![{L}]{{3,}}\((?:e?s|en|nen|in)\))[{L}][{_W}.]*+\((?:{_ARGUMENT}|\({_ARGUMENT}*\)){{0,200}}+\)",
        # A dotted name; e.g is none.
        rf"(?<![{_W}.])(?!(?:[{L}]\.)+[{L}]?(?![{_W}]))[{L}][{_W}]*+(?:\.[{L}][{_W}]*+)+",
        r"0[xXbB][0-9a-fA-F]+",
    )
)
_CLAIM = re.compile(
    r"(?<!`)(?P<ticks>`++)(?P<code>[^`]+)(?P=ticks)(?!`)"
    rf"|(?<![{_W}])\"(?P<quote>[^\"]+)\"(?![{_W}])|(?<![{_W}'])'(?P<single>[^']+)'(?![{_W}])"
    rf"|(?P<exact>{_CODE_LIKE})|(?P<number>{AMOUNT})|(?<![{_W}\\])(?P<word>[{L}][{_W}]*)"
)
_LABEL = re.compile(
    r"^[#>*•\-\s]*+(?:(?i:step|part|schritt|teil|paso|parte|étape|partie|步骤)\s?\d{1,3}(?:[:.)]|(?=\W*$|\W{2}))"
    rf"|\d{{1,3}}(?:\.\d{{1,2}})*[.):、](?=[*\s]|$|[^\x00-\x7f])|第?[{HAN}]{{1,3}}[步点]?[、:.](?!\d))"
)
_FORMULA = re.compile(r"\$(?! )([^$]+)(?<! )\$(?!\d)")
_TOKEN = re.compile(rf"[{L}]+|\d+|\S")
_LETTERS = re.compile(rf"[{L}]+")
_LOWER_UPPER = re.compile(r"[a-z]\d*[A-Z]")


class Ground:
    """What some texts support, prepared once for many parts, in time and memory linear in the texts.

    Checking a part is linear in it, but for one search of the texts for each piece of code and quotation.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        text = "\n\n".join(map(_plain, sources))
        words = set(_LETTERS.findall(text))
        self._code, self._said = _row(text), _said(text)
        self._words = {_fold(word) for word in words}
        self._lower = {_fold(word) for word in words if word[0].islower()}
        self._sorted = sorted(self._words)
        self._units = {unit for _, made_of in units(text) for unit in made_of}
        self._values = supported(text)

    def missing(self, part: str) -> list[str]:
        """Each claim of the part that the texts do not support, in order, as it reads without marks around it."""
        lines = [_FORMULA.sub(_unwrapped, _LABEL.sub("", line)) for line in _plain(part).split("\n")]
        german = _is_german(part)
        return [claim for line in lines for claim in self._missing_in(line, german)]

    def _missing_in(self, line: str, german: bool) -> Iterator[str]:
        capitals_tell = german or not self._is_heading(line)
        for found in _CLAIM.finditer(line):
            match found.lastgroup:
                case "number":
                    yield from self._missing_amounts(found)
                case "word":
                    if not self._knows(found, german, capitals_tell):
                        yield found["word"]
                case "quote" | "single" as kind:
                    if not all(_said(piece.strip(" .,;:!?。")) in self._said for piece in found[kind].split("...")):
                        yield found[kind].strip()
                case kind:
                    if _row(found[kind or 0]) not in self._code:
                        yield found[kind or 0].strip()

    def _missing_amounts(self, found: re.Match[str]) -> Iterator[str]:
        number = found["number"].removesuffix(found["after"])
        before = found["before"] or ""
        yield from self._missing_units(before)
        if not is_vague(found) and not any(reading <= self._values for reading in read(found)):
            yield number.replace(before, "").strip()
        yield from self._missing_units(found["after"])

    def _missing_units(self, text: str) -> Iterator[str]:
        return (unit for unit, made_of in units(text) if not self._units.issuperset(made_of))

    def _knows(self, found: re.Match[str], german: bool, capitals_tell: bool) -> bool:
        """Whether a word is no claim, or one that occurs."""
        word, line = found["word"].strip("_"), found.string
        if not word:
            return True
        if "_" in word or (word[0].islower() and _LOWER_UPPER.search(word)):
            return _row(word) in self._code
        if not word.isalpha():
            return _said(word) in self._said
        if not word[0].isupper() or _fold(word) in _COMMON or self._occurs(_fold(word), german):
            return True
        if len(word) > 2 and any(units(word)):
            return True
        if word.isupper():
            return line.isupper() or line.startswith("'", found.end())
        begins = _BEGINS.search(line, max(0, found.start() - 16), found.start())
        if not capitals_tell or (begins and not line.startswith("'s", found.end())):
            return True
        return german and bool(
            _NOUN.search(_fold(word)) or _DETERMINED.search(line, max(0, found.start() - 24), found.start())
        )

    def _occurs(self, word: str, german: bool) -> bool:
        """Whether a folded word occurs, with an ending more or less; a German one also as a piece of a compound."""
        endings = _ENDINGS[german]
        if word in self._words or any(word + ending in self._words for ending in endings if len(word) > 2):
            return True
        stems = (word.removesuffix(ending) for ending in endings)
        if any(len(stem) > 2 and stem in self._words for stem in stems):
            return True
        return german and len(word) > 6 and self._occurs_in_a_compound(word)

    def _occurs_in_a_compound(self, word: str) -> bool:
        stem = word[: max(4, len(word) - 4)]
        at = bisect_left(self._sorted, stem)
        begun = at < len(self._sorted) and self._sorted[at].startswith(stem)
        return begun or any(
            word[:cut] in self._words or word[-cut:] in self._words for cut in range(5, min(40, len(word)))
        )

    def _is_heading(self, line: str) -> bool:
        """Whether the line is a heading whose capitals include a common word's."""
        words = _LETTERS.findall(line)
        return (
            len(words) <= LONGEST_HEADING
            and not line.rstrip(" *").endswith((".", "!", "?", "。"))
            and any(word[0].isupper() and self._is_common(_fold(word)) for word in words[1:] if len(word) > 1)
        )

    def _is_common(self, word: str) -> bool:
        return word in self._lower or word in _COMMON or bool(_ABSTRACT.search(word))


def ungrounded(part: str, sources: Sequence[str]) -> list[str]:
    """Each claim of the part that no source supports, in order; none if it is grounded."""
    return Ground(sources).missing(part)


def _plain(text: str) -> str:
    """The text with one form for what has many: widths, digits, quotation marks, dashes, powers, fractions, LaTeX."""
    for pattern, replacement in _SQUEEZED:
        text = pattern.sub(replacement, text)
    text = unicodedata.normalize("NFKC", text).translate(_MARKS)
    text = re.sub(r"(?![0-9])\d", lambda digit: str(unicodedata.digit(digit[0])), text)
    for pattern, replacement in _REWRITTEN:
        text = pattern.sub(replacement, text)
    return text


def _unwrapped(formula: re.Match[str]) -> str:
    """A formula without its dollar signs, which are no currency."""
    inside = formula[1]
    return inside if " " not in inside or any(sign in inside for sign in "\\=^{}<>+*") else formula[0]


def _row(text: str, dropped: str = "`$") -> str:
    """The tokens of a text as one string, in which a row of them can be sought."""
    return "\n".join(["", *(token for token in _TOKEN.findall(text) if token not in dropped), ""])


def _said(text: str) -> str:
    return _row(text.casefold(), "`*_$\"'")


def _fold(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", word.casefold()) if not unicodedata.combining(char))


def _is_german(text: str) -> bool:
    words = _LETTERS.findall(text.casefold())
    return sum(word in _GERMAN for word in words) > sum(word in _ENGLISH for word in words)

"""The grounding check: find the claims of a summary that its sources do not support.

A claim is a number, the unit of a number, code, an identifier, a quotation or a name; numbers are compared as values.
The check looks only for the presence of a claim. It does not judge arithmetic, conversions, dates or negation, nor
which number belongs to which unit or name. It finds no names at the beginning of a sentence in a script with capitals,
in a Heading Of Capitals or in another script, and takes a German noun after an article or adjective for a common noun.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence

from gateway.summaries.evidence import WORD, Evidence, fold, folded_tokens, plain, token_string
from gateway.summaries.quantities import AMOUNT, CJK_DIGITS, is_vague, read
from gateway.summaries.units import LETTERS, units

LONGEST_HEADING = 8
"""Maximum number of words of a heading. In a heading with a capitalized common word, capitals do not mark names."""

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
_WITHOUT_CAPITALS = re.compile("\\s?[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
"""Text in a script without capitals, behind a word."""
_LETTERS = frozenset("ABCDEFGHJKLMNPQRSTUVWXZ")

_W = rf"{LETTERS}\d"
_ARGUMENT = r"[^()\n\u2e80-\uffff]"
_CODE_LIKE = "|".join(
    (
        rf"(?<![{_W}])[A-Za-z]++://[^\s<>)\"]+",
        # A path: from a root, or with an extension; km/h and and/or are none.
        rf"(?<![{_W}./~-])(?=[~.]{{0,2}}/[\w.-]+/|~/|\.{{1,2}}/|[{_W}./-]*\.[A-Za-z]{{1,5}}\b)[{_W}.~-]*+(?:/[{_W}.-]*[{_W}-])+",
        # A call; element(s) is none.
        rf"(?<![{_W}.])(?![{LETTERS}]{{3,}}\((?:e?s|en|nen|in)\))[{LETTERS}][{_W}.]*+\((?:{_ARGUMENT}|\({_ARGUMENT}*\)){{0,200}}+\)",
        # A dotted name; e.g is none.
        rf"(?<![{_W}.])(?!(?:[{LETTERS}]\.)+[{LETTERS}]?(?![{_W}]))[{LETTERS}][{_W}]*+(?:\.[{LETTERS}][{_W}]*+)+",
        r"0[xXbB][0-9a-fA-F]+",
    )
)
_CLAIM = re.compile(
    r"(?<!`)(?P<ticks>`++)(?P<code>[^`]+)(?P=ticks)(?!`)"
    rf"|(?<![{_W}])\"(?P<quote>[^\"]+)\"(?![{_W}])|(?<![{_W}'])'(?P<single>[^']+)'(?![{_W}])"
    rf"|(?P<exact>{_CODE_LIKE})|(?P<number>{AMOUNT})|(?<![{_W}\\])(?P<word>[{LETTERS}][{_W}]*)"
)
_LABEL = re.compile(
    r"^[#>*•\-\s]*+(?:(?i:step|part|schritt|teil|paso|parte|étape|partie|步骤)\s?\d{1,3}(?:[:.)]|(?=\W*$|\W{2}))"
    rf"|\d{{1,3}}(?:\.\d{{1,2}})*[.):、](?=[*\s]|$|[^\x00-\x7f])|第?[{CJK_DIGITS}]{{1,3}}[步点]?[、:.](?!\d))"
)
_FORMULA = re.compile(r"\$(?! )([^$]+)(?<! )\$(?!\d)")
_LOWER_UPPER = re.compile(r"[a-z]\d*[A-Z]")


class EvidenceIndex:
    """The check of many sentences against the same sources.

    What a sentence claims first of a kind has the sources indexed for that kind: most sentences claim few. A check is
    linear in the text checked, plus one search of the sources for each piece of code and each quotation.
    """

    def __init__(self, sources: Sequence[str]) -> None:
        self._evidence = Evidence(sources)

    def unsupported_claims(self, part: str) -> list[str]:
        """Return the claims of `part` that the sources do not support, in order, without quotation marks."""
        lines = [_FORMULA.sub(_unwrapped, _LABEL.sub("", line)) for line in plain(part).split("\n")]
        german = _is_german(part)
        return [claim for line in lines for claim in self._unsupported_in(line, german)]

    def _unsupported_in(self, line: str, german: bool) -> Iterator[str]:
        capitals_tell = german or not self._is_heading(line)
        for found in _CLAIM.finditer(line):
            match found.lastgroup:
                case "number":
                    yield from self._unsupported_amounts(found)
                case "word":
                    if not self._is_supported_word(found, german, capitals_tell):
                        yield found["word"]
                case "quote" | "single" as kind:
                    pieces = (folded_tokens(piece.strip(" .,;:!?。")) for piece in found[kind].split("..."))
                    if not all(piece in self._evidence.quotable for piece in pieces):
                        yield found[kind].strip()
                case kind:
                    if token_string(found[kind or 0]) not in self._evidence.code:
                        yield found[kind or 0].strip()

    def _unsupported_amounts(self, found: re.Match[str]) -> Iterator[str]:
        number = found["number"].removesuffix(found["after"])
        before = found["before"] or ""
        yield from self._unsupported_units(before)
        if not is_vague(found) and not any(reading <= self._evidence.values for reading in read(found)):
            yield number.replace(before, "").strip()
        yield from self._unsupported_units(found["after"])

    def _unsupported_units(self, text: str) -> Iterator[str]:
        return (unit for unit, made_of in units(text) if not self._evidence.unit_parts.issuperset(made_of))

    def _is_supported_word(self, found: re.Match[str], german: bool, capitals_tell: bool) -> bool:
        """Return True if a word is no claim, or is a claim that occurs in the sources."""
        word, line = found["word"].strip("_"), found.string
        if not word:
            return True
        if "_" in word or (word[0].islower() and _LOWER_UPPER.search(word)):
            return token_string(word) in self._evidence.code
        if not word.isalpha():
            return folded_tokens(word) in self._evidence.quotable
        begins = _begins_a_sentence(found)
        if _is_letter(found) and capitals_tell and not begins:
            return word in self._evidence.letters
        if not word[0].isupper() or fold(word) in _COMMON or self._occurs(fold(word), german):
            return True
        if len(word) > 2 and any(units(word)):
            return True
        if word.isupper():
            return line.isupper() or line.startswith("'", found.end())
        if not capitals_tell or (begins and not line.startswith("'s", found.end())):
            return True
        return german and bool(
            _NOUN.search(fold(word)) or _DETERMINED.search(line, max(0, found.start() - 24), found.start())
        )

    def _occurs(self, word: str, german: bool) -> bool:
        """Look up a folded word, with or without an ending; a German word also as a piece of a compound."""
        endings = _ENDINGS[german]
        if word in self._evidence.words or any(
            word + ending in self._evidence.words for ending in endings if len(word) > 2
        ):
            return True
        stems = (word.removesuffix(ending) for ending in endings)
        if any(len(stem) > 2 and stem in self._evidence.words for stem in stems):
            return True
        return german and len(word) > 6 and self._occurs_in_a_compound(word)

    def _occurs_in_a_compound(self, word: str) -> bool:
        stem = word[: max(4, len(word) - 4)]
        at = bisect_left(self._evidence.words_in_order, stem)
        begun = at < len(self._evidence.words_in_order) and self._evidence.words_in_order[at].startswith(stem)
        return begun or any(
            word[:cut] in self._evidence.words or word[-cut:] in self._evidence.words
            for cut in range(5, min(40, len(word)))
        )

    def _is_heading(self, line: str) -> bool:
        """Return True if the line is a heading in which a common word has a capital."""
        words = WORD.findall(line)
        return (
            len(words) <= LONGEST_HEADING
            and not line.rstrip(" *").endswith((".", "!", "?", "。"))
            and any(word[0].isupper() and self._is_common(fold(word)) for word in words[1:] if len(word) > 1)
        )

    def _is_common(self, word: str) -> bool:
        return word in self._evidence.lower or word in _COMMON or bool(_ABSTRACT.search(word))


def unsupported_claims(part: str, sources: Sequence[str]) -> list[str]:
    """Return the claims of `part` that no source supports, in order; an empty list if it is grounded."""
    return EvidenceIndex(sources).unsupported_claims(part)


def _unwrapped(formula: re.Match[str]) -> str:
    """Remove the dollar signs around a formula, so that they are not read as a currency."""
    inside = formula[1]
    return inside if " " not in inside or any(sign in inside for sign in "\\=^{}<>+*") else formula[0]


def _begins_a_sentence(word: re.Match[str]) -> bool:
    """Return True if a word may have its capital from the beginning of a sentence, whose script has capitals."""
    begins = _BEGINS.search(word.string, max(0, word.start() - 16), word.start())
    return bool(begins) and not _WITHOUT_CAPITALS.match(word.string, word.end())


def _is_letter(word: re.Match[str]) -> bool:
    """Return True for a letter that names something, such as an option: not "I", and none before a hyphen."""
    return word[0] in _LETTERS and not word.string.startswith(("-", "'"), word.end())


def _is_german(text: str) -> bool:
    words = WORD.findall(text.casefold())
    return sum(word in _GERMAN for word in words) > sum(word in _ENGLISH for word in words)

"""The units of a step that may stand in an extract: its headings, and its sentences made plain and whole.

Openings that say nothing are dropped, lists are joined to a sentence, code is left out and counted.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.summaries.code import code_blocks
from gateway.summaries.extracts.lexicon import Lexicon
from gateway.summaries.extracts.plain import DEBRIS, is_code, plain
from gateway.summaries.sentences import CLOSERS, STOPS, is_whole, sentences

LONGEST = 260
"""Maximum length in characters of a sentence of an extract."""
LONGEST_ITEM = 110
"""Maximum length in characters of a list item that is joined with others."""
_HEADING = "\x01"
_HEADINGS = re.compile(
    r"^[ \t>]*(?:#{1,6}[ \t]+(?P<hash>[^\n]{1,160})"
    r"|(?:[-*•+][ \t]+|\d{1,2}[.)][ \t]+)?(?:\*\*|__)(?P<bold>[^*_\n]{2,100}?)[:：]?(?:\*\*|__)(?P<colon>[:：]?)(?=["
    r" \t]|$))[ \t]*",
    re.MULTILINE,
)
_LABEL = re.compile(
    r"[ \t>]*(?:[-*•+–—▪◦→]+[ \t]*|\(?(?:\d{1,3}|[A-Za-z]|[ivx]{1,4})[.)](?=\s)[ \t]*|\[[ xX]\][ \t]*|[①-⑳])"
)
_OPENINGS, _CLOSINGS = "([{（【“「『《", ")]}）】”」』》"
_JAPANESE_OR_CHINESE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_CLAUSE = re.compile(
    r"[;；。]\s*|\s[—–]\s|,\s+(?=(?:but|so|which|because|and|aber|weil|und|pero|porque|mais|car)\s)|，"
)
_PLAIN_WORD = re.compile(r"(?:a|[^\W\d_A-Z]{2,})(?=[\s,;:'’.?!]|$)")
_ASIDE = re.compile(r"[(（]([^()（）]+)[)）][.。]?")
_QUOTES = "\"'”’」』）)] "
_EDGES = " \t\n,;:：；，、-–—*_>#•·|→=\"'"


@dataclass(slots=True)
class Units:
    """The content of a step, in order.

    headings, introductions     of their own lines, the latter short and with a colon behind them
    sentences                   plain and whole
    code                        the language of each block and its lines; those that nobody has fenced are the last
    """

    headings: list[str] = field(default_factory=list)
    introductions: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)
    code: list[tuple[str, list[str]]] = field(default_factory=list)


def units_of(text: str, lexicon: Lexicon) -> Units:
    """Return the units of a step."""
    units = Units(code=code_blocks(text))
    marked = _HEADINGS.sub(lambda found: f"\n{_HEADING}{found['hash'] or found['bold']}\n", text)
    prose: list[str] = []
    items: list[str] = []
    unfenced: list[str] = []
    for line in [*plain(marked).split("\n"), ""]:
        if line.startswith(_HEADING):
            units.headings.append(line[1:].strip(_EDGES + "."))
            prose.append("")
        elif is_code(line):
            unfenced.append(line)
            prose.append("")
        elif label := _LABEL.match(line):
            items.append(line[label.end() :].strip())
            continue
        else:
            if items and line.strip():
                prose += _joined(prose, items)
                items = []
            prose.append(line)
            if len(line) < LONGEST_ITEM and line.rstrip().endswith((":", "：")):
                units.introductions.append(without_filler(line.strip(_EDGES), lexicon))
    prose += _joined(prose, items)
    if unfenced:
        units.code.append(("", unfenced))
    for sentence in sentences("\n".join(prose)):
        units.sentences += whole(sentence, lexicon)
    return units


def whole(sentence: str, lexicon: Lexicon) -> Iterator[str]:
    """Yield the sentence without what says nothing before it, ended and not too long; nothing if that cannot be."""
    sentence = sentence.strip(" \t>*_|→=•·-–—")
    if aside := _ASIDE.fullmatch(sentence):
        sentence = aside[1]
    sentence = without_filler(sentence, lexicon)
    if len(sentence) > LONGEST:
        sentence = _first_clauses(sentence)
    if (
        not sentence
        or sentence.rstrip(_QUOTES).endswith((":", "：", ",", "，", "…", "..", "、"))
        or not is_balanced(sentence)
        or DEBRIS.search(sentence)
    ):
        return
    if not is_whole(sentence):
        sentence = sentence.rstrip(_EDGES.replace('"', ""))
        sentence += "。" if _JAPANESE_OR_CHINESE.search(sentence[-8:]) else "."
    yield sentence


def without_filler(sentence: str, lexicon: Lexicon) -> str:
    """Return the sentence without openings that say nothing, its first letter a capital."""
    for _ in range(6):
        found = lexicon.filler.match(sentence)
        if not found or not found[0]:
            break
        sentence = sentence[found.end() :].lstrip(_EDGES + ".!?。！？…")
    sentence = sentence.lstrip(" \t,;:：；，、.。!?！？…-–—*")
    return sentence[:1].upper() + sentence[1:] if _PLAIN_WORD.match(sentence) else sentence


def is_balanced(text: str) -> bool:
    """Return True if brackets and quotation marks are closed."""
    pairs = all(text.count(one) == text.count(other) for one, other in zip(_OPENINGS, _CLOSINGS, strict=True))
    return pairs and text.count('"') % 2 == 0


def _joined(prose: list[str], items: list[str]) -> list[str]:
    """Join list items with the line that introduces them, if that makes a sentence, or return them as lines."""
    if not items:
        return []
    last = next((n for n in range(len(prose) - 1, max(-1, len(prose) - 4), -1) if prose[n].strip()), None)
    bare = [
        item.rstrip(STOPS + CLOSERS.replace("\\", "") + ",;") if len(item) < LONGEST_ITEM else item
        for item in items
        if item
    ]
    if (
        last is not None
        and prose[last].rstrip().endswith((":", "："))
        and all(len(item) < LONGEST_ITEM for item in bare)
    ):
        line = f"{prose[last].rstrip()} {'; '.join(bare)}"
        if len(line.rpartition(". ")[2]) < LONGEST:
            prose[last] = ""
            return ["", line + ".", ""]
    return ["", *(line for item in items for line in (item, "")), ""]


def _first_clauses(sentence: str) -> str:
    """Return as many first clauses of a sentence as make a short one, or ""."""
    ends = [found.start() for found in _CLAUSE.finditer(sentence, 40, LONGEST)]
    return sentence[: ends[-1]] if ends else ""

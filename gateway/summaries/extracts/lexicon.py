"""The words by which extracts tell self-talk, findings and doubts in one language, and the patterns made of them."""

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Lexicon:
    """The words of one language, as alternatives of patterns except `stops`.

    stops       function words: they neither tell what a text is about, nor may a title end in one
    fillers     openings that say nothing, before a sentence or alone
    pauses      those that say nothing before a comma or another sign, but something before a word: "no", "second"
    talk        beginnings of sentences about the thinking itself
    intents     openings of a plan, followed by what is planned; with `behind`, they follow it
    found       signs that something is decided, found or ruled out
    hedges      signs that it only may be so
    doubts      other signs that it is not
    condition   a pattern of how sentences with a condition begin
    subordinate words that begin a clause which does not stand by itself
    verbs       forms of frequent verbs that make a clause of words
    cut         words before which a clause may end
    phrase      a noun phrase of several nouns behind its article, as a group
    """

    stops: str
    fillers: str
    talk: str
    pauses: str = "(?!)"
    intents: str = ""
    found: str = ""
    hedges: str = ""
    doubts: str = ""
    condition: str = "(?!)"
    subordinate: str = ""
    verbs: str = ""
    cut: str = ""
    phrase: str = ""
    spaced: bool = True

    @cached_property
    def function_words(self) -> frozenset[str]:
        return frozenset(self.stops.split())

    @cached_property
    def filler(self) -> re.Pattern[str]:
        border = r"(?![\w'’])" if self.spaced else ""
        pause = r"(?=\s*(?:[,，、:：.…!！。;；—–]|$)|\s+-)"
        opening = rf"(?:{self.fillers}){border}|(?:{self.pauses}){pause}"
        return re.compile(rf"(?:{opening})[\s,，、:：.…!！;；—–-]*", re.IGNORECASE)

    @cached_property
    def self_talk(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{self.talk})" + (r"(?![\w'’])" if self.spaced else ""), re.IGNORECASE)

    @cached_property
    def intent(self) -> re.Pattern[str]:
        return _pattern(self.intents, self.spaced, anchored=True)

    @cached_property
    def finding(self) -> re.Pattern[str]:
        return _pattern(self.found, self.spaced)

    @cached_property
    def hedge(self) -> re.Pattern[str]:
        return _pattern(self.hedges, self.spaced)

    @cached_property
    def doubt(self) -> re.Pattern[str]:
        return _pattern("|".join(filter(None, (self.hedges, self.doubts))), self.spaced)

    @cached_property
    def premise(self) -> re.Pattern[str]:
        """The condition at the beginning of a sentence, as a group, up to its comma."""
        return re.compile(rf"\W*{self.condition}([^,，、;；]{{1,200}}[,，、])", re.IGNORECASE)

    @cached_property
    def dependent(self) -> re.Pattern[str]:
        return _pattern(self.subordinate, self.spaced, anchored=True)

    @cached_property
    def verb(self) -> re.Pattern[str]:
        return _pattern(self.verbs, self.spaced)

    @cached_property
    def noun_phrase(self) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w){self.phrase}") if self.phrase else re.compile(r"(?!)")

    @cached_property
    def border(self) -> re.Pattern[str]:
        """The end of a clause."""
        words = rf"|\s(?=(?:{self.cut})\s)" if self.cut else ""
        return re.compile(rf"\s*[;:：；—–]\s*|,\s+|[，、]|\s[-(（→⇒]\s?|\s*[（(]{words}", re.IGNORECASE)


def _pattern(words: str, spaced: bool, anchored: bool = False) -> re.Pattern[str]:
    if not words:
        return re.compile(r"(?!)")
    before = "" if anchored or not spaced else r"(?<![\w'’])"
    return re.compile(rf"{before}(?:{words})" + (r"(?![\w'’])" if spaced else ""), re.IGNORECASE)

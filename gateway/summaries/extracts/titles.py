"""Titles made from a text: a heading of its own, what is planned in it, a short clause or a noun phrase, each whole.

A candidate is refused if it does not stand by itself: hanging words at its ends, marks that are open, words alone that
tell nothing.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from gateway.summaries.extracts.english import NOT_VERBS, gerund, noun_phrases, words
from gateway.summaries.extracts.lexicon import Lexicon
from gateway.summaries.extracts.plain import DEBRIS
from gateway.summaries.extracts.units import Units, is_balanced, without_filler
from gateway.summaries.extracts.words import en
from gateway.summaries.sentences import CLOSERS, STOPS

MAX_WORDS, MIN_CHARACTERS, MAX_CHARACTERS = 8, 4, 70
MAX_UNSPACED, MIN_UNSPACED = 24, 4
"""Bounds in characters for scripts without spaces."""


_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_GENERIC = words(
    "answer step steps note problem question thing things way ways case cases part parts way point example user output"
    " response final"
    " summary conclusion analysis reasoning approach solution result check problem thought thoughts process here first"
    " second third next last"
    " information details something anything everything everyone someone let see think know say go start figure try"
    " make get do look"
    " consider need want carefully again better really correctly properly systematically prompt request title text"
    " sentence word words options option"
)
_OPEN = re.compile(r"[:：;；]\s|[=_<>{}]|\w\(")
"""Signs in a sentence of a clause that goes on, or of code."""
_AFTER = re.compile(
    r"(?:when|after|since|because|as|given|at|in|by|for|once|weil|da|nachdem|cuando|como|porque|quand|comme"
    r"|puisque)\b[^,;]*,\s+([^,;]+)$",
    re.IGNORECASE,
)
"""A sentence whose clause behind the comma is its main one, and is not on a condition."""
_TRANSITIVE = words(
    "asking ask asks say says said saying know knows tell tells observe ensure ensures show shows find finds get gets"
    " make makes give"
    " gives take takes use uses mean means need needs want wants see sees think thinks wonder consider considers"
    " determine figure seem"
    " seems become becomes include includes contain contains require requires imply implies suggest suggests state"
    " states claim claims"
    " provide provides try trying going regarding including involving described called named mentioned mentions"
    " describes proceed equals"
    " allow allows cause causes create creates follow give given look looks mainly maybe usually actually really"
    " likely"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A title, and how good titles made in its way are."""

    text: str
    worth: float


def candidates(units: Units, sentences: Sequence[str], lexicon: Lexicon, tag: str) -> Iterator[Candidate]:
    """Yield titles that stand by themselves; of the sentences, those of the later ones last."""
    for heading in units.headings:
        yield from _checked(_unnumbered(heading), lexicon, 3.0)
    for introduction in units.introductions:
        yield from _checked(_plan(introduction, lexicon, tag) or _unnumbered(introduction), lexicon, 1.0)
    for sentence in sentences:
        bare = sentence.rstrip(STOPS + CLOSERS.replace("\\", ""))
        if sentence.rstrip("\"'”」』)）").endswith(("?", "？", "؟")):
            continue
        doubtful = 0.5 * bool(lexicon.doubt.search(bare))
        if plan := _plan(bare, lexicon, tag):
            yield from _checked(plan, lexicon, 1.6 - doubtful)
        yield from _clauses(bare, lexicon, doubtful)
        if tag == "en":
            yield from (one for phrase in noun_phrases(bare, lexicon) for one in _checked(phrase, lexicon, 0.5))
        for found in lexicon.noun_phrase.finditer(bare):
            yield from _checked(found[1], lexicon, 0.5)


def is_whole_title(title: str, lexicon: Lexicon) -> bool:
    """Return True if the title stands by itself."""
    if not lexicon.spaced and not _UNSPACED.search(title):
        lexicon = en.WORDS
    if not is_balanced(title) or DEBRIS.search(title) or title.endswith(("…", "...", "=", "+", "-", "/")):
        return False
    found = _WORD.findall(title)
    if not found or title.count("=") > 1:
        return False
    if _UNSPACED.search(title):
        length = len(title)
        return MIN_UNSPACED <= length <= MAX_UNSPACED and not lexicon.dependent.match(title) and _ends_well(title)
    if not 2 <= len(title.split()) <= MAX_WORDS or not MIN_CHARACTERS <= len(title) <= MAX_CHARACTERS:
        return False
    lower = [word.lower() for word in found]
    content = [
        word for word in lower if word not in lexicon.function_words and word not in _GENERIC and not word.isdigit()
    ]
    if not content or lexicon.dependent.match(title) or lexicon.self_talk.match(title):
        return False
    if ("either" in lower and "or" not in lower) or ("between" in lower and "and" not in lower):
        return False
    if lower[-1] in _TRANSITIVE or title.count(",") > 1 or len(lower) < 2:
        return False
    return lower[-1] not in lexicon.function_words or (len(found[-1]) == 1 and found[-1].isupper())


def shortened(title: str, lexicon: Lexicon) -> str:
    """Return the title cut before its last clause or phrase so that it is short and whole, or ""."""
    title = title.strip(' \t*#>_"“”|-–—:：,，;；.。')
    if _fits(title):
        return title
    for border in reversed(list(lexicon.border.finditer(title))):
        if _fits(head := title[: border.start()].rstrip()):
            return head
    return ""


def _fits(title: str) -> bool:
    if _UNSPACED.search(title):
        return len(title) <= MAX_UNSPACED
    return len(title.split()) <= MAX_WORDS and len(title) <= MAX_CHARACTERS


def _checked(text: str, lexicon: Lexicon, worth: float) -> Iterator[Candidate]:
    title = shortened(text, lexicon)
    if title and (worth > 2 or not _OPEN.search(title)) and is_whole_title(title, lexicon):
        yield Candidate(title[:1].upper() + title[1:], worth - 0.6 * (len(title) < len(text) - 2))


def _unnumbered(heading: str) -> str:
    heading = re.sub(
        r"^(?:(?:step|part|schritt|teil|paso|étape|option|case|section) )?\(?(?:\d{1,3}|[ivxIVX]{1,4}"
        r"|[A-H])[.):：、-]+\s*",
        "",
        heading,
        flags=re.I,
    )
    heading = re.sub(r"^(?:step|part|schritt|paso|étape) \d+\b[\s:：.-]*", "", heading, flags=re.I)
    return heading.strip(" :：")


def _plan(sentence: str, lexicon: Lexicon, tag: str) -> str:
    """Return what the sentence says will be done, as a phrase; "" if it is no plan."""
    found = lexicon.intent.match(sentence)
    if not found or not found[0]:
        return ""
    rest = sentence[found.end() :].lstrip(" ,，:：")
    if tag != "en":
        return "" if not lexicon.spaced and len(rest) < MIN_UNSPACED else rest
    verb, _, behind = rest.removeprefix("try ").partition(" ")
    if not behind or not verb.isalpha() or not verb.islower() or verb in NOT_VERBS or verb in lexicon.function_words:
        return ""
    return f"{gerund(verb)} {behind}"


def _clauses(sentence: str, lexicon: Lexicon, doubtful: float) -> Iterator[Candidate]:
    """Yield the sentence if it is short, and its first clause if that stands by itself."""
    finding = 0.4 * bool(lexicon.finding.search(sentence))
    if not lexicon.spaced:
        pieces = lexicon.border.split(sentence)
        for place, piece in enumerate(pieces):
            piece = without_filler(piece.strip(), lexicon)
            if plan := _plan(piece, lexicon, "zh"):
                yield from _checked(plan, lexicon, 1.3 - doubtful)
            elif not lexicon.doubt.search(piece) and not lexicon.self_talk.match(piece):
                alone = len(pieces) == 1 or (place == len(pieces) - 1)
                yield from _checked(piece, lexicon, (0.9 if alone else 0.4) + finding)
        return
    if doubtful or lexicon.self_talk.match(sentence):
        return
    if lexicon.dependent.match(sentence):
        main = _AFTER.match(sentence)
        if main and _fits(main[1]) and lexicon.verb.search(main[1]) and not lexicon.self_talk.match(main[1]):
            yield from _checked(without_filler(main[1], lexicon), lexicon, 0.8 + finding)
        return
    if _fits(sentence) and lexicon.verb.search(sentence):
        yield from _checked(sentence, lexicon, 1.3 + finding)
        return
    for border in lexicon.border.finditer(sentence):
        head = sentence[: border.start()].rstrip()
        if not _fits(head):
            return
        verbs = list(lexicon.verb.finditer(head))
        if len(head.split()) >= 4 and verbs and verbs[-1].end() < len(head) - 3:
            yield from _checked(head, lexicon, 0.9 + finding)
            return


_JA_CUT = re.compile(
    r"(?:[はがをにでともへのや]|から|まで|より|ので|けど|たら|れば|など|という|って|て|り|ば|し|、|な)$"
)
_ZH_CUT = re.compile(
    r"(?:[的了是在和与或及对把被为以从到等中里上下前后时将向就也都并而且但若如这那其该又再还会能要可之有]|因为|所以"
    r"|如果|例如|比如|包括|以及|通过|使用|需要|可能|可以|应该|来说|的话|时候|之后|之前|以下|如下|方面|是否)$"
)


def _ends_well(title: str) -> bool:
    ending = _JA_CUT if re.search("[\u3040-\u30ff]", title) else _ZH_CUT
    return not ending.search(title)


Score = Callable[[str], float]
"""A measure of how much a text tells: from 0 to about 1."""


def best(found: Iterator[Candidate], score: Score, taken: Callable[[str], bool]) -> str:
    """Return the candidate that is worth most and most telling, "" without any; those `taken` are passed over."""
    rated = [
        (one.worth + 1.6 * score(one.text), -place, one.text) for place, one in enumerate(found) if not taken(one.text)
    ]
    return max(rated)[2] if rated else ""

"""Measures of how the parts of a summary read: small functions, so that anyone may argue with each.

They share no words and no code with the gateway's extracts, except the borders of sentences.

title      a noun phrase or a short clause that stands by itself: not cut inside a clause, nothing left hanging
plain      the title is one of the gateway's plain descriptions of a move ("Checking the result"), right of any step
filler     the part says that somebody thinks, not what ("Wait, hold on.", "Let me check.")
debris     markup, LaTeX or code is left
cut        the text, or a sentence of it, does not end
repeated   a sentence has been said in an earlier part, or the title in the one before
"""

import re
from collections.abc import Iterator, Sequence

from gateway.summaries.extracts.moves import is_move_title
from gateway.summaries.sentences import is_whole, sentences

MEASURES = ("title", "plain", "filler", "debris", "cut", "repeated")
MAX_WORDS, MAX_UNSPACED = 8, 24
_UNSPACED = re.compile("[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_BEGINS_HANGING = re.compile(
    r"(?:and|but|or|nor|so|because|since|if|when|while|although|though|unless|until|whether|that|which|who|whose|as"
    r"|than|then|with|for"
    r"|from|of|to|it|it's|they|he|she|und|oder|aber|weil|dass|wenn|da|denn|y|o|pero|porque|que|si|cuando|et|ou|mais"
    r"|parce|quand)(?=\s)"
    r"|(?:如果|因为|所以|但是|而且|并且|当|虽然|由于|的|和|或者)|(?:もし|しかし|また|そして|は|が|を|に|で|の)",
    re.IGNORECASE,
)
_ENDS_HANGING = re.compile(
    r"(?:\b(?:(?-i:a)|an|the|of|to|in|on|at|by|for|from|with|about|into|as|than|and|or|but|so|if|because|that|which"
    r"|who|is|are|was|were|be|been|has|have"
    r"|had|can|could|will|would|should|must|may|might|do|does|did|not|my|your|his|her|its|their|our|this|these|those"
    r"|very|more|each|every|asks|asking"
    r"|says|saying|means|der|die|das|den|dem|des|ein|eine|einen|und|oder|zu|mit|für|von|im|in|am|auf|ist|sind|dass"
    r"|wenn|el|la|los|las|un|una|de|del|en|con"
    r"|por|para|que|es|son|le|les|du|des|et|ou|dans|pour|avec|sur|est|sont|qui)|[=+*/<>&-]|[,;:，；：、(\[{（「“‘]"
    r"|(?<=[\u3400-\u9fff])[的和与或及在对把被为以是将]|(?<=[\u3040-\u30ff\u3400-\u9fff])[はがをにでとものへ])$",
    re.IGNORECASE,
)
_ENDS_IN_AND = re.compile(r"\b(?:el|la|los|las|de|del|un|una|que|se)\b.*\s[yoe]$", re.IGNORECASE)
_CLAUSE_GOES_ON = re.compile(r"\s*[^\W_]")
_MAY_FOLLOW = re.compile(
    r"\s+(?:and|but|or|so|because|since|if|when|while|where|which|who|that|whether|although|unless|until|using|given"
    r"|based|before|after|as|with|without|by|for|from|in|on"
    r"|at|to|than|rather|instead|considering|assuming|und|oder|aber|weil|dass|wenn|y|o|pero|porque|que|si|para|con|en"
    r"|por|et|ou|mais|que|pour|avec|dans|of|is|are|was|were|has|have"
    r"|can|cannot|could|will|would|should|must|may|might|does|do|did|isn't|doesn't|can't|won't|then|here|there|again"
    r"|now|about|into|between|through|under|over|like|due|per|via)\b"
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|can|cannot|can't|could|will|won't|would|must|should|does|doesn't|do|don't|did"
    r"|means|gives|needs|takes|equals"
    r"|burns|works|returns|uses|makes|shows)\b",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"(?:(?:but |so |and |oh,? |no,? )*(?:wait|hmm+|hold on)\b|okay\b|ok\b,|oh\b|alright\b|let me (?:see|think|check"
    r"|verify|re|try|just|first|look|go|start|confirm)|let's (?:see|think|check|verify)"
    r"|i need to think|i'm not sure|not sure|i wonder|moment mal|warte\b|hm+\b|mal sehen|espera\b|veamos|a ver\b"
    r"|attends|voyons|等等|嗯|让我(?:想|再|看)|好的|えっと|ええと|うーん|待って|잠깐|음[ ,])"
    r"|^(?:yes|no|right|good|great|done|proceed|go|so|now|then|this is it|that's it|maybe|perhaps)\W*$",
    re.IGNORECASE,
)
_DEBRIS = re.compile(
    r"\\[a-zA-Z()\[\]{}]|\$[^\d\s][^$\n]*\$|\$\$|\*\*|__\w|`|(?:^|\s)#{1,6}\s|[\^_]\{|\|\s?-{2,}|\|[^|\n]*\|[^|\n]*\|"
    r"|</?[a-z][\w-]*/?>|\[[^\]]*\]\([^)]*\)|https?://|&(?:lt|gt|amp|nbsp);|\ufffd|\\n"
)
_WORD = re.compile(r"[^\W_]+")
_BRACKETS = ("()", "[]", "{}", "（）", "【】", "「」", "『』", "“”", "«»", "《》")


def title_is_whole(title: str, step: str = "") -> bool:
    """Return True if the title stands by itself; in `step` it must not be cut out of a clause that goes on."""
    words = title.split()
    if not words or "\n" in title or _DEBRIS.search(title) or not is_closed(title):
        return False
    if _UNSPACED.search(title):
        if not 3 <= len(title) <= MAX_UNSPACED:
            return False
    elif not 1 < len(words) <= MAX_WORDS:
        return False
    if _BEGINS_HANGING.match(title) or _ENDS_HANGING.search(title) or title.endswith(("…", "..")):
        return False
    return not (_ENDS_IN_AND.search(title) or goes_on(title, step))


def goes_on(title: str, step: str) -> bool:
    """Return True if the title is a clause of the step that has not ended where the title ends."""
    if not _VERB.search(title) or _UNSPACED.search(title):
        return False
    folded, found = step.casefold(), False
    at = folded.find(title.casefold())
    while at >= 0:
        behind = step[at + len(title) :][:24]
        if not _CLAUSE_GOES_ON.match(behind) or _MAY_FOLLOW.match(behind):
            return False
        found = True
        at = folded.find(title.casefold(), at + 1)
    return found


def is_closed(text: str) -> bool:
    """Return True if brackets and quotation marks are in pairs."""
    return all(text.count(pair[0]) == text.count(pair[1]) for pair in _BRACKETS) and text.count('"') % 2 == 0


def is_filler(title: str, text: str) -> bool:
    """Return True if the title or a sentence only says that somebody thinks, or opens so."""
    return any(_FILLER.match(piece) for piece in (title, *sentences(text)))


def has_debris(title: str, text: str) -> bool:
    """Return True if markup, LaTeX or code is left."""
    return bool(_DEBRIS.search(title) or _DEBRIS.search(text))


def is_cut(text: str) -> bool:
    """Return True if the text is empty, or does not end as a sentence does."""
    ended = text.rstrip("\"'”’)]）」』】 ")
    return not is_whole(text) or ended.endswith(("…", "...")) or not is_closed(text) or not _WORD.search(text)


def repeats(text: str, said: set[str]) -> bool:
    """Return True if a sentence is in `said`, or stands twice, and add all to it."""
    keys = list(_keys(text))
    repeated = len(set(keys)) < len(keys) or not said.isdisjoint(keys)
    said.update(keys)
    return repeated


def read(parts: Sequence[tuple[str, str, str]]) -> dict[str, int]:
    """Return how many of a summary's parts have each of the `MEASURES`; a part is its step, its title and its text."""
    said: set[str] = set()
    counts = dict.fromkeys(MEASURES, 0)
    before = ""
    for step, title, text in parts:
        counts["title"] += title_is_whole(title, step)
        counts["plain"] += is_move_title(title)
        counts["filler"] += is_filler(title, text)
        counts["debris"] += has_debris(title, text)
        counts["cut"] += is_cut(text)
        counts["repeated"] += repeats(text, said) or title == before
        before = title
    return counts


def _keys(text: str) -> Iterator[str]:
    for sentence in sentences(text):
        yield "".join(_WORD.findall(sentence.casefold())) or sentence

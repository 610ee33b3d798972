"""The title of a part: what a model wrote for one, made a plain phrase, or refused if it is none."""

import re

from gateway.summaries.extracts.plain import plain
from gateway.summaries.prose import WITHOUT_SPACES

MOST_WORDS, MOST_CHARACTERS = 8, 80
"""Maximum length of a title in a script with spaces."""
MOST_UNSPACED = 24
"""Maximum length in characters of a title in a script without spaces between words."""
_UNSPACED = re.compile(f"[{WITHOUT_SPACES}]")
_LABEL = re.compile(
    r"(?:title|titel|titre|título|titolo|heading|summary|заголовок|标题|標題|タイトル|題名|제목|(?:step|part) \d{1,3})"
    r"\s?[:：.)]\s*|\d{1,2}[.)]\s+",
    re.IGNORECASE,
)
_EDGES = " \t\n*_`#>~•–—:：;；,，、.。।"
_PAIRS = {"(": ")", "（": "）", "[": "]", "「": "」", "『": "』", "“": "”", "«": "»", "„": "“", '"': '"', "'": "'"}


def plain_title(written: str) -> str:
    """Return the title as a phrase without marks, or "" if it is too long, or has no word."""
    title = _stripped(" ".join(plain(written).split()))
    if label := _LABEL.match(title):
        title = _stripped(title[label.end() :])
    if not any(char.isalpha() for char in title):
        return ""
    if len(_UNSPACED.findall(title)) * 2 > len(title):
        return title if len(title) <= MOST_UNSPACED else ""
    return title if len(title.split()) <= MOST_WORDS and len(title) <= MOST_CHARACTERS else ""


def _stripped(title: str) -> str:
    """Strip marks from both ends, and a pair of quotation marks or brackets around the whole."""
    title = title.strip(_EDGES)
    if len(title) > 1 and _PAIRS.get(title[0]) == title[-1]:
        return title[1:-1].strip(_EDGES)
    return title

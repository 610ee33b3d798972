"""The prose of a user's turn: what is left of it without code, quotations, addresses and names.

That is what tells the language in which somebody asks. Knows nothing of languages themselves.
"""

import re

from gateway.summaries.code import without_code

SAMPLE_CHARACTERS = 4000
"""Only this many characters are examined: half of them at either end of a longer text."""
SETTLED = 16
"""Fewer letters in the first or the last paragraph say nothing: a greeting, or thanks in advance."""
_LATIN = "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02af\u1e00-\u1eff"
_MARKS = (  # some scripts put them on their letters; Python does not count them among these
    "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u200c\u200d"
)
_OTHER = rf"(?:[^\W\d_{_LATIN}]|[{_MARKS}])"
LATIN_WORD = re.compile(rf"[{_LATIN}\u0300-\u036f]+(?:['’][{_LATIN}]+)*")
OTHER_WORD = re.compile(rf"{_OTHER}+")
WITHOUT_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
"""The scripts without spaces between words, for a pattern's class."""
_UNSPACED = rf"{WITHOUT_SPACES}\uac00-\ud7a3"
UNSPACED = re.compile(f"[{_UNSPACED}]")
"""A character of a script without spaces between words, or of one of syllables."""
_CODE = rf"[^\W{_UNSPACED}]"
"""A character of a word in code. Chinese stands beside such words without a space, and is none of them."""

_LINES = re.compile(
    r"^\s*(?:>.*"  # a quotation in Markdown
    r"|(?:\$|>>>|\.\.\.|#!|//|/\*|\*/|--) .*|(?:@|\+\+\+|---) ?\S.*"  # a shell, a comment, a diff
    r"|at [\w.$<>]+\(.*|File \".*|Traceback .*|\w*(?:Error|Exception|Warning)\b.*|\[?\d{4}-\d\d-\d\d[ T]\d\d:.*"
    r"|(?:import|from|def|class|const|let|var|function|return|public|private|static|#include|package|use) .*[(){};:=].*"
    r"|(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP)\b.*"
    r"|.*[(){}=\[\]<>].*;|.*[{}\\]|.*(?:\)|=>) ?[:{]|[\w.\[\]]+ [-+*/|]?= .*|</?\w.*>)[ \t]*$",
    re.MULTILINE,
)
"""Lines of code, of logs and of quotations that nobody has fenced."""
_INLINE = re.compile(
    r"`[^`\n]*`"
    r"|<(?P<tag>[A-Za-z][\w-]*)[^<>]*>.*?</(?P=tag)>|</?[A-Za-z][^<>\n]*>"
    r"|\w++://\S+|www\.\S+|\S+@\S+\.\w+"
    r"|(?<!\S)[(\[\"']?(?:[~.\w-]*[/\\])+[\w.\\/-]*"
    rf"|(?<!{_CODE})"
    rf"(?:{_CODE}+(?:[._]{_CODE}+)+(?:\(\))?|{_CODE}*[a-z]\d*[A-Z]{_CODE}*|{_CODE}+\(\)|{_CODE}*\d{_CODE}*)"
    rf"|--?{_CODE}(?:{_CODE}|-)+"
    r"|\$\$.*?\$\$|\$[^$\n]+\$|\\[\[(].*?\\[\])]",
    re.DOTALL,
)
"""Code, markup and documents in it, addresses, paths, identifiers, numbers, options and formulas within a line."""
_BEFORE, _BEHIND = rf"(?<![{_LATIN}])", rf"(?![{_LATIN}])"
_QUOTED = re.compile(
    "|".join(
        (
            rf"{_BEFORE}\"[^\"\n]{{1,2000}}\"{_BEHIND}",
            rf"{_BEFORE}'[^'\n]{{2,2000}}(?:'[{_LATIN}][^'\n]*){{0,20}}'{_BEHIND}",
            rf"{_BEFORE}‘[^‘’\n]{{2,2000}}(?:’[{_LATIN}][^‘’\n]*){{0,20}}’{_BEHIND}",
            *(
                f"{opening}[^{opening}{closing}\n]{{1,2000}}[{closing}]"
                for opening, closing in ("“”", ("„", '“”"'), "””", "«»", "»«", "‚‘", "‹›", "「」", "『』", "《》")
            ),
        )
    )
)
_NAME = re.compile(rf"(?<=[a-zß-ÿ{_MARKS}\u0100-\u04ff,][ ])[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n")
_LABEL = r"(?:question|problem|task|exercise|query|prompt|input|instructions?|context|text|user|human)"
_INTRODUCTION = re.compile(rf"\s*(?!{_LABEL}\s*[:：])([^:：]+)[:：](?:\s|$)", re.IGNORECASE)
"""The words before a colon, unless they are the label of a form: that is written in any language."""


def passages_of(turn: str) -> list[str]:
    """Return passages of a turn's prose that may tell its language, the one to be believed first at the front.

    A text to be translated or summarized stands beside the request for it, often in another language: so the words
    before a colon speak for a turn, then the shorter one of the first and the last paragraph, then all of it.
    """
    whole = _prose(turn if len(turn) <= SAMPLE_CHARACTERS else _both_ends(turn))
    paragraphs = [part for part in _PARAGRAPHS.split(whole) if size(part)]
    ends = sorted((paragraphs[0], paragraphs[-1]), key=size) if len(paragraphs) > 1 else []
    ends = [end for end in ends if size(end) >= SETTLED]
    introduction = _INTRODUCTION.match(paragraphs[0]) if paragraphs else None
    first = [introduction[1]] if introduction else []
    return [without_names(passage) if passage not in first else passage for passage in (*first, *ends, whole)]


def size(text: str) -> int:
    """Return the number of letters of a text; an unspaced character counts for three."""
    letters = sum(map(len, LATIN_WORD.findall(text))) + sum(map(len, OTHER_WORD.findall(text)))
    return letters + 2 * len(UNSPACED.findall(text))


def without_names(text: str) -> str:
    """Return the text without the words that are capitalized in the middle of a sentence."""
    return _NAME.sub(lambda found: " " if found.group()[0].isupper() else found.group(), text)


def _both_ends(turn: str) -> str:
    half = SAMPLE_CHARACTERS // 2
    return f"{turn[:half]}\n\n{turn[-half:]}"


def _prose(text: str) -> str:
    text = _LINES.sub(" ", without_code(text))
    text = _QUOTED.sub(" ", _INLINE.sub(" ", text))
    return text.lower() if text.isupper() else text

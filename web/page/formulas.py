"""Formulas of an answer: the rules by which Markdown finds them, and LaTeX as MathML.

Dollars are found by a plugin; models write `\\( … \\)` and `\\[ … \\]` as often. Knows nothing of HTML's safety.
"""

from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from html import escape
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from mdit_py_plugins.dollarmath import dollarmath_plugin

FORMULA_CHARACTERS, FORMULA_LINES = 2000, 60
"""Maximum size of a formula. Longer ones are shown as they are written: the search for an end is bounded."""
CLOSING = {"\\(": "\\)", "\\[": "\\]"}
INLINE, BLOCK = "math_inline", "math_block"


def math_plugin(md: MarkdownIt) -> None:
    """Add formulas to `md`: `$ … $`, `$$ … $$`, `\\( … \\)` and `\\[ … \\]`."""
    dollarmath_plugin(md, allow_labels=False, allow_space=False, allow_digits=False, double_inline=True)
    md.inline.ruler.before("escape", "bracket_math", _bracketed)
    md.block.ruler.before("fence", "bracket_math_block", _bracketed_block, {"alt": ["paragraph"]})
    for name, display in ((INLINE, "inline"), ("math_inline_double", "block"), (BLOCK, "block")):
        md.add_render_rule(name, _renderer(display))


def _renderer(display: str) -> Any:
    def render(_renderer: Any, tokens: Sequence[Any], index: int, _options: Any, _env: Any) -> str:
        return mathml(tokens[index].content.strip(), display)

    return render


@lru_cache(maxsize=256)
def mathml(latex: str, display: str) -> str:
    """Return the formula as MathML, or as code if it is too long or is no LaTeX that the library knows."""
    if len(latex) <= FORMULA_CHARACTERS:
        with suppress(Exception):  # the library has many exceptions, and raises IndexError and RecursionError as well
            return convert(latex, display=display)
    return f"<code>{escape(latex)}</code>"


def _bracketed(state: StateInline, silent: bool) -> bool:
    opening = state.src[state.pos : state.pos + 2]
    if opening not in CLOSING:
        return False
    begin = state.pos + 2
    end = state.src.find(CLOSING[opening], begin, min(state.posMax, begin + FORMULA_CHARACTERS))
    if end <= begin:
        return False
    if not silent:
        token = state.push(INLINE if opening == "\\(" else "math_inline_double", "math", 0)
        token.content = state.src[begin:end]
    state.pos = end + 2
    return True


def _bracketed_block(state: StateBlock, first: int, end: int, silent: bool) -> bool:
    """Take lines from one that begins with `\\[` to one that ends with `\\]`: they may look like lists or headings."""
    if state.is_code_block(first) or not state.src.startswith("\\[", state.bMarks[first] + state.tShift[first]):
        return False
    for line in range(first, min(end, first + FORMULA_LINES)):
        if state.src[state.bMarks[line] : state.eMarks[line]].rstrip().endswith("\\]"):
            break
        if line > first and state.isEmpty(line):
            return False
    else:
        return False
    if not silent:
        token = state.push(BLOCK, "math", 0)
        token.block, token.map = True, [first, line + 1]
        token.content = state.getLines(first, line + 1, state.blkIndent, False).strip()[2:-2]
    state.line = line + 1
    return True

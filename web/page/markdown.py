"""Markdown as safe HTML: what a model has written is hostile until it has been through here.

Raw HTML is text, pictures are links, and what the libraries make is cleaned by an allow list, with no style, no script,
no id and no address but of the web and of mail. Knows nothing of HTTP.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.tasklists import tasklists_plugin

from web.page.formulas import math_plugin
from web.page.highlight import CLASSES, highlighted


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TEXT_TAGS = _words(
    "p br hr h1 h2 h3 h4 h5 h6 blockquote ul ol li pre code span strong em s a table thead tbody tr th td input"
)
MATH_TAGS = _words(
    "math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts"
    " mprescripts mtable mtr mtd mstyle mpadded mphantom menclose merror semantics none"
)
MATH_ATTRIBUTES = _words(
    "accent accentunder columnalign columnlines columnspacing depth display displaystyle fence form height linebreak"
    " linethickness lspace mathsize mathvariant maxsize minsize movablelimits notation rowalign rowlines rowspacing"
    " rspace scriptlevel separator stretchy symmetric voffset width"
)
ALIGNMENTS = {f"text-align:{side}": side for side in ("left", "center", "right")}


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the document as HTML; it begins at `start`, in lines from 0."""

    start: int
    html: str


def blocks(text: str) -> list[Block]:
    """Return the outermost blocks of a document. All that stand before the last one are final if it only grows.

    But for a link whose address is given in a later block.
    """
    env: dict[str, Any] = {}
    tokens = _MARKDOWN.parse(text, env)
    found, first, depth = [], 0, 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth == 0:
            block = tokens[first : index + 1]
            html = _CLEANER.clean(_MARKDOWN.renderer.render(block, _MARKDOWN.options, env))
            found.append(Block(start=(block[0].map or [0])[0], html=html))
            first = index + 1
    return found


def _fence(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    token = tokens[index]
    name = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
    return f"<pre><code>{highlighted(token.content, name)}</code></pre>\n"


def _image(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    """Return a link to the picture: loading it would tell its host of the reader."""
    source, words = str(tokens[index].attrGet("src") or ""), tokens[index].content
    return f'<a href="{escape(source)}">{escape(words or source)}</a>'


def _cell(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """Return the tag of a cell whose alignment is a class, since the page allows no styles."""
    token = tokens[index]
    side = ALIGNMENTS.get(str(token.attrs.pop("style", "")))
    if side:
        token.attrSet("class", side)
    return str(renderer.renderToken(tokens, index, options, env))


def _markdown() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False, "breaks": False}).enable(["table", "strikethrough"])
    math_plugin(md)
    tasklists_plugin(md)
    for name, rule in (
        ("fence", _fence),
        ("code_block", _fence),
        ("image", _image),
        ("th_open", _cell),
        ("td_open", _cell),
    ):
        md.add_render_rule(name, rule)
    return md


_MARKDOWN = _markdown()
_CLEANER = nh3.Cleaner(
    tags=set(TEXT_TAGS | MATH_TAGS),
    attributes={
        "a": {"href"},
        "ol": {"start"},
        "input": {"checked", "disabled"},
        **{tag: set(MATH_ATTRIBUTES) for tag in MATH_TAGS},
    },
    tag_attribute_values={"input": {"type": {"checkbox"}}},
    set_tag_attribute_values={"a": {"target": "_blank"}, "input": {"disabled": ""}},
    allowed_classes={"span": set(CLASSES), **{tag: set(ALIGNMENTS.values()) for tag in ("th", "td")}},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
)

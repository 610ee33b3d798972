"""Markdown as HTML: what people see of it, and that nothing of a hostile text is more than text."""

import re

import pytest

from web.page.highlight import highlighted
from web.page.markdown import Block, blocks

LINK = 'target="_blank" rel="noopener noreferrer nofollow"'


def html(text: str) -> str:
    return "".join(block.html for block in blocks(text)).replace("\n", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>"),
        ("3. a\n4. b", '<ol start="3"><li>a</li><li>b</li></ol>'),
        ("| a |\n|--:|\n| 1 |", '<table><thead><tr><th class="right">a</th></tr></thead><tbody><tr><td class="right">1'
         "</td></tr></tbody></table>"),
        ("- [x] a", '<ul><li><input checked="checked" disabled="" type="checkbox"> a</li></ul>'),
        ("```\na < b\n```", "<pre><code>a &lt; b</code></pre>"),
        ("[a](https://b.example/c)", f'<p><a href="https://b.example/c" {LINK}>a</a></p>'),
        ("![a](https://b.example/c.png)", f'<p><a href="https://b.example/c.png" {LINK}>a</a></p>'),
        ("It costs $5, not $6.", "<p>It costs $5, not $6.</p>"),
    ],
)  # fmt: skip
def test_markdown_is_rendered(text: str, expected: str) -> None:
    assert html(text) == expected


@pytest.mark.parametrize("formula", ["$x^2$", "\\(x^2\\)"])
def test_a_formula_in_a_line_is_mathml(formula: str) -> None:
    math = '<math display="inline"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    assert html(f"So {formula}.") == f"<p>So {math}.</p>"


@pytest.mark.parametrize("formula", ["$$\nx\n- y\n$$", "\\[\nx\n- y\n\\]"])
def test_a_formula_of_several_lines_is_no_list(formula: str) -> None:
    assert html(formula) == '<math display="block"><mrow><mi>x</mi><mo>−</mo><mi>y</mi></mrow></math>'


def test_a_formula_that_is_none_is_shown_as_it_is_written() -> None:
    assert html("\\(\\frac{\\)") == "<p><code>\\frac{</code></p>"
    assert html("\\( a") == "<p>( a</p>"
    assert html("\\[\na\n\nb \\]") == "<p>[a</p><p>b ]</p>"


def test_words_of_code_have_classes() -> None:
    assert highlighted("def f(): # x", "python") == (
        '<span class="k">def</span> <span class="f">f</span>(): <span class="c"># x</span>'
    )
    assert highlighted("<b>", "no-language") == "&lt;b&gt;"


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)>\n\n<math><mtext><style><img src=x onerror=alert(1)>",
        "[a](javascript:alert(1))",
        "[a](data:text/html,<script>alert(1)</script>)",
        "![a](javascript:alert(1))",
        "[a](/v1/models)",
        "[a](//evil.example)",
        "<javascript:alert(1)>",
        '[a](https://b.example/"onmouseover="alert(1))',
        "```html\n<script>alert(1)</script>\n```",
        "```\"><script>\nalert(1)\n```",
        "$\\text{<script>alert(1)</script>}$",
        "$\\href{javascript:alert(1)}{x}$",
        "$<img src=x onerror=alert(1)>$",
        '| a |\n|---|\n| <b style="position:fixed">1</b> |',
        "<style>body{display:none}</style><form id=x><a id=key name=key>",
    ],
)  # fmt: skip
def test_nothing_hostile_is_left(text: str) -> None:
    rendered = html(text)
    tags = re.findall(r"<[^>]*>", rendered)
    names = {tag.strip("</>").split()[0] for tag in tags}
    assert not names & {"script", "style", "img", "svg", "iframe", "form", "object", "embed", "link", "meta", "base"}
    for tag in tags:
        assert re.search(r"\s(on\w+|style|id|name|src|srcset|action)=", tag) is None
        assert re.search(r'href="(?!https?://|mailto:)', tag) is None


def test_the_outermost_blocks_say_where_they_begin() -> None:
    text = "# a\n\nb\nc\n\n> - d\n>\n> e\n\n```\nf\n"
    assert [block.start for block in blocks(text)] == [0, 2, 5, 9]


def test_all_but_the_last_block_stay_while_a_text_grows() -> None:
    text = "# a\n\nb *c*\n\n- d\n- e\n\n  f\n\n| g |\n|---|\n| h |\n\n```py\ni\n\nj\n```\n\n$$\nk\n$$\n\n1. l\n2. m\n"
    whole = blocks(text)
    for end in range(len(text)):
        part = blocks(text[:end])
        assert part[:-1] == whole[: max(len(part) - 1, 0)]


def test_no_text_has_no_blocks() -> None:
    assert blocks("") == []
    assert blocks("a") == [Block(start=0, html="<p>a</p>\n")]

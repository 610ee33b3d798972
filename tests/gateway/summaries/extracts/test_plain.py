"""Markdown and LaTeX made plain."""

import pytest

from gateway.summaries.extracts.plain import DEBRIS, is_code, plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (r"The answer is \(\boxed{25}\).", "The answer is 25."),
        (r"So $\frac{a+b}{2} \times 3^{2} = x_1 + \sqrt{2}$.", "So (a+b)/2 × 3² = x₁ + √2."),
        (r"\left( \frac{1}{\frac{2}{3}} \right) \leq \infty", " ( 1/(2/3) ) ≤ ∞"),
        (r"It is $90^\circ$, $x^{n+1}$, \text{cm}^2 and $\alpha_{i}$", "It is 90°, xⁿ⁺¹, cm² and α_i"),
        ("It costs $5 and $6.50 now, or $7", "It costs $5 and $6.50 now, or $7"),
        ("**Bold**, *so*, `code`, ~~no~~ and __yes__", "Bold, so, code, no and yes"),
        ("3*4*5, a_b_c and 2 * 3", "3*4*5, a_b_c and 2 * 3"),
        ("[A link](http://a.b/c), ![A picture](a.png), https://a.b/c", "A link, A picture, "),
        ("Before\n```python\na = 1\n```\nBehind", "Before\n\nBehind"),
        ("| a | b |\n|---|---|\nHello <b>you</b> &lt; 5", "\n\nHello you < 5"),
    ],
)
def test_markup_and_formulas_are_made_plain(text: str, expected: str) -> None:
    assert plain(text) == expected
    assert not DEBRIS.search(expected)


@pytest.mark.parametrize(
    "line", ["def f(x):", "import os", "x = f(1)", "f(x);", "}", "return {", "if (a) {", "@app", "// no"]
)
def test_code_that_nobody_has_fenced_is_told(line: str) -> None:
    assert is_code(line)


@pytest.mark.parametrize(
    "line", ["From here on it is easy.", "If it is so, then: no", "So x = 5", "Return to start", ""]
)
def test_prose_is_no_code(line: str) -> None:
    assert not is_code(line)

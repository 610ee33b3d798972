import pytest

from gateway.summaries.code import both_ends, code_lines, with_code_as, without_code


@pytest.mark.parametrize(
    ("text", "prose", "lines"),
    [
        ("no code", "no code", []),
        ("a\n```python\nx = 1\n\ny = 2\n```\nb", "a\n\nb", ["x = 1", "y = 2"]),
        ("a\n  ~~~\nx\n  ~~~\nb", "a\n\nb", ["x"]),
        ("Fix ```x = 1``` now", "Fix  now", ["x = 1"]),
        ("Fix this: ```js\nx()```\nnow", "Fix this: \nnow", ["x()"]),
        ("```\nit says ``` within\n```\nb", "\nb", ["it says ``` within"]),
        ("```python\nwithout an end", "", ["without an end"]),
        ("```", "", []),
        ("great~~~ and more~~~", "great~~~ and more~~~", []),
        ("an `x` within a line", "an `x` within a line", []),
    ],
)
def test_code_is_told_from_prose(text: str, prose: str, lines: list[str]) -> None:
    assert (without_code(text), code_lines(text)) == (prose, lines)


def test_code_is_named_by_its_language_and_its_lines() -> None:
    text = "a\n```python\nx = 1\n\ny = 2\n```\nb ```z```\n~~~\nw\n~~~"
    assert with_code_as(lambda language, lines: f"<{language} {lines}>", text) == "a\n<python 3>\nb < 1>\n< 1>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a" * 10, "a" * 10),
        ("a" * 6 + "b" * 6, "a" * 5 + "\n…\n" + "b" * 5),
        ("```x" + "y" * 20 + "```\nz", "```xy\n```\n…\n```\n```\nz"),
        ("a" * 8 + "```" + "b" * 8, "a" * 5 + "\n…\n```\n" + "b" * 5),
        ("```" + "b" * 8 + "```" + "c" * 9, "```bb\n```\n…\n" + "c" * 5),
    ],
)
def test_a_code_block_that_a_cut_divides_is_one_at_either_side(text: str, shown: str) -> None:
    assert both_ends(text, 10) == shown

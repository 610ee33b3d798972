"""Find fenced code blocks in text written by people and models."""

import re
from collections.abc import Callable

_CODE = re.compile(
    r"```[^`\n]+```"
    r"|(?:```|^[ ]{0,3}~~~)[ \t]*(?P<language>[\w+#.-]*)[^\n]*(?:\n(?P<lines>.*?))?"
    r"(?:^[ ]{0,3}(?:```|~~~)[^\n]*$|(?:```|~~~)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
"""Looser than Markdown: a fence may follow text on its line, and may close at the end of the last line of code. A block
without a closing fence extends to the end of the text. Tildes within a line are no fence."""


def without_code(text: str) -> str:
    """Return the text without its code blocks."""
    return _CODE.sub("", text)


def code_lines(text: str) -> list[str]:
    """Return the lines of all code blocks, except blank ones."""
    return [line for block in _CODE.finditer(text) for line in _lines(block) if line.strip()]


def with_code_as(name: Callable[[str, int], str], text: str) -> str:
    """Replace each code block by `name(language, lines)`; the language is empty if the fence names none."""
    return _CODE.sub(lambda block: name(block["language"] or "", len(_lines(block))), text)


def _lines(block: re.Match[str]) -> list[str]:
    if block["lines"] is not None:
        return block["lines"].splitlines()
    return [block.group().strip("`~ \n")]

"""Code between fences, in what people and models write. Knows nothing of what it is for."""

import re
from collections.abc import Callable

_CODE = re.compile(
    r"```[^`\n]+```"
    r"|(?:```|^[ ]{0,3}~~~)[ \t]*(?P<language>[\w+#.-]*)[^\n]*(?:\n(?P<lines>.*?))?"
    r"(?:^[ ]{0,3}(?:```|~~~)[^\n]*$|(?:```|~~~)[ \t]*$|\Z)",
    re.DOTALL | re.MULTILINE,
)
"""Looser than Markdown: a block may begin behind text, and end behind its last line. One without an end goes on to the
end of the text. Tildes within a line are a flourish."""


def without_code(text: str) -> str:
    return _CODE.sub("", text)


def code_lines(text: str) -> list[str]:
    """The lines of all blocks that are not blank."""
    return [line for block in _CODE.finditer(text) for line in _lines(block) if line.strip()]


def with_code_as(name: Callable[[str, int], str], text: str) -> str:
    """The text with `name(language, lines)` for each block; the language is empty where none is named."""
    return _CODE.sub(lambda block: name(block["language"] or "", len(_lines(block))), text)


def _lines(block: re.Match[str]) -> list[str]:
    if block["lines"] is not None:
        return block["lines"].splitlines()
    return [block.group().strip("`~ \n")]

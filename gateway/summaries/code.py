"""Find fenced code blocks in text written by people and models."""

import re
from collections.abc import Callable

_FENCE = "```"
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


def code_blocks(text: str) -> list[tuple[str, list[str]]]:
    """Return the language of each code block, or "", and its lines, except blank ones."""
    return [
        (block["language"] or "", [line for line in _lines(block) if line.strip()]) for block in _CODE.finditer(text)
    ]


def with_code_as(name: Callable[[str, int], str], text: str) -> str:
    """Replace each code block by `name(language, lines)`; the language is empty if the fence names none."""
    return _CODE.sub(lambda block: name(block["language"] or "", len(_lines(block))), text)


def both_ends(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters as it is, and of a longer one the beginning and the end.

    A block that the cut divides is a block at either side of it.
    """
    if len(text) <= limit:
        return text
    half = limit // 2
    begin = _FENCE + "\n" if text.count(_FENCE, 0, half) % 2 else ""
    end = _FENCE + "\n" if text.count(_FENCE, 0, len(text) - half) % 2 else ""
    return f"{text[:half]}\n{begin}…\n{end}{text[-half:]}"


def _lines(block: re.Match[str]) -> list[str]:
    if block["lines"] is not None:
        return block["lines"].splitlines()
    return [block.group().strip("`~ \n")]

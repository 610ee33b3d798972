"""The reasoning on turns of a chat completion: under which names clients and APIs write it, and its text.

Knows nothing of requests, nor of which API wants it back.
"""

from collections.abc import Iterator, Mapping
from typing import Any

REASONING_FIELDS = ("reasoning_content", "reasoning", "thinking", "reasoning_details", "thinking_blocks")
"""The fields of a turn that hold reasoning; the first that has any text is read, since the others repeat it."""
_PROMPT, _NEXT_PART = "**Prompt**\n\n", "\n\n**"
"""The beginning of the gateway's summary of a prompt, which comes back before the summaries of the reasoning and is
none itself, and of the part behind it."""
_BLANK_LINE = "\n\n"
_START, _END = "<think>", "</think>"


def reasoning_text(turn: Mapping[str, Any]) -> str:
    """Return the reasoning in the fields of a turn, else in blocks before its words; empty if there is none."""
    in_fields = (text for field in REASONING_FIELDS if (text := text_of(turn.get(field))))
    return next(in_fields, "") or without_blocks(turn.get("content"))[0]


def text_of(value: Any) -> str:
    """Return the text of a field: a string, or a list of entries of which the text counts, else the summaries."""
    if isinstance(value, str):
        return _without_prompt(value)
    entries = [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
    if texts := "".join(_strings(entries, "text", "thinking")):
        return texts
    summaries = map(_without_prompt, _strings(entries, "summary"))
    return "\n\n".join(text for summary in summaries if (text := summary.strip()))


def without_blocks(content: Any) -> tuple[str, Any]:
    """Return the reasoning in `<think>` blocks at the beginning of a turn's content, and the content behind them.

    Some clients send reasoning back so if they do not know the model.
    """
    if not isinstance(content, str) or not content.lstrip().startswith(_START):
        return "", content
    blocks = content.split(_END)
    texts: list[str] = []
    for number, block in enumerate(blocks[:-1]):
        begin = block.lstrip()
        if not begin.startswith(_START):
            return "\n\n".join(texts), _END.join(blocks[number:]).lstrip()
        texts += filter(None, [_without_prompt(begin.removeprefix(_START).strip())])
    return "\n\n".join(texts), blocks[-1].lstrip() if len(blocks) > 1 else content


def _without_prompt(text: str) -> str:
    summary = text.lstrip()
    if not summary.startswith(_PROMPT):
        return text
    end = summary.find(_NEXT_PART, len(_PROMPT))
    if end < 0:
        end = summary.find(_BLANK_LINE, len(_PROMPT))
    return summary[end:].lstrip() if end >= 0 else ""


def _strings(entries: list[dict[str, Any]], *names: str) -> Iterator[str]:
    for entry in entries:
        yield from (text for name in names if isinstance(text := entry.get(name), str))

"""The kinds of text in a response: which item each stands in, where, and what its events are called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """A kind of text: the type of its item, that item's fields at first, its list in it, and the names of its events.

    `extra` are fields of a new part beside its text.
    """

    item: str
    fields: Mapping[str, Any]
    list: str
    index: str
    part: str
    text: str
    extra: Mapping[str, Any]

    def new_item(self) -> dict[str, Any]:
        """Return the fields of a new item, which has lists of its own."""
        return _copied(self.fields)

    def new_part(self) -> dict[str, Any]:
        return {"text": "", **_copied(self.extra)}


def _copied(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.copy() if isinstance(value, list) else value for name, value in fields.items()}


KINDS = {
    "summary_text": Kind(
        item="reasoning",
        fields={"summary": []},
        list="summary",
        index="summary_index",
        part="reasoning_summary_part",
        text="reasoning_summary_text",
        extra={},
    ),
    "reasoning_text": Kind(
        item="reasoning",
        fields={"summary": [], "content": []},
        list="content",
        index="content_index",
        part="content_part",
        text="reasoning_text",
        extra={},
    ),
    "output_text": Kind(
        item="message",
        fields={"role": "assistant", "content": []},
        list="content",
        index="content_index",
        part="content_part",
        text="output_text",
        extra={"annotations": [], "logprobs": []},
    ),
}

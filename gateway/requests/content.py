"""The content of a turn: a text, or a list of parts of which only the texts are the gateway's own business."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Tag

from gateway.requests.base import View, refused, text_or_list

TEXTS = ("text", "input_text", "output_text")
MEDIA = re.compile("image|audio|video|file|document")
"""Found in the type of a part that only a model with eyes or ears can take."""


class TextPart(View):
    """A text. Clients may leave its type out."""

    type: Literal["text", "input_text", "output_text"] = "text"
    text: str


class OtherPart(View):
    """A picture, a file, or a part that nobody here has heard of. A refusal is text, too."""

    type: str
    refusal: Any = None

    @property
    def text(self) -> str:
        return self.refusal if isinstance(self.refusal, str) else ""


def _part(part: Any) -> str:
    kind = part.get("type") if isinstance(part, dict) else "text"
    text = kind in TEXTS or (kind is None and isinstance(part.get("text"), str))
    return "<text>" if text else "<part>"


Part = Annotated[Annotated[TextPart, Tag("<text>")] | Annotated[OtherPart, Tag("<part>")], Discriminator(_part)]
Content = Annotated[Annotated[str, Tag("<text>")] | Annotated[list[Part], Tag("<list>")], Discriminator(text_or_list)]


def text_of(content: Content | None) -> str:
    """Return the texts, a line each."""
    if isinstance(content, list):
        return "\n".join(part.text for part in content if isinstance(part, TextPart) or part.text)
    return content or ""


def other_parts(content: Content | None, path: str) -> list[str]:
    """Return the names of the parts that are no text. Raises InvalidRequest for pictures, sounds and files."""
    parts = enumerate(content if isinstance(content, list) else ())
    others = [(index, part.type) for index, part in parts if isinstance(part, OtherPart) and not part.text]
    for index, kind in others:
        if MEDIA.search(kind):
            raise refused(f"{path}.{index}.type", f"this model takes text only, and not {kind!r}")
    return [f"{path}.{index} ({kind})" for index, kind in others]


def unknown_keys(items: Any, known: frozenset[str], name: str) -> Iterator[str]:
    """Yield `name.key` once for each key of the objects in a list that is not known and not empty."""
    objects = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    unknown = {key: None for item in objects for key, value in item.items() if key not in known and value}
    yield from (f"{name}.{key}" for key in unknown)

"""The input of OpenAI's Responses, item by item, and its translation to the turns of a chat completion.

Consecutive items of the assistant's, its reasoning, its words and its calls, are one turn. Items and pieces of types
that have no counterpart are left out, and named.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator

from gateway.requests.base import View, text_or_list
from gateway.requests.content import MEDIA, TextPart
from gateway.turns import text_of

Turn = dict[str, Any]
TEXTS = ("input_text", "output_text", "text", "refusal")


class Piece(View):
    """A piece of content; of a picture or a file, what may hold it."""

    type: str
    text: str = ""
    refusal: str = ""
    image_url: Any = None
    detail: str | None = None
    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None
    input_audio: Any = None

    def to_chat(self) -> dict[str, Any] | None:
        """Return it as a part of a chat completion's content, None if there is no such part."""
        match self.type:
            case kind if kind in TEXTS:
                return {"type": "text", "text": self.text or self.refusal}
            case "input_image" if self.image_url:
                url = self.image_url if isinstance(self.image_url, dict) else {"url": self.image_url}
                return {"type": "image_url", "image_url": {**url, **({"detail": self.detail} if self.detail else {})}}
            case "input_file" if self.file_data or self.file_id:
                held = {"file_data": self.file_data, "file_id": self.file_id, "filename": self.filename}
                return {"type": "file", "file": {name: value for name, value in held.items() if value}}
            case "input_audio" if self.input_audio:
                return {"type": "input_audio", "input_audio": self.input_audio}
        return None


class TextPiece(TextPart):
    """A piece of text, which must have one."""


def _piece(piece: Any) -> str:
    kind = piece.get("type", "text") if isinstance(piece, dict) else "text"
    return "<text>" if kind in ("input_text", "output_text", "text") else "<piece>"


Content = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[
        list[Annotated[Annotated[TextPiece, Tag("<text>")] | Annotated[Piece, Tag("<piece>")], Discriminator(_piece)]],
        Tag("<list>"),
    ],
    Discriminator(text_or_list),
]


class MessageItem(View):
    type: Literal["message"] = "message"
    role: str
    content: Content = ""


class ReasoningItem(View):
    """Reasoning of an earlier turn."""

    type: Literal["reasoning"]
    summary: list[Any] = Field(default=[])
    content: list[Any] = Field(default=[])

    @property
    def entries(self) -> list[dict[str, Any]]:
        """Its trace and its summaries, of which `gateway.turns.text_of` takes the trace if there is one."""
        parts = [{"summary": part.get("text")} for part in self.summary if isinstance(part, dict)]
        return [*parts, *({"text": text_of([part])} for part in self.content)]


class CallItem(View):
    type: Literal["function_call"]
    call_id: str = ""
    name: str
    arguments: Any = ""

    def to_chat(self) -> dict[str, Any]:
        text = self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)
        return {"id": self.call_id, "type": "function", "function": {"name": self.name, "arguments": text}}


class ResultItem(View):
    type: Literal["function_call_output"]
    call_id: str = ""
    output: Content = ""


class ReferenceItem(View):
    type: str = Field(default="item_reference", validate_default=True)

    @field_validator("type")
    @classmethod
    def _nothing_is_stored(cls, _: str) -> str:
        raise ValueError("items are not stored here: send the items themselves, as clients do with store: false")


class OtherItem(View):
    type: str


KNOWN = ("message", "reasoning", "function_call", "function_call_output", "item_reference")


def _kind(item: Any) -> str:
    """Return the tag of an item; an item without a type is a message, or a reference if it has nothing but an id."""
    if not isinstance(item, dict):
        return "<message>"
    kind = item.get("type") or ("item_reference" if "id" in item and "role" not in item else "message")
    return f"<{kind}>" if kind in KNOWN else "<item>"


Item = Annotated[
    Annotated[MessageItem, Tag("<message>")]
    | Annotated[ReasoningItem, Tag("<reasoning>")]
    | Annotated[CallItem, Tag("<function_call>")]
    | Annotated[ResultItem, Tag("<function_call_output>")]
    | Annotated[ReferenceItem, Tag("<item_reference>")]
    | Annotated[OtherItem, Tag("<item>")],
    Discriminator(_kind),
]
Input = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[Item], Field(min_length=1), Tag("<list>")],
    Discriminator(text_or_list),
]


def to_turns(items: Sequence[Item]) -> Iterator[Turn]:
    """Yield the turns of a chat completion. Reasoning is `reasoning_content` on the assistant's turn."""
    turn: Turn | None = None
    reasoning: list[dict[str, Any]] = []
    for item in items:
        match item:
            case ReasoningItem():
                reasoning += item.entries
                continue
            case CallItem():
                said: Turn = {"role": "assistant", "content": "", "tool_calls": [item.to_chat()]}
            case MessageItem(role="assistant", content=content):
                said = {"role": "assistant", "content": _text(content)}
            case MessageItem(role=role, content=content):
                said = {"role": "system" if role == "developer" else role, "content": _content(content)}
            case ResultItem(call_id=id, output=output):
                said = {"role": "tool", "tool_call_id": id, "content": _content(output)}
            case _:
                continue
        if turn and turn["role"] == said["role"] == "assistant":
            _join(turn, said)
            continue
        if turn:
            yield _with_reasoning(turn, reasoning)
        if said["role"] != "assistant":
            reasoning = []
        turn = said
    if turn:
        yield _with_reasoning(turn, reasoning)


def left_items(items: Sequence[Item]) -> Iterator[str]:
    """Yield the names of the items and pieces that have no counterpart, as `input.3 (web_search_call)`."""
    for index, item in enumerate(items):
        match item:
            case OtherItem(type=kind):
                yield f"input.{index} ({kind})"
            case MessageItem(content=pieces) | ResultItem(output=pieces):
                for number, piece in _others(pieces):
                    if piece.to_chat() is None:
                        yield f"input.{index}.{_field(item)}.{number} ({piece.type})"


def media(items: Sequence[Item]) -> Iterator[tuple[str, Piece]]:
    """Yield the pictures, sounds and files, each with the path of its type."""
    for index, item in enumerate(items):
        if isinstance(item, MessageItem | ResultItem):
            content = item.content if isinstance(item, MessageItem) else item.output
            for number, piece in _others(content):
                if MEDIA.search(piece.type):
                    yield f"input.{index}.{_field(item)}.{number}.type", piece


def _field(item: MessageItem | ResultItem) -> str:
    return "content" if isinstance(item, MessageItem) else "output"


def _others(content: Content) -> Iterator[tuple[int, Piece]]:
    pieces = enumerate(content) if isinstance(content, list) else ()
    yield from ((number, piece) for number, piece in pieces if isinstance(piece, Piece))


def _text(content: Content) -> str:
    told = _content(content)
    return told if isinstance(told, str) else "\n".join(part["text"] for part in told if part["type"] == "text")


def _content(content: Content) -> Any:
    """Return the content of a turn: a text, one line a piece, or a list of parts if there is anything else."""
    if isinstance(content, str):
        return content
    parts = [part for part in map(_part, content) if part]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def _part(piece: TextPiece | Piece) -> dict[str, Any] | None:
    return {"type": "text", "text": piece.text} if isinstance(piece, TextPiece) else piece.to_chat()


def _join(turn: Turn, said: Turn) -> None:
    turn["content"] = "\n".join(filter(None, (turn["content"], said["content"])))
    if calls := [*turn.get("tool_calls", ()), *said.get("tool_calls", ())]:
        turn["tool_calls"] = calls


def _with_reasoning(turn: Turn, reasoning: list[dict[str, Any]]) -> Turn:
    text = text_of(reasoning)
    return {**turn, "reasoning_content": text} if text and turn["role"] == "assistant" else turn

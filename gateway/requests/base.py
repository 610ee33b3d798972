"""The common parts of requests, and refusals.

A refusal names the field at fault. Every union is discriminated, with tags of ours, so that pydantic reports the errors
of one branch alone and its paths hold no names but the fields' and these tags.
"""

import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, field_validator

from gateway.errors import InvalidRequest
from gateway.order import Order
from gateway.upstream import Message, UpstreamRequest

MAX_TOKENS = 1_000_000
MAX_SEED = 2**63 - 1


def _shape(value: Any) -> str:
    match value:
        case list():
            return "<list>"
        case dict():
            return "<object>"
    return "<text>"


def text_or_list(value: Any) -> str:
    """Return the tag of a value that is a text or a list; of anything else, which is refused, that of a text."""
    return "<list>" if _shape(value) == "<list>" else "<text>"


def text_or_object(value: Any) -> str:
    """Return the tag of a value that is a text or an object; of anything else, which is refused, that of a text."""
    return "<object>" if _shape(value) == "<object>" else "<text>"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TextPart(Strict):
    type: Literal["text"]
    text: str


Content = Annotated[
    Annotated[str, Tag("<text>")] | Annotated[list[TextPart], Field(min_length=1), Tag("<list>")],
    Discriminator(text_or_list),
]


class ChatMessage(Strict):
    role: Literal["system", "user", "assistant"]
    content: Content

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class ReasoningOptions(Strict):
    """Options of the reasoning.

    `budget`: the most tokens of thinking, 0 for none, None for the model's default. `trace: false`: only the summary of
    the reasoning is sent.
    """

    budget: Annotated[int, Field(ge=0, le=MAX_TOKENS)] | None = None
    trace: bool = True
    summary: Literal["live", "final", "none"] = "live"
    order: Order = "strict"


TokenCount = Annotated[int, Field(ge=1, le=MAX_TOKENS)]
Stop = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=4), Tag("<list>")],
    Discriminator(text_or_list),
]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]


class BaseRequest(Strict):
    """The fields that all routes share; `conversation` is the name of the field with the turns."""

    conversation: ClassVar[str] = "messages"
    model: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a request's JSON body.

        Raises InvalidRequest, naming the first field at fault as `messages.0.content`.
        """
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            raise _refusal(error.errors(include_url=False)) from None


def stop_strings(stop: Stop | None) -> tuple[str, ...]:
    return tuple(text for text in ([stop] if isinstance(stop, str) else stop or ()) if text)


class Generation(BaseRequest):
    """A conversation in chat messages, and options for the generation."""

    messages: Annotated[list[ChatMessage], Field(min_length=1)]
    max_tokens: TokenCount | None = None
    stop: Stop | None = None
    seed: Seed | None = None

    @field_validator("messages")
    @classmethod
    def _last_turn_asks(cls, messages: list[ChatMessage]) -> list[ChatMessage]:
        if messages[-1].role != "user" or not messages[-1].text.strip():
            raise ValueError("the last message must be the user's and must not be empty")
        return messages

    def to_upstream(self, request_id: str, model: str) -> UpstreamRequest:
        return UpstreamRequest(
            id=request_id,
            model=model,
            messages=tuple(Message(role=message.role, content=message.text) for message in self.messages),
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed,
            stop=stop_strings(self.stop),
        )


class StreamOptions(Strict):
    include_usage: bool = False


def _refusal(errors: list[Any]) -> InvalidRequest:
    # A wrong word in a `type` says more than the fields that are missing beside it, or that only another type has.
    error = next((error for error in errors if error["type"] == "literal_error"), errors[0])
    field, reason = _field(error), _reason(error)
    return InvalidRequest(f"{field}: {reason}" if field else reason, param=field or None)


def _reason(error: Any) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "is not a field of this request"
        case "union_tag_invalid":
            return f"Input should be one of {re.sub('[<>]', '', error['ctx']['expected_tags'])}"
    return str(error["msg"]).removeprefix("Value error, ")


def _field(error: Any) -> str:
    """Return the path of the field, as `messages.0.content`: pydantic's, without the tags of unions."""
    *above, last = map(str, error["loc"] or [""])
    path = [step for step in above if not step.startswith("<")]
    if error["type"] == "union_tag_invalid":
        path += [last, "type"]
    elif error["type"] == "extra_forbidden" or not last.startswith("<"):  # an unknown field may have any name
        path.append(last)
    return ".".join(path)

"""The common parts of requests, and refusals.

A request checks only what the gateway itself uses; the rest of the body is kept as it came. A refusal names the field
at fault. Every union is discriminated, with tags of ours, so that pydantic reports the errors of one branch alone and
its paths hold no names but the fields' and these tags.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from gateway.errors import InvalidRequest
from gateway.order import Order
from gateway.requests.fields import has, present
from gateway.requests.large_json import has_many_values, load
from gateway.requests.sealed import Open, with_reasoning_opened
from gateway.summaries.languages import AUTO, checked_tag
from gateway.upstream import UpstreamRequest

MAX_TOKENS = 1_000_000
MAX_SEED = 2**63 - 1
_BODY = TypeAdapter(dict[str, Any])
V = TypeVar("V", bound="View")


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


class View(BaseModel):
    """The fields of an object that the gateway uses, by their types. Others are not looked at, and null is absent."""

    model_config = ConfigDict(extra="ignore", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        return present(data) if isinstance(data, dict) else data


class ReasoningOptions(View):
    """Options of the reasoning, the gateway's own: here an unknown field is refused.

    `budget`: the most tokens of thinking, 0 for none, None for the model's default. `trace: false`: only the summary of
    the reasoning is sent. `headline`: headlines of the running step are sent, which clients of 0.2.0 do not know.
    `summary_language`: a BCP 47 tag, or `auto` for the language of the request, unless the
    gateway is set to another.
    """

    model_config = ConfigDict(extra="forbid")

    budget: Annotated[int, Field(ge=0, le=MAX_TOKENS)] | None = None
    trace: bool = True
    summary: Literal["live", "final", "none"] = "live"
    headline: bool = False
    order: Order = "strict"
    summary_language: Annotated[str, AfterValidator(checked_tag)] = AUTO


class BaseRequest(View):
    """The fields that all routes share, by their types alone: what an API makes of their values is its own affair.

    `conversation` is the name of the field with the turns.
    """

    conversation: ClassVar[str] = "messages"
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    _body: dict[str, Any] = PrivateAttr(default_factory=dict)
    _for_qwen: dict[str, Any] | None = PrivateAttr(default=None)
    _admitted: dict[str, Any] | None = PrivateAttr(default=None)

    @property
    def waits_for_summaries(self) -> bool:
        """True if the end of an answer waits for its summaries."""
        return True

    @property
    def parts_come_first(self) -> bool:
        """True if each stretch of the trace waits for its part, which is shown above it."""
        return False

    @property
    def asks_for_summaries(self) -> bool:
        """True if the request names summaries, so that even a side task has them."""
        return False

    @classmethod
    def parse(cls, body: bytes, open: Open | None = None, most_turns: int | None = None) -> Self:
        """Read a request's JSON body; `open` opens the reasoning that is sealed in it.

        Raises InvalidRequest, naming the first field at fault as `messages.0.content`. More than `most_turns` are
        refused before each of them is looked at.
        """
        fields = present(_object(body))
        if most_turns and cls.count_turns(fields.get(cls.conversation)) > most_turns:
            raise too_many_turns(most_turns, cls.conversation)
        if open:
            fields = with_reasoning_opened(fields, open)
        request = checked(cls, fields)
        request._body = fields
        return request

    @classmethod
    def count_turns(cls, conversation: Any) -> int:
        """Return how many messages for the upstream a conversation has at least, whatever is in it."""
        return len(conversation) if isinstance(conversation, list) else 0

    def admit(self, upstream: Literal["qwen", "http", "own"], drop_fields: Sequence[str] = ()) -> list[str]:
        """Check the request for the upstream that answers it; return the names of what that upstream is not told.

        An API is told everything but `drop_fields`. The cluster's Qwen has no eyes, and only the options that its
        sampler knows: their values are checked here. Raises InvalidRequest.
        """
        if upstream == "http":
            self._admitted = self._fields()
            chat = self._admitted["chat"]
            return [*self._left(), *(path for path in drop_fields if has(chat, path))]
        self._for_qwen = self._qwen_fields()
        self._admitted = self._fields()
        return [*self._left(), *self._unknown_to_qwen()]

    def to_upstream(self, request_id: str, model: str) -> UpstreamRequest:
        """Return the request: to an API the chat that it is sent, to the Qwen its options."""
        return UpstreamRequest(**{"id": request_id, "model": model, **(self._admitted or self._fields())})

    def _fields(self) -> dict[str, Any]:
        """Return the fields of an `UpstreamRequest`. Of a large request that takes longer than it may in a loop, so
        `admit` keeps them."""
        told = {"chat": self.chat()} if self._for_qwen is None else self._for_qwen
        return {**self._view(), **told}

    def chat(self) -> dict[str, Any]:
        """Return the body of the chat completion that an API is sent."""
        raise NotImplementedError

    def _view(self) -> dict[str, Any]:
        """Return the gateway's own view of the request, as fields of an `UpstreamRequest`."""
        raise NotImplementedError

    def _left(self) -> list[str]:
        """Return the names of what no upstream is told."""
        raise NotImplementedError

    def _qwen_fields(self) -> dict[str, Any]:
        """Return the options for the Qwen. Raises InvalidRequest."""
        raise NotImplementedError

    def _unknown_to_qwen(self) -> list[str]:
        """Return the names of the fields that mean nothing to the Qwen, and whose values ask for something."""
        raise NotImplementedError


def too_many_turns(most: int, param: str) -> InvalidRequest:
    return InvalidRequest(f"more than {most} messages", param=param)


def _object(body: bytes) -> dict[str, Any]:
    """Return the object in a JSON body. Raises InvalidRequest."""
    try:
        return _BODY.validate_python(load(body)) if has_many_values(body) else _BODY.validate_json(body)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False)) from None
    except ValueError as error:
        raise InvalidRequest(f"Invalid JSON: {error}") from None


def checked(kind: type[V], fields: Mapping[str, Any]) -> V:
    """Return an object as a view. Raises InvalidRequest."""
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False)) from None


def refused(field: str, reason: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {reason}", param=field)


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
        case "model_type" | "dict_type":
            return "Input should be an object"
        case "list_type":
            return "Input should be a valid array"
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

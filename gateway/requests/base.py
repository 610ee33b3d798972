"""What a client may ask of each route, and how a refusal names the field at fault."""

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gateway.errors import InvalidRequest
from gateway.order import Order
from gateway.upstream import Message, UpstreamRequest

MAX_TOKENS = 1_000_000
MAX_SEED = 2**63 - 1
ITEM_TYPES = ("message", "reasoning", "function_call", "function_call_output")
"""The types of the items of a conversation on the Responses route."""
BRANCHES = ("list[", "constrained-", "function-", "literal[", "nullable[")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class TextPart(Strict):
    type: Literal["text"]
    text: str


class ChatMessage(Strict):
    role: Literal["system", "user", "assistant"]
    content: str | Annotated[list[TextPart], Field(min_length=1)]

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content)


class ReasoningOptions(Strict):
    """`budget`: tokens of thinking, 0 for none, None for the model's own. `trace: false`: only its summary leaves."""

    budget: Annotated[int, Field(ge=0, le=MAX_TOKENS)] | None = None
    trace: bool = True
    summary: Literal["live", "final", "none"] = "live"
    order: Order = "strict"


TokenCount = Annotated[int, Field(ge=1, le=MAX_TOKENS)]
Stop = str | Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=4)]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED)]


class BaseRequest(Strict):
    """What every route takes; `conversation` names the field with the turns."""

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
    """A conversation in chat messages, and how to go on from it."""

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


class ReasoningRequest(Generation):
    """`POST /v1/reasoning`"""

    stream: bool = True
    reasoning: ReasoningOptions = ReasoningOptions()
    prompt_summary: bool = True

    def to_upstream(self, request_id: str, model: str) -> UpstreamRequest:
        return replace(super().to_upstream(request_id, model), budget=self.reasoning.budget)


class StreamOptions(Strict):
    include_usage: bool = False


class PlainRequest(Generation):
    """`POST /upstream/v1/chat/completions`, a subset of OpenAI's."""

    max_completion_tokens: TokenCount | None = None
    n: Literal[1] = 1
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()

    def to_upstream(self, request_id: str, model: str) -> UpstreamRequest:
        asked = super().to_upstream(request_id, model)
        return replace(asked, max_tokens=self.max_completion_tokens or asked.max_tokens)


def _refusal(errors: list[Any]) -> InvalidRequest:
    # A union reports one error a branch: the deepest one names the field most closely, and there a branch whose type
    # was right knows best what is wrong. A wrong word in a `type` says more than what is missing beside it.
    deepest = max(errors, key=lambda error: (len(error["loc"]), error["type"] == "literal_error"))
    field = _field(deepest)
    right_type = (error for error in errors if _field(error) == field and not error["type"].endswith("_type"))
    error = next(right_type, deepest)
    reason = _reason(error)
    return InvalidRequest(f"{field}: {reason}" if field else reason, param=field or None)


def _reason(error: Any) -> str:
    match error["type"]:
        case "extra_forbidden":
            return "is not a field of this request"
        case "union_tag_invalid":
            return f"Input should be one of {error['ctx']['expected_tags']}"
    return str(error["msg"]).removeprefix("Value error, ")


def _field(error: Any) -> str:
    path = list(error["loc"])
    # An unknown field is the client's word, even where it reads like a branch.
    unknown = [path.pop()] if error["type"] == "extra_forbidden" else []
    if error["type"] == "union_tag_invalid":
        unknown = ["type"]
    steps = [step for before, step in zip([None, *path], path, strict=False) if not _is_branch(step, before)]
    return ".".join(map(str, steps + unknown))


def _is_branch(step: str | int, before: str | int | None) -> bool:
    """Pydantic names the branches of a union in the path: `str`, `list[constrained-str]`, a class, an item's type."""
    if isinstance(step, int):
        return False
    tag = isinstance(before, int) and step in ITEM_TYPES
    return tag or step in ("str", "int", "float") or step.startswith(BRANCHES) or step[:1].isupper()

"""What an upstream is asked and what it answers.

Every upstream, the Qwen engine or an HTTP API, takes an `UpstreamRequest` and answers with one `Accepted`, then `Text`
as it is made, or a `Segment` where a field of the API tells reasoning from response, and a `ToolPiece` where one tells
a tool call, then exactly one `Finished`, or raises a GatewayError in between. The stream parser answers the same, with
`Segment`s and `ToolPiece`s for `Text`. Knows nothing of models, sockets or Ray.
"""

from dataclasses import dataclass
from typing import Any, Literal

from gateway.events import EndedBy, FinishReason, Usage
from gateway.reasoning import Segment

Effort = Literal["minimal", "low", "medium", "high", "xhigh", "max"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A function of the client's; `parameters` is a JSON schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    def to_chat(self) -> dict[str, Any]:
        """In the shape of OpenAI's chat completions; what is None is left out."""
        asked = {"description": self.description, "parameters": self.parameters, "strict": self.strict}
        given = {name: value for name, value in asked.items() if value is not None}
        return {"type": "function", "function": {"name": self.name, **given}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChoice:
    """Whether the model may call tools, or must; `name` is the one that it must call."""

    mode: Literal["auto", "none", "required"]
    name: str | None = None

    def to_chat(self) -> Any:
        """In the shape of OpenAI's chat completions: a word, or the function that is named."""
        return {"type": "function", "function": {"name": self.name}} if self.name else self.mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call that the model made earlier; `arguments` is JSON as it wrote it."""

    id: str
    name: str
    arguments: str

    def to_chat(self) -> dict[str, Any]:
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A turn. A `tool` message is the result of the call `tool_call_id`."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    def to_chat(self) -> dict[str, Any]:
        """In the shape of OpenAI's chat completions."""
        calls = {"tool_calls": [call.to_chat() for call in self.tool_calls]} if self.tool_calls else {}
        result = {"tool_call_id": self.tool_call_id} if self.tool_call_id else {}
        return {"role": self.role, "content": self.content, **calls, **result}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRequest:
    """One generation. What is None is left to the model's and the operator's defaults.

    `model` is a name that the configuration knows. `budget` is in tokens of thinking, 0 turns it off; `effort` says how
    much in a word instead. `stop` applies to the response only. `prefill` is how the response begins: the model goes on
    from it, and it is part of the text that comes back; an API that cannot begin a response leaves it out.
    """

    id: str
    model: str = ""
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    budget: int | None = None
    effort: Effort | None = None
    prefill: str = ""
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The request fits and runs: nothing before this has been promised to the client."""

    prompt_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Text as the model makes it, its reasoning marked in it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPiece:
    """A piece of the tool call `index`: of its `arguments`, and its `id` and `name` where they come, else empty."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingEnded:
    """Said right after the end of the thinking by who knows what ended it, and its tokens where they are counted."""

    tokens: int | None
    ended_by: EndedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    finish_reason: FinishReason
    usage: Usage


UpstreamItem = Accepted | Text | Segment | ToolPiece | ThinkingEnded | Finished
ParsedItem = Accepted | Segment | ToolPiece | ThinkingEnded | Finished

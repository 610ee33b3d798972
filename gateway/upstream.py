"""Requests to an upstream and the items of its answer.

Every upstream, a Qwen or an HTTP API, takes an `UpstreamRequest` and answers with one `Accepted`; then with `Text` as
it is made, or a `Segment` or `ToolPiece` if a field of the API marks reasoning or a tool call; and with exactly one
`Finished`, unless it raises a GatewayError before. The stream parser answers alike, with `Segment`s and `ToolPiece`s in
place of `Text`. Knows nothing of models, sockets or Ray.
"""

from collections.abc import Mapping
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
        """Return it in the shape of OpenAI's chat completions, without the fields that are None."""
        asked = {"description": self.description, "parameters": self.parameters, "strict": self.strict}
        given = {name: value for name, value in asked.items() if value is not None}
        return {"type": "function", "function": {"name": self.name, **given}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolChoice:
    """Permission to call tools, or the duty to; `name` is the tool that must be called."""

    mode: Literal["auto", "none", "required"]
    name: str | None = None

    def to_chat(self) -> Any:
        """Return it in the shape of OpenAI's chat completions: a mode, or a named function."""
        return {"type": "function", "function": {"name": self.name}} if self.name else self.mode


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call that the model made in an earlier turn; `arguments` is JSON as the model wrote it."""

    id: str
    name: str
    arguments: str

    def to_chat(self) -> dict[str, Any]:
        return {"id": self.id, "type": "function", "function": {"name": self.name, "arguments": self.arguments}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A turn. A `tool` message is the result of the call `tool_call_id`; `reasoning` led to what the turn says."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None

    def to_chat(self) -> dict[str, Any]:
        """Return it in the shape of OpenAI's chat completions, without its reasoning: its field differs by API."""
        calls = {"tool_calls": [call.to_chat() for call in self.tool_calls]} if self.tool_calls else {}
        result = {"tool_call_id": self.tool_call_id} if self.tool_call_id else {}
        return {"role": self.role, "content": self.content, **calls, **result}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRequest:
    """A request for one generation. None leaves a value to the defaults of the model and of the operator.

    `model` is a name from the configuration. `budget` is the most tokens of thinking, 0 turns it off; `effort` sets it
    by a word instead. `stop` applies to the response only. `prefill` is the beginning of the response, from which the
    model continues; it is part of the returned text. An API is sent neither it nor `stop` unless its settings say how
    it continues a response. `chat` is the body of a chat completion that the client wrote, for an API: all else here is
    then the gateway's own view of it.
    From `top_k` on, the fields are for the cluster's Qwen; `logit_bias` maps tokens to what is added to their scores.
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
    chat: Mapping[str, Any] | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    logit_bias: Mapping[int, float] | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None

    @property
    def wants_thinking(self) -> bool:
        """False if the request turns thinking off."""
        return self.budget != 0

    def to_chat(self) -> dict[str, Any]:
        """Return the body of a chat completion, without the model: the client's own, or one with the fields here."""
        if self.chat is not None:
            return dict(self.chat)
        asked = {
            "max_tokens": self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": self.seed,
            "stop": list(self.stop) or None,
            "reasoning_effort": self.effort,
        }
        messages = [message.to_chat() for message in self.messages]
        return {"messages": messages, **{name: value for name, value in asked.items() if value is not None}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The request fits and runs. Before this item the client has been promised nothing."""

    prompt_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Text as the model makes it, with its reasoning marked in it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolPiece:
    """A piece of the `arguments` of tool call `index`; `id` and `name` are empty if they did not come with it."""

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingEnded:
    """Sent directly after the end of thinking by upstreams that know why it ended. `tokens` is None if not counted."""

    tokens: int | None
    ended_by: EndedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    finish_reason: FinishReason
    usage: Usage


UpstreamItem = Accepted | Text | Segment | ToolPiece | ThinkingEnded | Finished
ParsedItem = Accepted | Segment | ToolPiece | ThinkingEnded | Finished

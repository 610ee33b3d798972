"""The request of `POST /v1/chat/completions`: OpenAI's chat completions."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from gateway.requests.base import (
    BaseRequest,
    Content,
    ReasoningOptions,
    Seed,
    Stop,
    StreamOptions,
    Strict,
    TokenCount,
    stop_strings,
    text_or_object,
)
from gateway.requests.tools import AskedEffort, Function, FunctionName, Mode, chosen, thinking
from gateway.upstream import Message, ToolCall, ToolChoice, UpstreamRequest


class FunctionTool(Strict):
    type: Literal["function"]
    function: Function


class Name(Strict):
    name: FunctionName


class NamedTool(Strict):
    type: Literal["function"]
    function: Name


Choice = Annotated[
    Annotated[Mode, Tag("<text>")] | Annotated[NamedTool, Tag("<object>")], Discriminator(text_or_object)
]


class CalledFunction(Strict):
    """A called function. openai-python adds `parsed_arguments` to a message that it has parsed."""

    name: str
    arguments: str
    parsed_arguments: Any = None


class Call(Strict):
    """A tool call of an earlier turn. Calls that were merged from a stream still have an `index`."""

    id: Annotated[str, Field(min_length=1)]
    type: Literal["function"] = "function"
    function: CalledFunction
    index: int | None = None


class Turn(Strict):
    """A message of any role. Reasoning that the client sends back is accepted and not shown to the model."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    tool_calls: Annotated[list[Call], Field(min_length=1)] | None = None
    content: Annotated[Content | None, Field(default=None, validate_default=True)]
    tool_call_id: Annotated[str | None, Field(default=None, validate_default=True)]
    name: str | None = None
    reasoning_content: str | None = None
    reasoning_details: list[dict[str, Any]] | None = None
    refusal: None = None
    annotations: None = None
    audio: None = None
    function_call: None = None
    parsed: None = None

    @field_validator("tool_calls")
    @classmethod
    def _only_the_assistant_calls(cls, calls: list[Call] | None, info: ValidationInfo) -> list[Call] | None:
        if calls and info.data.get("role") != "assistant":
            raise ValueError("only a message of the assistant's has tool calls")
        return calls

    @field_validator("content")
    @classmethod
    def _says_something(cls, content: Any, info: ValidationInfo) -> Any:
        if content is None and not info.data.get("tool_calls"):
            raise ValueError("only a message with tool calls goes without content")
        return content

    @field_validator("tool_call_id")
    @classmethod
    def _a_result_names_its_call(cls, id: str | None, info: ValidationInfo) -> str | None:
        if (info.data.get("role") == "tool") != bool(id):
            raise ValueError("a message of role tool has the id of its call, and no other message has one")
        return id

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""

    def to_message(self) -> Message:
        calls = [
            ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
            for call in self.tool_calls or ()
        ]
        role: Any = "system" if self.role == "developer" else self.role
        return Message(role=role, content=self.text, tool_calls=tuple(calls), tool_call_id=self.tool_call_id)


class PlainText(Strict):
    type: Literal["text"]


class ChatCompletionsRequest(BaseRequest):
    """The whole request. `user` and `prompt_cache_key` are accepted and have no effect."""

    messages: Annotated[list[Turn], Field(min_length=1)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    max_tokens: TokenCount | None = None
    max_completion_tokens: TokenCount | None = None
    stop: Stop | None = None
    seed: Seed | None = None
    n: Literal[1] | None = 1
    reasoning_effort: AskedEffort | None = None
    response_format: PlainText | None = None
    tools: list[FunctionTool] | None = None
    tool_choice: Choice | None = None
    parallel_tool_calls: bool | None = None
    user: str | None = None
    prompt_cache_key: str | None = None

    @field_validator("messages")
    @classmethod
    def _last_turn_asks(cls, messages: list[Turn]) -> list[Turn]:
        last = messages[-1]
        if last.role != "tool" and (last.role != "user" or not last.text.strip()):
            raise ValueError("the last message must be the user's, and not be empty, or a tool's")
        return messages

    @field_validator("tool_choice")
    @classmethod
    def _can_be_met(cls, choice: Any, info: ValidationInfo) -> Any:
        tools = [tool.function.to_tool() for tool in info.data.get("tools") or ()]
        _chosen(choice, tools)
        return choice

    @property
    def reasoning(self) -> ReasoningOptions:
        return ReasoningOptions(budget=thinking(self.reasoning_effort).get("budget"))

    @property
    def prompt_summary(self) -> bool:
        """False after a tool's result, which continues an earlier question."""
        return self.messages[-1].role == "user"

    @property
    def include_usage(self) -> bool:
        return self.stream_options is not None and self.stream_options.include_usage

    def to_upstream(self, request_id: str, model: str) -> UpstreamRequest:
        tools = tuple(tool.function.to_tool() for tool in self.tools or ())
        return UpstreamRequest(
            id=request_id,
            model=model,
            messages=tuple(turn.to_message() for turn in self.messages),
            max_tokens=self.max_completion_tokens or self.max_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed,
            stop=stop_strings(self.stop),
            **thinking(self.reasoning_effort),
            tools=tools,
            tool_choice=_chosen(self.tool_choice, tools),
            parallel_tool_calls=self.parallel_tool_calls,
        )


def _chosen(choice: Any, tools: Any) -> ToolChoice | None:
    named = choice.function.name if isinstance(choice, NamedTool) else None
    return chosen(choice, named, tools)

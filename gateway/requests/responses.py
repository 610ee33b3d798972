"""The request of `POST /v1/responses`: OpenAI's Responses, without storage and without tools of the server."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from gateway.requests.base import BaseRequest, ReasoningOptions, Strict, TokenCount, text_or_list, text_or_object
from gateway.requests.tools import AskedEffort, Function, FunctionName, Mode, chosen, thinking
from gateway.upstream import Message, ToolCall, ToolChoice, UpstreamRequest


class Piece(Strict):
    """A piece of text. Clients send back `annotations` and `logprobs` with the model's own."""

    type: Literal["input_text", "output_text"]
    text: str
    annotations: list[Any] | None = None
    logprobs: list[Any] | None = None


Content = Annotated[Annotated[str, Tag("<text>")] | Annotated[list[Piece], Tag("<list>")], Discriminator(text_or_list)]
Status = Literal["in_progress", "completed", "incomplete"]


class MessageItem(Strict):
    type: Literal["message"] = "message"
    role: Literal["system", "developer", "user", "assistant"]
    content: Content
    id: str | None = None
    status: Status | None = None


class ReasoningItem(Strict):
    """Reasoning of an earlier turn. It is accepted and not shown to the model."""

    type: Literal["reasoning"]
    id: str | None = None
    summary: list[dict[str, Any]] | None = None
    content: list[dict[str, Any]] | None = None
    encrypted_content: str | None = None
    status: Status | None = None


class CallItem(Strict):
    type: Literal["function_call"]
    call_id: Annotated[str, Field(min_length=1)]
    name: str
    arguments: str
    id: str | None = None
    status: Status | None = None
    parsed_arguments: Any = None


class ResultItem(Strict):
    type: Literal["function_call_output"]
    call_id: Annotated[str, Field(min_length=1)]
    output: Content
    id: str | None = None
    status: Status | None = None


def _kind(item: Any) -> str:
    """Return the tag of an item; an item without a type is a message."""
    kind = item.get("type", "message") if isinstance(item, dict) else "message"
    return f"<{kind}>"


Item = Annotated[
    Annotated[MessageItem, Tag("<message>")]
    | Annotated[ReasoningItem, Tag("<reasoning>")]
    | Annotated[CallItem, Tag("<function_call>")]
    | Annotated[ResultItem, Tag("<function_call_output>")],
    Discriminator(_kind),
]


class ResponsesReasoning(Strict):
    """Options of the reasoning. `summary: concise` gives one for the whole trace at its end; others grow with it."""

    effort: AskedEffort | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class ResponsesTool(Function):
    type: Literal["function"]


class NamedTool(Strict):
    type: Literal["function"]
    name: FunctionName


Choice = Annotated[
    Annotated[Mode, Tag("<text>")] | Annotated[NamedTool, Tag("<object>")], Discriminator(text_or_object)
]


class PlainText(Strict):
    type: Literal["text"]


class TextOptions(Strict):
    format: PlainText | None = None


class ResponsesRequest(BaseRequest):
    """The whole request. `user`, `prompt_cache_key` and Codex's `client_metadata` are accepted and have no effect.

    Nothing is stored, and no reasoning is encrypted.
    """

    conversation: ClassVar[str] = "input"
    input: Annotated[
        Annotated[str, Tag("<text>")] | Annotated[list[Item], Field(min_length=1), Tag("<list>")],
        Discriminator(text_or_list),
    ]
    instructions: str | None = None
    stream: bool | None = False
    thinking: Annotated[ResponsesReasoning | None, Field(alias="reasoning", default=None)]
    max_output_tokens: TokenCount | None = None
    tools: list[ResponsesTool] | None = None
    tool_choice: Choice | None = None
    parallel_tool_calls: bool | None = None
    metadata: dict[str, str] | None = None
    text: TextOptions | None = None
    store: Literal[False] | None = None
    background: Literal[False] | None = None
    truncation: Literal["disabled"] | None = None
    include: list[Literal["reasoning.encrypted_content"]] | None = None
    user: str | None = None
    prompt_cache_key: str | None = None
    client_metadata: dict[str, Any] | None = None

    @field_validator("input")
    @classmethod
    def _last_item_asks(cls, input: Any) -> Any:
        last = input if isinstance(input, str) else input[-1]
        if isinstance(last, MessageItem) and last.role == "user":
            last = _text(last.content)
        if not isinstance(last, ResultItem) and not (isinstance(last, str) and last.strip()):
            raise ValueError("the last item must be the user's message, and not be empty, or a function's output")
        return input

    @field_validator("tool_choice")
    @classmethod
    def _can_be_met(cls, choice: Any, info: ValidationInfo) -> Any:
        _chosen(choice, info.data.get("tools"))
        return choice

    @property
    def reasoning(self) -> ReasoningOptions:
        """The options of the session: with a summary, only summaries are sent; without, only the trace."""
        asked = self.thinking or ResponsesReasoning()
        budget = thinking(asked.effort).get("budget")
        if asked.summary is None:
            return ReasoningOptions(budget=budget, summary="none")
        return ReasoningOptions(budget=budget, trace=False, summary="final" if asked.summary == "concise" else "live")

    @property
    def prompt_summary(self) -> bool:
        """False after a function's output, which continues an earlier question."""
        asks = isinstance(self.input, str) or isinstance(self.input[-1], MessageItem)
        return asks and self.reasoning.summary != "none"

    def to_upstream(self, request_id: str, model: str) -> UpstreamRequest:
        effort = self.thinking.effort if self.thinking else None
        return UpstreamRequest(
            id=request_id,
            model=model,
            messages=tuple(self._messages()),
            max_tokens=self.max_output_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            **thinking(effort),
            tools=tuple(tool.to_tool() for tool in self.tools or ()),
            tool_choice=_chosen(self.tool_choice, self.tools),
            parallel_tool_calls=self.parallel_tool_calls,
        )

    def echo(self) -> dict[str, Any]:
        """Return the fields that a response object repeats of its request."""
        asked = self.model_dump(mode="json", by_alias=True, exclude={"input", "client_metadata"})
        names = ("instructions", "max_output_tokens", "temperature", "top_p", "user", "prompt_cache_key")
        return {
            **{name: asked[name] for name in names},
            "metadata": asked["metadata"] or {},
            "parallel_tool_calls": self.parallel_tool_calls is not False,
            "previous_response_id": None,
            "reasoning": asked["reasoning"] or {"effort": None, "summary": None},
            "store": False,
            "text": {"format": {"type": "text"}},
            "tool_choice": asked["tool_choice"] or "auto",
            "tools": asked["tools"] or [],
            "truncation": "disabled",
        }

    def _messages(self) -> Iterator[Message]:
        if self.instructions:
            yield Message(role="system", content=self.instructions)
        if isinstance(self.input, str):
            yield Message(role="user", content=self.input)
            return
        said: Message | None = None
        for item in self.input:
            message = _message(item)
            if message is None:
                continue
            if said and message.role == "assistant" == said.role:
                said = _joined(said, message)
                continue
            if said:
                yield said
            said = message
        if said:
            yield said


def _message(item: MessageItem | ReasoningItem | CallItem | ResultItem) -> Message | None:
    match item:
        case MessageItem(role=role, content=content):
            return Message(role="system" if role == "developer" else role, content=_text(content))
        case CallItem(call_id=id, name=name, arguments=arguments):
            call = ToolCall(id=id, name=name, arguments=arguments)
            return Message(role="assistant", content="", tool_calls=(call,))
        case ResultItem(call_id=id, output=output):
            return Message(role="tool", content=_text(output), tool_call_id=id)
        case _:
            return None


def _joined(first: Message, second: Message) -> Message:
    """Merge two items of one turn of the assistant, its words and its calls, into one message."""
    content = "\n".join(filter(None, (first.content, second.content)))
    return replace(first, content=content, tool_calls=first.tool_calls + second.tool_calls)


def _text(content: Content) -> str:
    return content if isinstance(content, str) else "\n".join(piece.text for piece in content)


def _chosen(choice: Any, tools: Sequence[ResponsesTool] | None) -> ToolChoice | None:
    named = choice.name if isinstance(choice, NamedTool) else None
    return chosen(choice, named, [tool.to_tool() for tool in tools or ()])

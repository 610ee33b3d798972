"""Chat completions, which the native route and the plain API read, too: the body, its turns, and both views of it."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from gateway.requests.base import BaseRequest, View, checked, refused, text_or_list
from gateway.requests.chat_for_qwen import ChatForQwen
from gateway.requests.content import Content, other_parts, text_of, unknown_keys
from gateway.requests.qwen import stop_strings
from gateway.requests.thinking import is_switch, wants_no_thinking
from gateway.requests.tools import AnyTool, asks_for_other, names_of_others, thinking, with_functions_only
from gateway.turns import REASONING_FIELDS, reasoning_text, without_blocks
from gateway.upstream import Message, ToolCall

ROLES: Mapping[str, Any] = {role: role for role in ("system", "user", "assistant", "tool")} | {
    "developer": "system",
    "function": "tool",
}
"""The roles that the gateway and the Qwen know; any other is taken for the user's."""
_TURN_KEYS = frozenset(("role", "content", "tool_calls", "tool_call_id", *REASONING_FIELDS))
_ECHOES = frozenset(("id", "refusal", "annotations", "audio", "function_call", "parsed"))
"""Keys that clients send back with a turn of the model's; they ask nothing."""


class CalledFunction(View):
    name: str = ""
    arguments: Any = ""

    @property
    def text(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)


class Call(View):
    """A tool call of an earlier turn; only calls of functions have a `function`."""

    id: str = ""
    function: CalledFunction | None = None


class Turn(View):
    """A message of any role."""

    role: str
    content: Content | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    reasoning_content: Any = None
    reasoning: Any = None
    thinking: Any = None
    reasoning_details: Any = None
    thinking_blocks: Any = None

    def to_message(self) -> Message:
        role, text = ROLES.get(self.role, "user"), text_of(self.content)
        said = without_blocks(text)[1] if role == "assistant" else text
        calls = [call for call in self.tool_calls or () if role == "assistant" and call.function]
        return Message(
            role=role,
            content=said,
            reasoning=reasoning_text({**dict(self), "content": text}) if role == "assistant" else "",
            tool_calls=tuple(
                ToolCall(id=call.id, name=call.function.name, arguments=call.function.text)
                for call in calls
                if call.function
            ),
            tool_call_id=self.tool_call_id,
        )


class StreamOptions(View):
    include_usage: bool = False


class ChatRequest(BaseRequest):
    """The fields of a chat completion; `own` are those of the gateway's that no upstream is told."""

    own: ClassVar[frozenset[str]] = frozenset()
    messages: Annotated[list[Turn], Field(min_length=1)]
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: (
        Annotated[Annotated[str, Tag("<text>")] | Annotated[list[Any], Tag("<list>")], Discriminator(text_or_list)]
        | None
    ) = None
    seed: int | None = None
    n: Literal[1] | None = None
    stream_options: StreamOptions = StreamOptions()
    reasoning_effort: str | None = None
    modalities: list[str] | None = None
    audio: Any = None
    tools: list[AnyTool] | None = None

    @field_validator("modalities", "audio")
    @classmethod
    def _only_text_is_returned(cls, asked: Any, info: ValidationInfo) -> Any:
        if asked is not None and (info.field_name == "audio" or set(asked) - {"text"}):
            raise ValueError("only text can be returned")
        return asked

    @property
    def thinks(self) -> bool:
        return not wants_no_thinking(self._asked())

    @property
    def include_usage(self) -> bool:
        return self.stream_options.include_usage

    @property
    def asks(self) -> bool:
        """Return whether the last turn is a question: not a tool's result, which continues an earlier one."""
        return self.messages[-1].role == "user" and bool(text_of(self.messages[-1].content).strip())

    def chat(self) -> dict[str, Any]:
        return with_functions_only(self._asked(), self.tools)

    def _asked(self) -> dict[str, Any]:
        return {name: value for name, value in self._body.items() if name not in self.own}

    def _view(self) -> dict[str, Any]:
        return {
            "messages": tuple(turn.to_message() for turn in self.messages),
            "max_tokens": self.max_completion_tokens or self.max_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": self.seed,
            "stop": stop_strings(self.stop),
            "budget": None if self.thinks else 0,
        }

    def _left(self) -> list[str]:
        left = list(names_of_others(self.tools))
        if left and asks_for_other(self._body.get("tool_choice"), self.tools):
            left.append("tool_choice")
        return left

    def _qwen_fields(self) -> dict[str, Any]:
        self._other_parts()
        last = self.messages[-1]
        if last.role == "assistant" or (last.role == "user" and not text_of(last.content).strip()):
            raise refused("messages", "the last message must be the user's, and not be empty, or a tool's")
        asked = checked(ChatForQwen, self._asked())
        effort = thinking(asked.reasoning_effort) if self.thinks else {}
        return {**asked.to_fields(), **effort}

    def _unknown_to_qwen(self) -> list[str]:
        known = type(self).model_fields.keys() | ChatForQwen.model_fields.keys()
        unknown = [
            name for name, value in self._asked().items() if value and name not in known and not is_switch(name, value)
        ]
        turns = unknown_keys(self._body["messages"], _TURN_KEYS | _ECHOES, "messages")
        return [*unknown, *turns, *self._other_parts()]

    def _other_parts(self) -> list[str]:
        turns = enumerate(self.messages)
        return [name for index, turn in turns for name in other_parts(turn.content, f"messages.{index}.content")]

"""The options of a chat completion that the cluster's Qwen honours."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from gateway.requests.base import View, text_or_object
from gateway.requests.qwen import PlainText, QwenOptions, TokenCount
from gateway.requests.tools import AnyTool, AskedEffort, Function, FunctionName, Mode, chosen, tool_kind
from gateway.upstream import ToolChoice


class FunctionTool(View):
    type: Literal["function"] = "function"
    function: Function


class Name(View):
    name: FunctionName


class NamedTool(View):
    type: Literal["function"]
    function: Name


class ChatForQwen(QwenOptions):
    """The options, by the names of chat completions."""

    max_tokens: TokenCount | None = None
    max_completion_tokens: TokenCount | None = None
    reasoning_effort: AskedEffort | None = None
    response_format: PlainText | None = None
    tools: list[
        Annotated[
            Annotated[FunctionTool, Tag("<function>")] | Annotated[AnyTool, Tag("<tool>")], Discriminator(tool_kind)
        ]
    ] = Field(default=[])
    tool_choice: (
        Annotated[Annotated[Mode, Tag("<text>")] | Annotated[NamedTool, Tag("<object>")], Discriminator(text_or_object)]
        | None
    ) = None

    @field_validator("tool_choice")
    @classmethod
    def _can_be_met(cls, choice: Any, info: ValidationInfo) -> Any:
        _chosen(choice, info.data.get("tools"))
        return choice

    def to_fields(self) -> dict[str, Any]:
        """Return the options as fields of an `UpstreamRequest`."""
        tools = tuple(tool.function.to_tool() for tool in self.tools if isinstance(tool, FunctionTool))
        return {
            **self.sampling(),
            "max_tokens": self.max_completion_tokens or self.max_tokens,
            "tools": tools,
            "tool_choice": _chosen(self.tool_choice, self.tools),
        }


def _chosen(choice: Any, tools: Any) -> ToolChoice | None:
    named = choice.function.name if isinstance(choice, NamedTool) else None
    functions = [tool.function.to_tool() for tool in tools or () if isinstance(tool, FunctionTool)]
    return chosen(choice, named, functions)

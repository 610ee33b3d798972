"""The options of a chat completion that the cluster's Qwen honours."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from gateway.requests.base import View, text_or_object
from gateway.requests.qwen import PlainText, TokenCount, WithTools
from gateway.requests.tools import AnyTool, AskedEffort, Function, FunctionName, Mode, NamedFunction, tool_kind
from gateway.upstream import Tool


class FunctionTool(View):
    type: Literal["function"] = "function"
    function: Function

    def to_tool(self) -> Tool:
        return self.function.to_tool()


class Name(View):
    name: FunctionName


class NamedTool(NamedFunction):
    function: Name

    @property
    def named(self) -> str:
        return self.function.name


class ChatForQwen(WithTools):
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

    def to_fields(self) -> dict[str, Any]:
        """Return the options as fields of an `UpstreamRequest`."""
        return {**self.with_tools(), "max_tokens": self.max_completion_tokens or self.max_tokens}

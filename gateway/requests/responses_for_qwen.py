"""The options of a response that the cluster's Qwen honours."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from gateway.requests.base import View, text_or_object
from gateway.requests.qwen import PlainText, TokenCount, WithTools
from gateway.requests.tools import AnyTool, AskedEffort, Function, FunctionName, Mode, NamedFunction, tool_kind


class ResponsesTool(Function):
    type: Literal["function"] = "function"


class NamedTool(NamedFunction):
    name: FunctionName

    @property
    def named(self) -> str:
        return self.name


class QwenReasoning(View):
    effort: AskedEffort | None = None


class QwenText(View):
    format: PlainText | None = None


class ResponsesForQwen(WithTools):
    """The options, by the names of Responses."""

    max_output_tokens: TokenCount | None = None
    reasoning: QwenReasoning = QwenReasoning()
    text: QwenText = QwenText()
    tools: list[
        Annotated[
            Annotated[ResponsesTool, Tag("<function>")] | Annotated[AnyTool, Tag("<tool>")], Discriminator(tool_kind)
        ]
    ] = Field(default=[])
    tool_choice: (
        Annotated[Annotated[Mode, Tag("<text>")] | Annotated[NamedTool, Tag("<object>")], Discriminator(text_or_object)]
        | None
    ) = None

    def to_fields(self) -> dict[str, Any]:
        """Return the options as fields of an `UpstreamRequest`."""
        return {**self.with_tools(), "max_tokens": self.max_output_tokens}

"""The options of a response that the cluster's Qwen honours."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from gateway.requests.base import View, text_or_object
from gateway.requests.qwen import PlainText, QwenOptions, TokenCount
from gateway.requests.tools import AnyTool, AskedEffort, Function, FunctionName, Mode, chosen, tool_kind
from gateway.upstream import ToolChoice


class ResponsesTool(Function):
    type: Literal["function"] = "function"


class NamedTool(View):
    type: Literal["function"]
    name: FunctionName


class QwenReasoning(View):
    effort: AskedEffort | None = None


class QwenText(View):
    format: PlainText | None = None


class ResponsesForQwen(QwenOptions):
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

    @field_validator("tool_choice")
    @classmethod
    def _can_be_met(cls, choice: Any, info: ValidationInfo) -> Any:
        _chosen(choice, info.data.get("tools"))
        return choice

    def to_fields(self) -> dict[str, Any]:
        """Return the options as fields of an `UpstreamRequest`."""
        return {
            **self.sampling(),
            "max_tokens": self.max_output_tokens,
            "tools": tuple(tool.to_tool() for tool in self.tools if isinstance(tool, ResponsesTool)),
            "tool_choice": _chosen(self.tool_choice, self.tools),
        }


def _chosen(choice: Any, tools: Any) -> ToolChoice | None:
    named = choice.name if isinstance(choice, NamedTool) else None
    return chosen(choice, named, [tool.to_tool() for tool in tools or () if isinstance(tool, ResponsesTool)])

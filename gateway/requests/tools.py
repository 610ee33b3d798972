"""The common parts of requests on both OpenAI routes: functions, the choice among them, the effort of thinking."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.requests.base import Strict
from gateway.upstream import Tool, ToolChoice

Mode = Literal["auto", "none", "required"]
AskedEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{1,128}$")]


class Function(Strict):
    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    def to_tool(self) -> Tool:
        return Tool(name=self.name, description=self.description, parameters=self.parameters, strict=self.strict)


def chosen(choice: Mode | str | None, named: str | None, tools: Sequence[Tool]) -> ToolChoice | None:
    """Return the choice as part of an upstream request. Raises ValueError if no tool can meet it."""
    if named is not None:
        if named not in [tool.name for tool in tools]:
            raise ValueError(f"there is no tool {named!r} in tools")
        return ToolChoice(mode="required", name=named)
    match choice:
        case "required" if not tools:
            raise ValueError("there are no tools to call")
        case "auto" | "none" | "required":
            return ToolChoice(mode=choice)
    return None


def thinking(effort: AskedEffort | None) -> dict[str, Any]:
    """Return the fields of an `UpstreamRequest` for an effort; the effort `none` is a budget of 0."""
    return {"budget": 0} if effort == "none" else {"effort": effort}

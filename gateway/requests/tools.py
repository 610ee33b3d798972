"""The common parts of requests on all routes: functions, the choice among them, the effort of thinking."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from gateway.requests.base import View
from gateway.upstream import Tool, ToolChoice

Mode = Literal["auto", "none", "required"]
AskedEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
FunctionName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{1,128}$")]
TOOL_FIELDS = ("tools", "tool_choice", "parallel_tool_calls")


class AnyTool(View):
    """A tool of any type, and the choice of one."""

    type: str = "function"


class Function(View):
    name: FunctionName
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None

    def to_tool(self) -> Tool:
        return Tool(name=self.name, description=self.description, parameters=self.parameters, strict=self.strict)


class NamedFunction(View):
    """The choice of one function. Each route has its name in another place."""

    type: Literal["function"]

    @property
    def named(self) -> str:
        raise NotImplementedError


def is_function(tool: Any) -> bool:
    return isinstance(tool, dict) and tool.get("type") in (None, "function")


def tool_kind(tool: Any) -> str:
    """Return the tag of a tool: a function, or a tool that is left out."""
    return "<function>" if is_function(tool) or not isinstance(tool, dict) else "<tool>"


def names_of_others(tools: Sequence[AnyTool] | None) -> Iterator[str]:
    """Yield the names of the tools that are no functions, as `tools.1 (web_search)`."""
    for index, tool in enumerate(tools or ()):
        if tool.type != "function":
            yield f"tools.{index} ({tool.type})"


def asks_for_other(choice: Any, tools: Sequence[AnyTool] | None) -> bool:
    """Return whether a choice demands a tool that is no function, or one of tools among which no function is."""
    if isinstance(choice, dict):
        return choice.get("type", "function") not in ("function", "allowed_tools")
    return choice in ("required", "any") and bool(tools) and all(tool.type != "function" for tool in tools or ())


def with_functions_only(body: dict[str, Any], tools: Sequence[AnyTool] | None) -> dict[str, Any]:
    """Return the body of a chat completion without other tools, and without what only makes sense with these."""
    functions = [tool for tool in body.get("tools", ()) if is_function(tool)]
    if "tools" not in body or (functions and not any(names_of_others(tools))):
        return body
    left = TOOL_FIELDS if tools and not functions else () if functions else ("tools",)
    if asks_for_other(body.get("tool_choice"), tools):
        left = (*left, "tool_choice")
    told = {name: value for name, value in body.items() if name not in left}
    return {**told, "tools": functions} if functions else told


def functions(tools: Iterable[Any]) -> tuple[Tool, ...]:
    """Return the functions among the tools of a request."""
    return tuple(tool.to_tool() for tool in tools if not isinstance(tool, AnyTool))


def chosen(choice: Any, tools: Sequence[Tool]) -> ToolChoice | None:
    """Return the choice as part of an upstream request. Raises ValueError if no tool can meet it."""
    match choice:
        case NamedFunction(named=name) if name not in [tool.name for tool in tools]:
            raise ValueError(f"there is no tool {name!r} in tools")
        case NamedFunction(named=name):
            return ToolChoice(mode="required", name=name)
        case "required" if not tools:
            raise ValueError("there are no tools to call")
        case "auto" | "none" | "required":
            return ToolChoice(mode=choice)
    return None


def thinking(effort: Any) -> Mapping[str, Any]:
    """Return the fields of an `UpstreamRequest` for an effort; the effort `none` is a budget of 0."""
    return {"budget": 0} if effort == "none" else {"effort": effort}

"""A request as the Qwen's harness is asked: budgets for efforts, tools as its chat template takes them.

What Ray adds here: nothing.
"""

import json
from contextlib import suppress
from typing import Any

from engine.harness import Ask
from gateway.config import UpstreamSettings
from gateway.reasoning.tool_calls import END, START
from gateway.upstream import Message, ToolChoice, UpstreamRequest


def to_ask(request: UpstreamRequest, settings: UpstreamSettings) -> Ask:
    """What the harness is asked, the operator's values where the request names none."""
    return Ask(
        messages=[_turn(message) for message in request.messages],
        max_tokens=request.max_tokens if request.max_tokens is not None else settings.max_tokens,
        budget=_budget(request, settings),
        temperature=request.temperature,
        top_p=request.top_p,
        seed=request.seed,
        # One call and no more ends with its end.
        stop=request.stop + ((END,) if request.parallel_tool_calls is False else ()),
        prefill=request.prefill or _begun_call(request.tool_choice),
        tools=_shown_tools(request),
    )


def _budget(request: UpstreamRequest, settings: UpstreamSettings) -> int:
    if request.budget is not None:
        return request.budget
    return settings.efforts.budget(request.effort) if request.effort else settings.thinking_budget


def _turn(message: Message) -> dict[str, Any]:
    """As the chat template takes it, which writes a call's arguments itself."""
    turn = message.to_chat()
    for call in turn.get("tool_calls", ()):
        with suppress(ValueError):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return turn


def _shown_tools(request: UpstreamRequest) -> list[dict[str, Any]]:
    hidden = request.tool_choice is not None and request.tool_choice.mode == "none"
    return [] if hidden else [tool.to_chat() for tool in request.tools]


def _begun_call(choice: ToolChoice | None) -> str:
    """How the answer begins where it has to be a call."""
    if choice is None or choice.mode != "required":
        return ""
    name = f'{choice.name}", "arguments": ' if choice.name else ""
    return f'{START}\n{{"name": "{name}'

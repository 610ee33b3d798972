"""Requests and items translated between `gateway.upstream` and `engine.harness`, which know nothing of each other.

What Ray adds here: nothing.
"""

import json
from contextlib import suppress
from typing import Any

from engine import harness
from engine.harness import GenerationRequest
from gateway import upstream
from gateway.events import Usage
from gateway.reasoning.tool_calls import END, START
from gateway.upstream import Message, ToolChoice, UpstreamItem, UpstreamRequest
from gateway.upstream_settings import UpstreamSettings


def to_generation_request(request: UpstreamRequest, settings: UpstreamSettings) -> GenerationRequest:
    """Translate a request. Values that it leaves out are the operator's."""
    return GenerationRequest(
        messages=[_to_template(message) for message in request.messages],
        max_tokens=request.max_tokens if request.max_tokens is not None else settings.max_tokens,
        budget=_budget(request, settings),
        temperature=request.temperature,
        top_p=request.top_p,
        top_k=request.top_k,
        min_p=request.min_p,
        presence_penalty=request.presence_penalty,
        frequency_penalty=request.frequency_penalty,
        repetition_penalty=request.repetition_penalty,
        logit_bias=request.logit_bias,
        seed=request.seed,
        # If calls may not be parallel, the answer ends with the end of the first.
        stop=request.stop + ((END,) if request.parallel_tool_calls is False else ()),
        prefill=request.prefill or _call_prefill(request.tool_choice),
        tools=_tools(request),
    )


def to_upstream_item(item: harness.Text | harness.ThinkingEnded | harness.Finished, prompt_tokens: int) -> UpstreamItem:
    """Translate an item of the harness; `prompt_tokens` are part of the usage at the end."""
    match item:
        case harness.Text(text=text):
            return upstream.Text(text)
        case harness.ThinkingEnded(tokens=tokens, ended_by=ended_by):
            return upstream.ThinkingEnded(tokens=tokens, ended_by=ended_by)
        case harness.Finished():
            usage = Usage(
                prompt_tokens=prompt_tokens,
                cached_tokens=item.cached_tokens,
                completion_tokens=item.tokens,
                reasoning_tokens=item.thinking_tokens,
            )
            return upstream.Finished(finish_reason=item.finish_reason, usage=usage)


def _budget(request: UpstreamRequest, settings: UpstreamSettings) -> int:
    if request.budget is not None:
        return request.budget
    return settings.efforts.budget(request.effort) if request.effort else settings.default_budget


def _to_template(message: Message) -> dict[str, Any]:
    """Return the message in the shape of the chat template, which serializes the arguments of calls itself.

    The reasoning is in the field that Qwen's templates know; a template without it does not look there.
    """
    turn = message.to_chat() | ({"reasoning_content": message.reasoning} if message.reasoning else {})
    for call in turn.get("tool_calls", ()):
        with suppress(ValueError):
            call["function"]["arguments"] = json.loads(call["function"]["arguments"])
    return turn


def _tools(request: UpstreamRequest) -> list[dict[str, Any]]:
    hidden = request.tool_choice is not None and request.tool_choice.mode == "none"
    return [] if hidden else [tool.to_chat() for tool in request.tools]


def _call_prefill(choice: ToolChoice | None) -> str:
    """Return the beginning of an answer that must be a call, else an empty string."""
    if choice is None or choice.mode != "required":
        return ""
    name = f'{choice.name}", "arguments": ' if choice.name else ""
    return f'{START}\n{{"name": "{name}'

"""The request of `POST /v1/responses`: OpenAI's Responses, without storage and without tools of the server.

Behind the gateway it is a chat completion: what has a counterpart there is translated, the rest is left out and named.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from gateway.requests.base import BaseRequest, ReasoningOptions, View, checked, refused
from gateway.requests.chat import Turn
from gateway.requests.items import Input, left_items, media, to_turns
from gateway.requests.qwen import QwenOptions, stop_strings
from gateway.requests.responses_for_qwen import ResponsesForQwen
from gateway.requests.thinking import SWITCHES, is_switch, wants_no_thinking
from gateway.requests.tools import TOOL_FIELDS, AnyTool, asks_for_other, is_function, names_of_others, thinking

SAME = (
    *("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty"),
    *("logit_bias", "seed", "stop", "metadata", "user", "safety_identifier", "service_tier", "prompt_cache_key"),
    *("prompt_cache_retention", *SWITCHES[1:]),
)
"""Fields that a chat completion has, too, or that APIs take there."""
ECHOED = ("instructions", "max_output_tokens", "temperature", "top_p", "user", "prompt_cache_key")
NOTHING_ASKED = {"truncation": "disabled", "include": ["reasoning.encrypted_content"], "n": 1}
"""Values that ask for what is done anyway."""


class AskedReasoning(View):
    """Options of the reasoning. `summary: concise` gives one for the whole trace at its end; others grow with it."""

    effort: str | None = None
    summary: Literal["auto", "concise", "detailed", "none"] | None = None
    generate_summary: Literal["auto", "concise", "detailed", "none"] | None = None

    @property
    def summarized(self) -> str | None:
        asked = self.summary or self.generate_summary
        return asked if asked != "none" else None


class TextOptions(View):
    format: dict[str, Any] | None = None
    verbosity: Any = None


class ResponsesRequest(BaseRequest):
    """The whole request. Nothing is stored."""

    conversation: ClassVar[str] = "input"
    input: Input
    instructions: str | None = None
    stream: bool = False
    asked_reasoning: Annotated[AskedReasoning, Field(alias="reasoning")] = AskedReasoning()
    max_output_tokens: int | None = None
    tools: list[AnyTool] | None = None
    metadata: dict[str, Any] | None = None
    text: TextOptions = TextOptions()
    store: bool | None = None
    background: Any = None
    previous_response_id: Any = None
    stored_conversation: Annotated[Any, Field(alias="conversation")] = None
    prompt: Any = None

    @classmethod
    def count_turns(cls, conversation: Any) -> int:
        return sum(_is_turn(item) for item in conversation) if isinstance(conversation, list) else 0

    @field_validator("previous_response_id", "stored_conversation", "prompt", "background")
    @classmethod
    def _nothing_is_stored(cls, asked: Any) -> Any:
        if asked:
            raise ValueError("nothing is stored here: send the whole conversation in input, and read its answer")
        return asked

    @property
    def reasoning(self) -> ReasoningOptions:
        """The options of the session: with a summary, only summaries are sent; without, only the trace."""
        budget, summary = None if self._thinks else 0, self.asked_reasoning.summarized
        if summary is None:
            return ReasoningOptions(budget=budget, summary="none")
        return ReasoningOptions(budget=budget, summary="final" if summary == "concise" else "live")

    @property
    def hides_trace(self) -> bool:
        """True if only summaries of the reasoning are sent."""
        return self.asked_reasoning.summarized is not None

    @property
    def seals_trace(self) -> bool:
        """True if the client may need the trace sealed, to send it back.

        It asks for that, or says that it stores nothing, or gets only summaries, or has tools: between their calls some
        models need their reasoning.
        """
        included = self._body.get("include")
        asked = isinstance(included, list) and "reasoning.encrypted_content" in included
        return asked or self.hides_trace or self.store is False or bool(self.tools)

    @property
    def prompt_summary(self) -> bool:
        """False after a function's output, which continues an earlier question."""
        last = checked(Turn, self._turns[-1]).to_message()
        return last.role == "user" and bool(last.content.strip()) and self.reasoning.summary != "none"

    @property
    def _thinks(self) -> bool:
        return not wants_no_thinking(self._body)

    @cached_property
    def _turns(self) -> list[dict[str, Any]]:
        first = [{"role": "system", "content": self.instructions}] if self.instructions else []
        asked = self.input
        turns = [{"role": "user", "content": asked}] if isinstance(asked, str) else list(to_turns(asked))
        if not turns:
            raise refused("input", "there is no message in it")
        return [*first, *turns]

    def chat(self) -> dict[str, Any]:
        functions = [_function(tool) for tool in self._body.get("tools", ()) if is_function(tool)]
        told = {
            "messages": self._turns,
            **{name: self._body[name] for name in SAME if name in self._body},
            "max_tokens": self.max_output_tokens,
            "reasoning_effort": self.asked_reasoning.effort,
            "response_format": _response_format(self.text.format),
            "verbosity": self.text.verbosity,
            "store": self.store or None,
            **self._logprobs(),
        }
        if functions:
            told["tools"] = functions
            told["parallel_tool_calls"] = self._body.get("parallel_tool_calls")
            if not asks_for_other(choice := self._body.get("tool_choice"), self.tools):
                told["tool_choice"] = _choice(choice)
        return {name: value for name, value in told.items() if value is not None}

    def echo(self) -> dict[str, Any]:
        """Return the fields that a response object repeats of its request."""
        tools = [tool for tool in self._body.get("tools", ()) if is_function(tool)]
        choice = self._body.get("tool_choice")
        reasoning = {"effort": self.asked_reasoning.effort, "summary": self.asked_reasoning.summarized}
        return {
            **{name: self._body.get(name) for name in ECHOED},
            "metadata": self.metadata or {},
            "parallel_tool_calls": self._body.get("parallel_tool_calls") is not False,
            "previous_response_id": None,
            "reasoning": reasoning,
            "store": False,
            "text": {"format": self.text.format or {"type": "text"}},
            "tool_choice": "auto" if not choice or asks_for_other(choice, self.tools) else choice,
            "tools": tools,
            "truncation": "disabled",
        }

    def _view(self) -> dict[str, Any]:
        return {
            "messages": tuple(checked(Turn, turn).to_message() for turn in self._turns),
            "max_tokens": self.max_output_tokens,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "seed": None,
            "stop": stop_strings(self._body.get("stop")),
            "budget": None if self._thinks else 0,
        }

    def _left(self) -> list[str]:
        counterparts = {
            *SAME,
            *ResponsesRequest.model_fields,
            *TOOL_FIELDS,
            "reasoning",
            "top_logprobs",
            "conversation",
        }
        fields = [
            name
            for name, value in self._body.items()
            if value and name not in counterparts and value != NOTHING_ASKED.get(name)
        ]
        known = AskedReasoning.model_fields
        fields += [f"reasoning.{name}" for name in self._body.get("reasoning", ()) if name not in known]
        fields += names_of_others(self.tools)
        if asks_for_other(self._body.get("tool_choice"), self.tools):
            fields.append("tool_choice")
        items: Sequence[Any] = () if isinstance(self.input, str) else self.input
        for path, piece in media(items):
            if piece.to_chat() is None:
                raise refused(path, "files are not stored here: send it as data or, a picture, by its URL")
        return [*fields, *left_items(items)]

    def _qwen_fields(self) -> dict[str, Any]:
        for path, piece in media(() if isinstance(self.input, str) else self.input):
            raise refused(path, f"this model takes text only, and not {piece.type!r}")
        last = self._turns[-1]
        if last["role"] == "assistant" or (last["role"] == "user" and not last["content"].strip()):
            raise refused("input", "the last item must be the user's message, and not be empty, or a function's output")
        asked = checked(ResponsesForQwen, self._body)
        effort = thinking(asked.reasoning.effort) if self._thinks else {}
        return {**asked.to_fields(), **effort}

    def _unknown_to_qwen(self) -> list[str]:
        honoured = {*QwenOptions.model_fields, "metadata"}
        unknown = [name for name in SAME if self._body.get(name) and name not in honoured]
        unknown = [name for name in unknown if not is_switch(name, self._body[name])]
        asked = {"store": self.store, "text.verbosity": self.text.verbosity, **self._logprobs()}
        return [*unknown, *(name for name, value in asked.items() if value)]

    def _logprobs(self) -> dict[str, Any]:
        count = self._body.get("top_logprobs")
        return {"logprobs": True, "top_logprobs": count} if count else {}


def _function(tool: dict[str, Any]) -> dict[str, Any]:
    function = {name: value for name, value in tool.items() if name != "type" and value is not None}
    return {"type": "function", "function": function}


def _choice(choice: Any) -> Any:
    """Return the choice of a tool as chat completions have it."""
    match choice:
        case {"type": "function", "name": name}:
            return {"type": "function", "function": {"name": name}}
        case {"type": "allowed_tools", "tools": [*tools], **allowed}:
            functions = [_function(tool) for tool in tools if is_function(tool)]
            return {"type": "allowed_tools", "allowed_tools": {**allowed, "tools": functions}}
    return choice


def _response_format(format: dict[str, Any] | None) -> dict[str, Any] | None:
    match format:
        case None | {"type": "text"}:
            return None
        case {"type": "json_schema"}:
            schema = {name: value for name, value in format.items() if name != "type" and value is not None}
            return {"type": "json_schema", "json_schema": schema}
    return format


def _is_turn(item: Any) -> bool:
    """Return whether an item becomes a message of its own; reasoning and calls become a part of one."""
    return not (isinstance(item, dict) and item.get("type") in ("reasoning", "function_call"))

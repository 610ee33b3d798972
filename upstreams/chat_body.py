"""The bodies that an API is sent: the chat that the client wrote, with as few changes as there can be.

The gateway sets `model` and `stream`, and the reasoning on earlier turns; the operator adds `body` and `no_thinking`,
and takes out `drop_fields`. Knows nothing of sockets or answers.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from gateway.errors import InvalidRequest
from gateway.requests.fields import merged, without
from gateway.turns import REASONING_FIELDS, reasoning_text, without_blocks
from gateway.upstream import UpstreamRequest
from gateway.upstream_settings import HttpUpstreamSettings, ReasoningBack
from upstreams.prefill import begun

PLAIN_FIELDS = ("reasoning_content", "reasoning")
"""The fields that a client's word decides between before the API has answered; without it, the first."""
LISTS = {"reasoning_details": "text", "thinking_blocks": "thinking"}
"""The fields that are lists of entries, and where an entry has its text."""


class ChatBodies:
    """Bodies for one API. It learns for each model in which field the API writes its reasoning, and writes it there."""

    def __init__(self, settings: HttpUpstreamSettings) -> None:
        self._settings = settings
        self._fields: dict[str, str] = {}

    def learn(self, model: str, field: str | None) -> None:
        """Remember the field of the reasoning in an answer of the model, if there was any."""
        if field:
            self._fields[model] = field

    def encode(self, request: UpstreamRequest) -> bytes:
        """Return the body as JSON. Raises InvalidRequest for a budget of thinking."""
        body = self.body(request)
        try:
            return orjson.dumps(body)
        except orjson.JSONEncodeError:  # numbers of more than 64 bits
            return json.dumps(body).encode()

    def body(self, request: UpstreamRequest) -> dict[str, Any]:
        """Return the body. Raises InvalidRequest for a budget of thinking."""
        if request.budget:
            raise InvalidRequest("this model's API does not take a budget of thinking", param="reasoning.budget")
        settings, chat = self._settings, request.to_chat()
        if request.prefill:
            chat = begun(chat, request.prefill, settings.prefill)
        turns = with_reasoning(chat["messages"], settings.reasoning_back, self._fields.get(request.model))
        body = merged({**chat, "model": request.model, "messages": turns, "stream": True}, settings.body)
        if request.budget == 0:
            body = merged(body, settings.no_thinking)
        for path in settings.drop_fields:
            body = without(body, path)
        return body


def with_reasoning(turns: list[Any], back: ReasoningBack, field: str | None) -> list[Any]:
    """Return the turns with the reasoning of those that should have it in `field`, and no other reasoning."""
    asked = max((index for index, turn in enumerate(turns) if turn.get("role") == "user"), default=-1)
    return [
        _turn(turn, field, back == "always" or (back == "tools" and index > asked and _called(turn)))
        for index, turn in enumerate(turns)
    ]


def _called(turn: Mapping[str, Any]) -> bool:
    return bool(turn.get("tool_calls") or turn.get("function_call"))


def _turn(turn: dict[str, Any], field: str | None, back: bool) -> dict[str, Any]:
    if turn.get("role") != "assistant":
        return turn
    came = {name: turn[name] for name in REASONING_FIELDS if name in turn}
    rest = {name: value for name, value in turn.items() if name not in came}
    if not back:
        return rest if came else turn
    block, content = without_blocks(turn.get("content"))
    if block:
        rest["content"] = content
    return {**rest, **_reasoning(came, reasoning_text(turn), field)}


def _reasoning(came: Mapping[str, Any], text: str, field: str | None) -> dict[str, Any]:
    """Return the reasoning in the API's own field. What it has signed or sealed goes back to it as it came, too."""
    sealed = {name: came[name] for name in LISTS if any(_has(came.get(name), "signature", "data"))}
    if not text:
        return sealed
    field = field or next((name for name in PLAIN_FIELDS if came.get(name)), PLAIN_FIELDS[0])
    if field not in LISTS:
        return {**sealed, field: text}
    said = {LISTS[field]: text, "type": "thinking" if field == "thinking_blocks" else "reasoning.text"}
    return {field: [said], **({field: came[field]} if any(_has(came.get(field), LISTS[field])) else {}), **sealed}


def _has(entries: Any, *names: str) -> Iterator[bool]:
    for entry in entries if isinstance(entries, list) else ():
        yield isinstance(entry, dict) and any(entry.get(name) for name in names)

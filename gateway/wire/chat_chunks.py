"""The chunks of a streaming /chat/completions API, in all dialects: events to the items of an answer.

The field of the reasoning differs (DeepSeek, SGLang and llama.cpp: `reasoning_content`; vLLM, Ollama, Groq:
`reasoning`; OpenRouter: that and `reasoning_details`; Mistral: parts of a list in `content`). Knows nothing of sockets
or markers.
"""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from gateway.errors import UpstreamCut, UpstreamNotJson
from gateway.events import FinishReason, Usage
from gateway.reasoning import Segment
from gateway.upstream import Finished, Text, ToolPiece
from gateway.wire.chat_errors import failed, is_error
from gateway.wire.sse import Received

FIELDS = ("reasoning_content", "reasoning", "reasoning_details")
EVENT_TYPES = ("", "message", "error")
"""The types of events that belong to the answer. Others, such as a ping, are passed over."""
FINISH_REASONS: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
"""Finish reasons by the words that APIs have for them; any other word means `stop`."""


Read = Text | Segment | ToolPiece


class ChunkReader:
    """Reads one answer. The first field that carries reasoning is the only one read: the others repeat it."""

    def __init__(self) -> None:
        self._field: str | None = None
        self._finish_reason: FinishReason | None = None
        self._usage = Usage()
        self._calls: list[Any] = []
        self.over = False

    @property
    def whole(self) -> bool:
        """True once the answer is whole: after [DONE] or, from APIs that do not send it, after a finish reason."""
        return self.over or self._finish_reason is not None

    def feed(self, event: Received) -> list[Read]:
        """Return the items of one event. Raises UpstreamNotJson, and UpstreamError for an error that the API sends."""
        data = event.data.strip()
        if data == "[DONE]":
            self.over = True
        if event.type not in EVENT_TYPES or data in ("", "[DONE]"):
            return []
        if event.type == "error":
            raise failed(event.data)
        chunk = _object(event.data)
        choices = _dicts(chunk.get("choices"))
        if chunk.get("error") or (not choices and is_error(chunk)):
            raise failed(event.data)
        if isinstance(usage := chunk.get("usage"), dict):
            self._usage = _usage(usage)
        items: list[Read] = []
        for choice in choices:
            if choice.get("finish_reason") == "error" or choice.get("error"):
                raise failed(event.data)
            self._read(choice, items)
        return items

    def finish(self) -> Finished:
        """Return the end of the answer; its usage is 0 if the API sent none. Raises UpstreamCut if it is not whole."""
        if not self.whole:
            raise UpstreamCut("the upstream's answer was cut off before its end; ask again")
        return Finished(finish_reason=self._finish_reason or "stop", usage=self._usage)

    def _read(self, choice: dict[str, Any], items: list[Read]) -> None:
        if isinstance(reason := choice.get("finish_reason"), str):
            self._finish_reason = FINISH_REASONS.get(reason, "stop")
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return
        if reasoning := self._reasoning(delta):
            items.append(Segment("reasoning", reasoning))
        content = delta.get("content")
        if isinstance(content, list):
            items += _parts(content)
        elif content and isinstance(content, str):
            items.append(Text(content))
        if calls := delta.get("tool_calls"):
            items += [self._call(call) for call in _dicts(calls)]

    def _call(self, call: dict[str, Any]) -> ToolPiece:
        """Number the calls from 0; they are distinguished by their index or, if an API sends none, by their id."""
        id, function = call.get("id"), call.get("function")
        key = call.get("index", id)
        if key is None and self._calls:
            key = self._calls[-1]
        if key not in self._calls:
            self._calls.append(key)
        named = function if isinstance(function, dict) else {}
        return ToolPiece(
            index=self._calls.index(key),
            id=_text(id),
            name=_text(named.get("name")),
            arguments=_text(named.get("arguments")),
        )

    def _reasoning(self, delta: dict[str, Any]) -> str:
        for field in (self._field,) if self._field else FIELDS:
            if (value := delta.get(field)) and (text := _text(value)):
                self._field = field
                return text
        return ""


def _object(data: str) -> dict[str, Any]:
    try:
        chunk = orjson.loads(data)
    except orjson.JSONDecodeError:
        chunk = _lenient(data)
    if not isinstance(chunk, dict):
        raise UpstreamNotJson(f"the upstream sent a chunk that is not a JSON object: {data[:80]!r}")
    return chunk


def _lenient(data: str) -> Any:
    """Read JSON as some APIs write it: with NaN, or with half a surrogate pair of a cut emoji, which becomes `?`."""
    try:
        plain = json.dumps(json.loads(data), ensure_ascii=False)
    except ValueError:
        return None
    return json.loads(plain.encode(errors="replace"))


def _parts(parts: list[Any]) -> Iterator[Text | Segment]:
    for part in _dicts(parts):
        if part.get("type") == "thinking":
            if thinking := _text(part.get("thinking")):
                yield Segment("reasoning", thinking)
        elif text := _text(part.get("text")):
            yield Text(text)


def _text(value: Any) -> str:
    """Return the text of a field, which may be a string or a list of parts."""
    if isinstance(value, str):
        return value
    texts = (part.get("text") or part.get("summary") for part in _dicts(value))
    return "".join(text for text in texts if isinstance(text, str))


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _usage(usage: dict[str, Any]) -> Usage:
    prompt = _details(usage, "prompt_tokens_details", "input_tokens_details")
    completion = _details(usage, "completion_tokens_details", "output_tokens_details")
    return Usage(
        prompt_tokens=_count(usage, "prompt_tokens", "input_tokens"),
        completion_tokens=_count(usage, "completion_tokens", "output_tokens"),
        reasoning_tokens=_count(completion, "reasoning_tokens") or _count(usage, "reasoning_tokens"),
        cached_tokens=_count(prompt, "cached_tokens") or _count(usage, "prompt_cache_hit_tokens", "cached_tokens"),
    )


def _details(usage: dict[str, Any], *names: str) -> dict[str, Any]:
    return next((details for name in names if isinstance(details := usage.get(name), dict)), {})


def _count(counts: dict[str, Any], *names: str) -> int:
    values = (counts.get(name) for name in names)
    return next((value for value in values if type(value) is int and value > 0), 0)

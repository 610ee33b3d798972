"""The chunks of a streaming /chat/completions API, in all dialects: events to the items of an answer.

The field of the reasoning differs (DeepSeek, SGLang and llama.cpp: `reasoning_content`; vLLM, Ollama, Groq:
`reasoning`; OpenRouter: that and `reasoning_details`; LiteLLM: `thinking_blocks`; Mistral: parts of a list in
`content`), and so does the place of the text. Knows nothing of sockets or markers.
"""

from collections.abc import Hashable, Iterator
from typing import Any

from gateway.errors import UpstreamCut, UpstreamNotJson
from gateway.events import FinishReason, Usage
from gateway.reasoning import Segment
from gateway.upstream import Finished, Text, ToolPiece
from gateway.wire.chat_calls import FUNCTION_CALL, CallReader
from gateway.wire.chat_errors import failed, is_error
from gateway.wire.chat_json import Halves, load, without_halves
from gateway.wire.sse import Received

FIELDS = ("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks", "reasoning_text")
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
PART_TEXTS = ("text", "thinking", "summary", "refusal", "reasoning", "content")
"""The fields of a part that may hold its text, or parts of its own."""

MAX_DEPTH = 8
"""Parts within parts that are read."""

Read = Text | Segment | ToolPiece


class ChunkReader:
    """Reads one answer. The first field that carries reasoning is the only one read: the others repeat it.

    `reasoning_field` is its name, None before there is any. After [DONE] the answer is `over`.
    """

    def __init__(self) -> None:
        self.reasoning_field: str | None = None
        self._finish_reason: FinishReason | None = None
        self._usage = Usage()
        self._calls = CallReader()
        self._halves: Halves | None = None  # until a chunk comes whose text may be cut within a character
        self._by_delta = False
        self.over = False

    @property
    def whole(self) -> bool:
        """True once the answer is whole: after [DONE] or, from APIs that do not send it, after a finish reason."""
        return self.over or self._finish_reason is not None

    def feed(self, event: Received) -> list[Read]:
        """Return the items of one event. Raises UpstreamNotJson, and UpstreamError for an error that the API sends."""
        try:
            return self._feed(event)
        except RecursionError:
            raise UpstreamNotJson("the upstream sent a chunk that is nested too deeply") from None

    def _feed(self, event: Received) -> list[Read]:
        data = event.data.strip()
        if self.over or event.type not in EVENT_TYPES or data in ("", "[DONE]"):
            self.over = self.over or data == "[DONE]"
            return []
        if event.type == "error":
            raise failed(event.data)
        chunk = self._object(event.data)
        if chunk.get("error") or (not chunk.get("choices") and is_error(chunk)):
            raise failed(event.data)
        items: list[Read] = []
        for choice in _dicts(chunk.get("choices")):
            if choice.get("finish_reason") == "error" or choice.get("error"):
                raise failed(event.data)
            self._read(choice, items)
        if isinstance(usage := chunk.get("usage"), dict):
            self._usage = _usage(usage)
        return self._joined(items) if self._halves else items

    def close(self) -> list[Read]:
        """Return what was held back, when nothing more comes."""
        held: list[Read] = [*self._calls.close()]
        if self._halves:
            held = self._joined(held)
            held += [_item(place, half) for place, half in self._halves.close()]
        return held

    def finish(self) -> Finished:
        """Return the end of the answer; its usage is 0 if the API sent none. Raises UpstreamCut if it is not whole."""
        if not self.whole:
            raise UpstreamCut("the upstream's answer was cut off before its end; ask again")
        return Finished(finish_reason=self._finish_reason or "stop", usage=self._usage)

    def _object(self, data: str) -> dict[str, Any]:
        chunk, may_be_cut = load(data)
        if not isinstance(chunk, dict):
            raise UpstreamNotJson(f"the upstream sent a chunk that is not a JSON object: {data[:80]!r}")
        if may_be_cut and self._halves is None:
            self._halves = Halves()
        return chunk

    def _read(self, choice: dict[str, Any], items: list[Read]) -> None:
        """Read a choice. A whole message, or the text of an API for plain completions, counts only without deltas."""
        if (reason := choice.get("finish_reason")) and isinstance(reason, str):
            self._finish_reason = FINISH_REASONS.get(reason, "stop")
        if isinstance(usage := choice.get("usage"), dict):
            self._usage = _usage(usage)
        if isinstance(delta := choice.get("delta"), dict):
            self._take(delta, items)
        if self._by_delta or items:
            self._by_delta = True
            return
        if isinstance(message := choice.get("message"), dict):
            self._take(message, items)
        if not items and (text := choice.get("text")) and isinstance(text, str):
            items.append(Text(text))

    def _take(self, delta: dict[str, Any], items: list[Read]) -> None:
        """Read a delta, or a whole message in its place."""
        if reasoning := self._reasoning(delta):
            items.append(Segment("reasoning", reasoning))
        if content := delta.get("content"):
            if isinstance(content, str):
                items.append(Text(content))
            else:
                items += _parts(content)
        if (refusal := delta.get("refusal")) and isinstance(refusal, str):
            items.append(Text(refusal))
        if calls := delta.get("tool_calls"):
            items += map(self._calls.read, _dicts(calls))
        elif isinstance(function := delta.get("function_call"), dict):
            items.append(self._calls.read({"index": FUNCTION_CALL, "function": function}))

    def _reasoning(self, delta: dict[str, Any]) -> str:
        if self.reasoning_field:
            return _text(value) if (value := delta.get(self.reasoning_field)) else ""
        if len(delta) > 1 or "content" not in delta:
            for field in FIELDS:
                if (value := delta.get(field)) and (text := _text(value)):
                    self.reasoning_field = field
                    return text
        return ""

    def _joined(self, items: list[Read]) -> list[Read]:
        """Return items without halves of surrogate pairs; reasoning waits for its other half until something else."""
        assert self._halves is not None
        joined: list[Read] = []
        for item in items:
            if not isinstance(item, Segment) and (half := self._halves.take(Segment)):
                joined.append(Segment("reasoning", half))
            match item:
                case Segment(kind=kind, text=text):
                    if text := self._halves.joined(Segment, text):
                        joined.append(Segment(kind, text))
                case Text(text=text):
                    if text := self._halves.joined(Text, text):
                        joined.append(Text(text))
                case ToolPiece(index=index, id=id, name=name, arguments=arguments):
                    arguments = self._halves.joined(index, arguments)
                    joined.append(
                        ToolPiece(index=index, id=without_halves(id), name=without_halves(name), arguments=arguments)
                    )
        return joined


def _item(place: Hashable, text: str) -> Read:
    if isinstance(place, int):
        return ToolPiece(index=place, arguments=text)
    return Segment("reasoning", text) if place is Segment else Text(text)


def _parts(content: Any) -> Iterator[Text | Segment]:
    """Return the items of a content that is a part or a list of parts."""
    for part in content if isinstance(content, list) else [content]:
        if isinstance(part, dict) and part.get("type") in ("thinking", "reasoning"):
            if thinking := _text(part):
                yield Segment("reasoning", thinking)
        elif text := _text(part):
            yield Text(text)


def _text(value: Any, depth: int = MAX_DEPTH) -> str:
    """Return the text of a field: a string, a part, or a list of them, down to `depth` of them in each other."""
    if isinstance(value, str):
        return value
    if not depth:
        return ""
    if isinstance(value, dict):
        return next(filter(None, (_text(value[name], depth - 1) for name in PART_TEXTS if name in value)), "")
    return "".join(_text(part, depth - 1) for part in value) if isinstance(value, list) else ""


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

"""OpenAI's chat completions: events to chunks, or all of them to one whole completion.

Reasoning goes out as `reasoning_content` and nothing else: the trace, its summary, or both. Summaries go out as
`reasoning_details`, too, inside valid chunks. Each part is an item with an `index` of its own, by which openai-python
merges lists. The summary of the prompt is the first.
Reasoning that came late follows the response, in a chunk of its own; in a whole completion it joins the reasoning.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from gateway.events import (
    Event,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryPart,
    ResponseDelta,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    ToolCallDelta,
    Usage,
)
from gateway.sealing import GrowingText
from gateway.upstream_settings import Show
from gateway.wire.chat_reasoning import ShownReasoning, part_text
from gateway.wire.openai import DONE, PART_END, PROMPT_TITLE, completion_details, data, error_body, heading


class ChatCompletionsWriter:
    """Writes one answer; with `include_usage` its last chunk has the usage. `show` is what `reasoning_content` carries.

    With `sealed` the trace is once more among the details, sealed: for clients that send back nothing else of it.
    """

    def __init__(self, include_usage: bool = False, sealed: GrowingText | None = None, show: Show = "trace") -> None:
        self._include_usage, self._sealed = include_usage, sealed
        self._shown = ShownReasoning(show)
        self._common: dict[str, Any] = {}
        self._details = 0
        self._prompt_begun = False
        self._calls: set[int] = set()

    def stream(self, events: Iterable[Event]) -> bytes:
        return b"".join(chunk for event in events for chunk in self._chunks(event))

    def keep_alive(self) -> bytes:
        """Return an empty chunk, for clients that ignore comments."""
        return self._chunk({})

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return all events of a completed answer as one `chat.completion`."""
        message: dict[str, Any] = {"role": "assistant", "content": ""}
        finish_reason, usage = "stop", Usage()
        for event in events:
            if isinstance(event, StreamCompleted):
                finish_reason, usage = event.finish_reason, event.usage
            for delta in self._deltas(event):
                if isinstance(event, StreamCompleted) and "reasoning_content" in delta:
                    _add(message, {"reasoning_content": _gap(message.get("reasoning_content", ""))})
                _add(message, delta)
        if "tool_calls" in message:
            message["content"] = message["content"] or None
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
        body = {"object": "chat.completion", **self._common, "choices": [choice], "usage": usage_object(usage)}
        return orjson.dumps(body)

    def _chunks(self, event: Event) -> Iterator[bytes]:
        for delta in self._deltas(event):
            yield self._chunk(delta)
        match event:
            case StreamCompleted(finish_reason=reason, usage=usage):
                yield self._chunk({}, reason)
                if self._include_usage:
                    yield self._event(choices=[], usage=usage_object(usage))
                yield DONE
            case StreamFailed(error=failure):
                yield data(error_body(failure))
            case _:
                pass

    def _deltas(self, event: Event) -> Iterator[dict[str, Any]]:
        if isinstance(event, ResponseDelta):  # most events of an answer are these
            yield {"content": event.delta}
            return
        shown = {"reasoning_content": text} if (text := self._shown.feed(event)) else {}
        match event:
            case ReasoningDelta(delta=delta):
                if self._sealed is not None:
                    self._sealed.add(delta)
                if shown:
                    yield shown
            case StreamStarted(id=id, model=model, created=created):
                self._common = {"id": id, "created": created, "model": model}
                yield {"role": "assistant", "content": ""}
            case PromptSummaryDelta(delta=delta):
                yield {**shown, **self._summary(delta if self._prompt_begun else heading(PROMPT_TITLE) + delta)}
                self._prompt_begun = True
            case PromptSummaryDone() if self._prompt_begun:
                yield {**shown, **self._summary(PART_END)}
                self._details += 1
            case ReasoningDone() if self._sealed:
                yield self._detail("reasoning.encrypted", data=self._sealed.seal(), format="unknown")
                self._details += 1
            case ReasoningSummaryPart():
                yield {**shown, **self._summary(part_text(event))}
                self._details += 1
            case ToolCallDelta():
                yield {"tool_calls": [self._call(event)]}
            case StreamCompleted(late_summary=summary):
                if shown:
                    yield shown
                if summary:
                    yield self._summary(summary + PART_END)
            case _ if shown:
                yield shown
            case _:
                pass

    def _summary(self, text: str) -> dict[str, Any]:
        return self._detail("reasoning.summary", summary=text)

    def _detail(self, type: str, **fields: str) -> dict[str, Any]:
        return {"reasoning_details": [{"index": self._details, "type": type, **fields}]}

    def _call(self, event: ToolCallDelta) -> dict[str, Any]:
        if event.index in self._calls:
            return {"index": event.index, "function": {"arguments": event.arguments}}
        self._calls.add(event.index)
        function = {"name": event.name, "arguments": event.arguments}
        return {"index": event.index, "id": event.id, "type": "function", "function": function}

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
        return self._event(choices=[{"index": 0, "delta": delta, "finish_reason": finish_reason}])

    def _event(self, **fields: Any) -> bytes:
        return data({"object": "chat.completion.chunk", **self._common, **fields})


def usage_object(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": completion_details(usage),
        **({"estimated": True} if usage.estimated else {}),
    }


def _gap(text: str) -> str:
    """Return what must stand between a text and a new paragraph."""
    return "" if not text or text.endswith(PART_END) else PART_END


def _add(message: dict[str, Any], delta: dict[str, Any]) -> None:
    """Merge a delta into a message as clients do: join text, merge lists by the index of their items."""
    for name, value in delta.items():
        match value:
            case list():
                items = message.setdefault(name, [])
                for item in value:
                    _add_item(items, dict(item))
            case dict():
                _add(message.setdefault(name, {}), value)
            case str() if name not in ("role", "type"):
                message[name] = message.get(name, "") + value
            case _:
                message[name] = value


def _add_item(items: list[dict[str, Any]], item: dict[str, Any]) -> None:
    index = item.pop("index")
    if index == len(items):
        items.append({})
    _add(items[index], item)

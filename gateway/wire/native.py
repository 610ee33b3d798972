"""The native wire of `POST /v1/reasoning`: events as JSON, numbered in a stream, or all folded into one answer."""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import orjson

from gateway.errors import Failure
from gateway.events import (
    EVENT_TYPES,
    Event,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDone,
    ReasoningSummaryPart,
    ResponseDone,
    Span,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    Timings,
    ToolCallDone,
    Usage,
)
from gateway.wire import sse

PING_NAME = "ping"
PING = sse.encode(PING_NAME, orjson.dumps({"type": PING_NAME}))
"""A sign of life."""

_NESTED: dict[str, type[Any]] = {"span": Span, "usage": Usage, "timings": Timings, "error": Failure}


_FIELDS = {
    name: tuple(field.name for field in fields(event) if field.name != "sequence_number")
    for name, event in EVENT_TYPES.items()
}


def to_dict(event: Event, number: int) -> dict[str, Any]:
    """Return the event's JSON object: `type`, `sequence_number`, then its fields as `gateway.events` names them."""
    body: dict[str, Any] = {"type": event.type, "sequence_number": number}
    for name in _FIELDS[event.type]:
        body[name] = getattr(event, name)
    if isinstance(event, StreamFailed):
        body["error"] = error_object(event.error)
    return body


def error_object(failure: Failure) -> dict[str, Any]:
    return {
        "type": failure.type,
        "message": failure.message,
        "stage": failure.stage,
        "retryable": failure.retryable,
        "code": failure.code,
    }


def encode(event: Event) -> bytes:
    """Return the event as JSON in UTF-8, with the number it has."""
    return orjson.dumps(to_dict(event, event.sequence_number))


class UnknownEvent(ValueError):
    """A JSON object with a `type` that no event has: one of a newer gateway, or of no gateway at all."""


def decode(data: bytes | str) -> Event:
    """Return the event in JSON as `encode` and NativeWriter write it. Raises UnknownEvent, a ValueError, for an event
    of another name, and ValueError for anything else."""
    body = orjson.loads(data)
    name = body.pop("type", None) if isinstance(body, dict) else None
    event_type = EVENT_TYPES.get(name) if isinstance(name, str) else None
    if event_type is None:
        error = UnknownEvent if isinstance(name, str) else ValueError
        raise error(f"not an event of the gateway: {data[:80]!r}")
    try:
        return event_type(**{name: _nested(name, value) for name, value in body.items()})
    except TypeError as error:
        raise ValueError(f"{event_type.type}: {error}") from None


def _nested(name: str, value: Any) -> Any:
    return _NESTED[name](**value) if name in _NESTED else value


class NativeWriter:
    """Writes one answer. Its events are numbered here, from 0, in the order in which they are written."""

    def __init__(self) -> None:
        self._number = 0

    def stream(self, events: Iterable[Event]) -> bytes:
        """Return the events as server-sent events."""
        return b"".join(map(self._encoded, events))

    def keep_alive(self) -> bytes:
        """Return a server-sent event for readers that count events. It is none of the stream's, and has no number."""
        return PING

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the answer to a request with `stream: false`."""
        return orjson.dumps(whole(events))

    def _encoded(self, event: Event) -> bytes:
        encoded = sse.encode(event.type, orjson.dumps(to_dict(event, self._number)))
        self._number += 1
        return encoded


def whole(events: Iterable[Event]) -> dict[str, Any]:
    """Return all events folded into one object; a failed stream has what came before, and `error`."""
    answer: dict[str, Any] = {"reasoning": {"text": ""}, "reasoning_summary": {"text": "", "parts": []}}
    for event in events:
        _fold(answer, event)
    return answer


def _fold(answer: dict[str, Any], event: Event) -> None:
    match event:
        case StreamStarted(id=id, model=model, created=created):
            answer |= {"id": id, "model": model, "created": created}
        case PromptSummaryDone(text=text, written_by=written_by):
            answer["prompt_summary"] = {"text": text, "written_by": written_by}
        case ReasoningDelta(delta=delta):
            answer["reasoning"]["text"] += delta
        case ReasoningDone():
            answer["reasoning"] |= _without_number(event)
        case ReasoningSummaryPart():
            answer["reasoning_summary"]["parts"].append(_without_number(event))
        case ReasoningSummaryDone(text=text):
            answer["reasoning_summary"]["text"] = text
        case ToolCallDone(id=id, name=name, arguments=arguments):
            answer.setdefault("tool_calls", []).append({"id": id, "name": name, "arguments": arguments})
        case ResponseDone(text=text):
            answer["response"] = text
        case StreamCompleted() | StreamFailed():
            answer |= _without_number(event)
        case _:
            pass


def _without_number(event: Event) -> dict[str, Any]:
    body = to_dict(event, event.sequence_number)
    return {name: value for name, value in body.items() if name not in ("type", "sequence_number")}

"""The native wire of `POST /v1/reasoning`: an event as JSON, in a stream of them, or all folded into one answer."""

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
    Usage,
)
from gateway.wire import sse

_NESTED: dict[str, type[Any]] = {"span": Span, "usage": Usage, "timings": Timings, "error": Failure}


def to_dict(event: Event) -> dict[str, Any]:
    """The event's JSON object: `type`, `sequence_number`, then its fields as the design's table names them."""
    names = [field.name for field in fields(event)]
    body: dict[str, Any] = {"type": event.type, **{name: getattr(event, name) for name in names}}
    if isinstance(event, StreamFailed):
        body["error"] = error_object(event.error)
    return body


def error_object(failure: Failure) -> dict[str, Any]:
    return {
        "type": failure.type,
        "message": failure.message,
        "stage": failure.stage,
        "retryable": failure.retryable,
    }


def dumps(body: dict[str, Any]) -> bytes:
    """JSON in UTF-8; what is nested in an event may stand in it as it is."""
    return orjson.dumps(body)


def encode(event: Event) -> bytes:
    return dumps(to_dict(event))


def decode(data: bytes | str) -> Event:
    """The event in a piece of JSON that `encode` wrote. Raises ValueError for anything else."""
    body = orjson.loads(data)
    name = body.pop("type", None) if isinstance(body, dict) else None
    event_type = EVENT_TYPES.get(name) if isinstance(name, str) else None
    if event_type is None:
        raise ValueError(f"not an event of the gateway: {data[:80]!r}")
    try:
        return event_type(**{name: _nested(name, value) for name, value in body.items()})
    except TypeError as error:
        raise ValueError(f"{event_type.type}: {error}") from None


def _nested(name: str, value: Any) -> Any:
    return _NESTED[name](**value) if name in _NESTED else value


def stream(events: Iterable[Event]) -> bytes:
    """Events as server-sent events, ready for the socket."""
    return b"".join(sse.encode(event.type, encode(event)) for event in events)


class NativeWriter:
    """The wire as the routes use one."""

    def stream(self, events: Iterable[Event]) -> bytes:
        return stream(events)

    def keep_alive(self) -> bytes:
        """A comment does: the gateway's own client takes no notice of silence."""
        return sse.PING

    def whole(self, events: Iterable[Event]) -> bytes:
        return dumps(whole(events))


def whole(events: Iterable[Event]) -> dict[str, Any]:
    """The answer of a request with `stream: false`; a failed stream gives what came, and `error`."""
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
        case ResponseDone(text=text):
            answer["response"] = text
        case StreamCompleted() | StreamFailed():
            answer |= _without_number(event)
        case _:
            pass


def _without_number(event: Event) -> dict[str, Any]:
    body = to_dict(event)
    return {name: value for name, value in body.items() if name not in ("type", "sequence_number")}

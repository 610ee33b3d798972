"""OpenAI's Responses: events to its events; the response object grows beside them, for whole answers.

The summary of the prompt is the first reasoning item, the only place that works in every client. It is followed by the
reasoning, as its summary or as it is, by message and function call items, and by an item for reasoning that came late.
Open items are closed before the end, also before a failure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from io import StringIO
from typing import Any, NamedTuple

import orjson

from gateway.events import (
    Event,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDone,
    ReasoningSummaryPart,
    ResponseDelta,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    ToolCallDelta,
    ToolCallDone,
)
from gateway.sealing import GrowingText
from gateway.wire import sse
from gateway.wire.openai import DONE, PART_END, PROMPT_TITLE, heading
from gateway.wire.response_fields import response_error, usage_object
from gateway.wire.response_kinds import KINDS

Body = dict[str, Any]


class _Call(NamedTuple):
    """An item of a call that is open, and its arguments so far."""

    item: Body
    arguments: StringIO


INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Finish reasons that leave a response incomplete, and its words for them."""


class ResponsesWriter:
    """Writes one answer. `echo` holds the fields of the request that a response object repeats.

    With `growing` the reasoning item has the trace in `encrypted_content` once it is done; with `hides_trace` it has
    the trace nowhere else.
    """

    def __init__(
        self, echo: Mapping[str, Any], *, hides_trace: bool = False, growing: Callable[[], GrowingText] | None = None
    ) -> None:
        self._echo, self._number = echo, 0
        self._hides_trace, self._growing = hides_trace, growing
        self._trace = growing() if growing else None
        self._sealed, self._over = "", False
        self._response: Body = {}
        self._places: dict[str, int] = {}  # of the items in the output, by id
        self._item: Body | None = None
        self._part: Body | None = None
        self._said = StringIO()  # in the open part
        self._calls: dict[int, _Call] = {}

    def stream(self, events: Iterable[Event]) -> bytes:
        encoded = [self._encoded(body) for event in events for body in self._bodies(event)]
        return b"".join([*encoded, DONE if self._over else b""])

    def keep_alive(self) -> bytes:
        """Return another `response.in_progress`, for clients that ignore comments."""
        return self._encoded(self._whole("in_progress"))

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the response object after all events of an answer."""
        for event in events:
            for _ in self._bodies(event):
                pass
        return orjson.dumps(self._response)

    def _encoded(self, body: Body) -> bytes:
        numbered = {"type": body["type"], "sequence_number": self._number, **body}
        self._number += 1
        return sse.encode(body["type"], orjson.dumps(numbered))

    def _bodies(self, event: Event) -> Iterator[Body]:
        match event:
            case StreamStarted():
                yield from self._start(event)
            case PromptSummaryDelta(delta=delta):
                yield from self._say("summary_text", delta, heading(PROMPT_TITLE))
            case PromptSummaryDone() if self._item:
                yield self._delta(PART_END)
                yield from self._close()
            case ReasoningDelta(delta=delta):
                if self._trace is not None:
                    self._trace.add(delta)
                if not self._hides_trace:
                    yield from self._say("reasoning_text", delta)
            case ReasoningDone():
                self._seal_trace()
                if self._part:
                    yield from self._close()
            case ReasoningSummaryPart(title=title, text=text):
                yield from self._say("summary_text", heading(title) + text + PART_END)
                yield from self._close_part()
            case ReasoningSummaryDone():
                yield from self._close_reasoning()
            case ResponseDelta(delta=delta):
                yield from self._say("output_text", delta)
            case ToolCallDelta():
                yield from self._call(event)
            case ToolCallDone(index=index):
                yield from self._close_call(self._calls.pop(index), "completed")
            case StreamCompleted() | StreamFailed():
                yield from self._end(event)
            case _:
                pass

    def _start(self, event: StreamStarted) -> Iterator[Body]:
        self._response = {
            "id": event.id,
            "object": "response",
            "created_at": event.created,
            "status": "in_progress",
            "background": False,
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            "model": event.model,
            "output": [],
            **self._echo,
            "usage": None,
        }
        yield self._whole("created")
        yield self._whole("in_progress")

    def _end(self, event: StreamCompleted | StreamFailed) -> Iterator[Body]:
        match event:
            case StreamFailed(error=failure):
                ending: Body = {"status": "failed", "error": response_error(failure)}
            case StreamCompleted(finish_reason=reason) if reason in INCOMPLETE:
                ending = {"status": "incomplete", "incomplete_details": {"reason": INCOMPLETE[reason]}}
            case StreamCompleted():
                ending = {"status": "completed"}
        yield from self._close("completed" if ending["status"] == "completed" else "incomplete")
        for call in self._calls.values():
            yield from self._close_call(call, "incomplete")
        self._response |= ending
        if isinstance(event, StreamCompleted):
            yield from self._say_late(event)
            self._response["completed_at"] = self._response["created_at"] + round(event.timings.total)
            self._response["usage"] = usage_object(event.usage)
        self._over = True
        yield self._whole(ending["status"])

    def _say(self, kind: str, text: str, lead: str = "") -> Iterator[Body]:
        """Add text, in an item and a part that are opened if none are open; `lead` is the beginning of a new part."""
        if self._item is None:
            yield self._open(kind)
        if self._part is None:
            yield self._open_part(kind)
            text = lead + text
        yield self._delta(text)

    def _say_late(self, event: StreamCompleted) -> Iterator[Body]:
        if self._trace is not None:
            self._trace.add(event.late_reasoning)
        self._seal_trace()
        if event.late_reasoning and not self._hides_trace:
            yield from self._say("reasoning_text", event.late_reasoning)
        elif event.late_summary:
            yield from self._say("summary_text", event.late_summary + PART_END)
        yield from self._close_reasoning()

    def _seal_trace(self) -> None:
        if self._trace and self._growing:
            self._sealed, self._trace = self._trace.seal(), self._growing()

    def _close_reasoning(self) -> Iterator[Body]:
        """Close the item of the reasoning. If there is no summary of it, an item has the sealed trace alone."""
        if self._sealed and self._item is None:
            yield self._open("summary_text")
        yield from self._close()

    def _open(self, kind: str) -> Body:
        self._item = self._new(KINDS[kind].item, KINDS[kind].new_item())
        return self._about("output_item.added", self._item)

    def _new(self, type: str, fields: Body) -> Body:
        output = self._response["output"]
        prefix = {"reasoning": "rs", "message": "msg", "function_call": "fc"}[type]
        id = f"{prefix}_{self._response['id'].partition('_')[2]}_{len(output)}"
        self._places[id] = len(output)
        output.append({"id": id, "type": type, "status": "in_progress", **fields})
        item: Body = output[-1]
        return item

    def _open_part(self, kind: str) -> Body:
        assert self._item is not None
        self._part = {"type": kind, **KINDS[kind].new_part()}
        self._item[KINDS[kind].list].append(self._part)
        return self._at(f"{KINDS[kind].part}.added", part=self._part)

    def _delta(self, text: str) -> Body:
        assert self._part is not None
        self._said.write(text)
        return self._at(f"{KINDS[self._part['type']].text}.delta", delta=text, **self._logprobs())

    def _close_part(self) -> Iterator[Body]:
        if self._part is None:
            return
        kind = KINDS[self._part["type"]]
        self._part["text"], self._said = self._said.getvalue(), StringIO()
        yield self._at(f"{kind.text}.done", text=self._part["text"], **self._logprobs())
        yield self._at(f"{kind.part}.done", part=self._part)
        self._part = None

    def _close(self, status: str = "completed") -> Iterator[Body]:
        """Close the open part and the open item, if any."""
        yield from self._close_part()
        if self._item is not None:
            self._item["status"] = status
            if self._sealed:
                self._item["encrypted_content"], self._sealed = self._sealed, ""
            yield self._about("output_item.done", self._item)
            self._item = None

    def _call(self, event: ToolCallDelta) -> Iterator[Body]:
        if event.index not in self._calls:
            yield from self._close()
            fields = {"call_id": event.id, "name": event.name, "arguments": ""}
            self._calls[event.index] = _Call(self._new("function_call", fields), StringIO())
            yield self._about("output_item.added", self._calls[event.index].item)
        if event.arguments:
            call = self._calls[event.index]
            call.arguments.write(event.arguments)
            yield self._about("function_call_arguments.delta", call.item, delta=event.arguments)

    def _close_call(self, call: _Call, status: str) -> Iterator[Body]:
        item = call.item
        item["arguments"] = call.arguments.getvalue()
        yield self._about("function_call_arguments.done", item, arguments=item["arguments"])
        item["status"] = status
        yield self._about("output_item.done", item)

    def _whole(self, name: str) -> Body:
        return {"type": f"response.{name}", "response": self._response}

    def _about(self, name: str, item: Body, **fields: Any) -> Body:
        """Return an event about an item: with the item itself if it is added or done, else with its id."""
        held = {"item": item} if name.startswith("output_item.") else {"item_id": item["id"]}
        return {"type": f"response.{name}", "output_index": self._places[item["id"]], **held, **fields}

    def _at(self, name: str, **fields: Any) -> Body:
        """Return an event about the open part."""
        assert self._item is not None and self._part is not None
        kind = KINDS[self._part["type"]]
        return self._about(name, self._item, **{kind.index: len(self._item[kind.list]) - 1}, **fields)

    def _logprobs(self) -> Body:
        return {"logprobs": []} if self._part and self._part["type"] == "output_text" else {}

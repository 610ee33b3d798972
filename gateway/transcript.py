"""What has come of one answer so far, and when; it gives the events that close its sections.

Knows nothing of the order of events, nor of where the answer comes from.
"""

import time
from dataclasses import dataclass, field

from gateway.events import EndedBy, ReasoningDone, ResponseDone, StreamCompleted, Timings, ToolCallDelta, ToolCallDone
from gateway.upstream import Finished, ThinkingEnded, ToolPiece
from gateway.written import Written


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: Written = field(default_factory=Written)


class Transcript:
    """Seconds count from its making. `id` is the request's; `thinks` is false where it wants no thinking."""

    def __init__(self, id: str, thinks: bool) -> None:
        self._id, self._thinks = id, thinks
        self._calls: dict[int, _Call] = {}
        self.began = time.monotonic()
        self._times: dict[str, float] = {}
        self._thought_characters = 0
        self._response, self._late = Written(), Written()
        self.thought: ThinkingEnded | None = None
        self.reasoning_open = True

    @property
    def begun(self) -> bool:
        return bool(self._thought_characters) or self.answered

    @property
    def answered(self) -> bool:
        return bool(self._response or self._calls)

    def reasoning(self, text: str) -> bool:
        """Take reasoning; False where it is late: the response has begun."""
        if not self.reasoning_open:
            self._late.write(text)
            return False
        self.mark("first_reasoning")
        self._thought_characters += len(text)
        return True

    def response(self, text: str) -> None:
        self.mark("first_response")
        self._response.write(text)

    def call(self, piece: ToolPiece) -> ToolCallDelta:
        """Take a piece of a tool call; a call that comes without an id is given one."""
        self.mark("first_response")
        index = piece.index
        new = _Call(piece.id or f"call_{self._id.partition('-')[2] or self._id}_{index}", piece.name)
        call = self._calls.setdefault(index, new)
        call.arguments.write(piece.arguments)
        return ToolCallDelta(index=index, id=call.id, name=call.name, arguments=piece.arguments)

    def end_calls(self, finished: Finished) -> list[ToolCallDone]:
        """The calls that are whole: an answer cut at its token limit may have ended in the middle of its last one."""
        calls = sorted(self._calls.items())
        whole = calls[:-1] if finished.finish_reason == "length" else calls
        return [
            ToolCallDone(index=index, id=call.id, name=call.name, arguments=str(call.arguments))
            for index, call in whole
        ]

    def mark(self, name: str) -> None:
        """Note the time of something that counts only once; `name` is a field of `Timings`."""
        self._times.setdefault(name, self._elapsed())

    def reached(self, name: str) -> float | None:
        """When that was, in seconds; None where it has not come."""
        return self._times.get(name)

    def end_reasoning(self) -> ReasoningDone:
        self.reasoning_open = False
        began = self._times.get("first_reasoning")
        return ReasoningDone(
            characters=self._thought_characters,
            tokens=self.thought.tokens if self.thought else None,
            seconds=round(self._elapsed() - began, 3) if began is not None else 0.0,
            ended_by=self._ended_by(),
        )

    def end_response(self) -> ResponseDone:
        return ResponseDone(text=str(self._response))

    def completed(self, finished: Finished) -> StreamCompleted:
        return StreamCompleted(
            finish_reason=finished.finish_reason,
            usage=finished.usage,
            timings=Timings(**self._times, total=self._elapsed()),
            late_reasoning=str(self._late),
        )

    def _ended_by(self) -> EndedBy:
        if not self._thinks and not self._thought_characters:
            return "request"
        if self.thought:
            return self.thought.ended_by
        if not self._thought_characters:
            return "absent"
        return "marker" if self.answered else "truncated"

    def _elapsed(self) -> float:
        return round(time.monotonic() - self.began, 3)

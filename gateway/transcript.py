"""One answer so far: its text, its calls and its times, and the events that close its sections.

Knows nothing of the order of events, nor of where the answer comes from.
"""

import time
from dataclasses import dataclass, field

from gateway.events import EndedBy, ReasoningDone, ResponseDone, StreamCompleted, Timings, ToolCallDelta, ToolCallDone
from gateway.upstream import Finished, ThinkingEnded, ToolPiece


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: list[str] = field(default_factory=list)


class Transcript:
    """The answer to the request `id`, which begins now; `thinks` is false if the request wants no thinking.

    Of the reasoning only its length is kept: whoever needs its text has it already.
    """

    def __init__(self, id: str, thinks: bool) -> None:
        self._id, self._thinks = id, thinks
        self._calls: dict[int, _Call] = {}
        self.began = time.monotonic()
        self._times: dict[str, float] = {}
        self._reasoning_size = 0
        self._response: list[str] = []
        self._late: list[str] = []
        self.thinking_ended: ThinkingEnded | None = None
        self.reasoning_open = True

    @property
    def begun(self) -> bool:
        """True once anything of the answer has come."""
        return bool(self._reasoning_size) or self.answered

    @property
    def answered(self) -> bool:
        """True once anything of the response or of a tool call has come."""
        return bool(self._response or self._calls)

    def add_reasoning(self, text: str) -> bool:
        """Add reasoning; return False if it is late, because the response has begun."""
        if not self.reasoning_open:
            self._late.append(text)
            return False
        self.mark("first_reasoning")
        self._reasoning_size += len(text)
        return True

    def add_response(self, text: str) -> None:
        self.mark("first_response")
        self._response.append(text)

    def add_call(self, piece: ToolPiece) -> ToolCallDelta:
        """Add a piece of a tool call; a call that comes without an id is given one."""
        self.mark("first_response")
        index = piece.index
        new = _Call(piece.id or f"call_{self._id.partition('-')[2] or self._id}_{index}", piece.name)
        call = self._calls.setdefault(index, new)
        call.arguments.append(piece.arguments)
        return ToolCallDelta(index=index, id=call.id, name=call.name, arguments=piece.arguments)

    def end_calls(self, finished: Finished) -> list[ToolCallDone]:
        """Return the calls that are whole: an answer cut at its token limit may have ended inside its last one."""
        calls = sorted(self._calls.items())
        whole = calls[:-1] if finished.finish_reason == "length" else calls
        return [
            ToolCallDone(index=index, id=call.id, name=call.name, arguments="".join(call.arguments))
            for index, call in whole
        ]

    def mark(self, name: str) -> None:
        """Record the time at which something happened first; `name` is a field of `Timings`."""
        if name not in self._times:
            self._times[name] = self._elapsed()

    def time_of(self, name: str) -> float | None:
        """Return when something happened first, in seconds since the start; None if it has not."""
        return self._times.get(name)

    def end_reasoning(self) -> ReasoningDone:
        self.reasoning_open = False
        began = self._times.get("first_reasoning")
        return ReasoningDone(
            characters=self._reasoning_size,
            tokens=self.thinking_ended.tokens if self.thinking_ended else None,
            seconds=round(self._elapsed() - began, 3) if began is not None else 0.0,
            ended_by=self._ended_by(),
        )

    def end_response(self) -> ResponseDone:
        return ResponseDone(text="".join(self._response))

    @property
    def late_reasoning(self) -> str:
        """The reasoning that came late; blank text alone is nothing."""
        late = "".join(self._late)
        return late if late.strip() else ""

    def completed(self, finished: Finished, late_reasoning: str, late_summary: str) -> StreamCompleted:
        return StreamCompleted(
            finish_reason=finished.finish_reason,
            usage=finished.usage,
            timings=Timings(**self._times, total=self._elapsed()),
            late_reasoning=late_reasoning,
            late_summary=late_summary,
        )

    def _ended_by(self) -> EndedBy:
        if not self._thinks and not self._reasoning_size:
            return "request"
        if self.thinking_ended:
            return self.thinking_ended.ended_by
        if not self._reasoning_size:
            return "absent"
        return "marker" if self.answered else "truncated"

    def _elapsed(self) -> float:
        return round(time.monotonic() - self.began, 3)

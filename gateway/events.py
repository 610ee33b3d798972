"""The vocabulary: every event that the gateway can send, whichever wire carries it.

Names and fields never change; `tests/gateway/test_events.py` checks them. Knows nothing of order, wire or transport.
"""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from gateway.errors import Failure

WrittenBy = Literal["model", "extract", "none"]
EndedBy = Literal["marker", "budget", "request", "truncated", "absent"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the trace, in characters: `trace[start:end]`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Numbers of tokens, as the upstream counts them. `completion_tokens` include `reasoning_tokens`.

    `cached_tokens` are those of the prompt that the upstream had in its cache. `estimated` is true if the upstream
    reported no `completion_tokens`. What the summaries cost is not in these: `summary_tokens` were generated for them,
    those of drafts that were thrown away among them; their prompts had `summary_prompt_tokens`, of which
    `summary_cached_tokens` were in the cache.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    cached_tokens: int = 0
    estimated: bool = False
    summary_tokens: int = 0
    summary_prompt_tokens: int = 0
    summary_cached_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Seconds from the start of the stream to each first event; None if there was none."""

    prompt_summary: float | None = None
    first_reasoning: float | None = None
    first_response: float | None = None
    total: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseEvent:
    """The native wire numbers the events of a stream from 0; an event that has not been sent has the number -1."""

    type: ClassVar[str]
    sequence_number: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStarted(BaseEvent):
    """The first event. `created` is in Unix seconds."""

    type: ClassVar[str] = "stream.started"
    id: str
    model: str
    created: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSummaryDelta(BaseEvent):
    type: ClassVar[str] = "prompt_summary.delta"
    delta: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSummaryDone(BaseEvent):
    type: ClassVar[str] = "prompt_summary.done"
    text: str
    written_by: WrittenBy


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDelta(BaseEvent):
    type: ClassVar[str] = "reasoning.delta"
    delta: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningSummaryDelta(BaseEvent):
    """A piece of the text of summary part `index`, while it is written."""

    type: ClassVar[str] = "reasoning_summary.delta"
    index: int
    delta: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningSummaryPart(BaseEvent):
    """Summary part `index`, whole. `span` is the stretch of the reasoning that it summarizes."""

    type: ClassVar[str] = "reasoning_summary.part"
    index: int
    title: str
    text: str
    span: Span
    written_by: WrittenBy


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningSummaryHeadline(BaseEvent):
    """A title, of at most eight words, for what the model is doing right now; it is dropped once that has passed.

    `index` is that of the part which is to come. The trace has `characters` so far, after so many `seconds`.
    """

    type: ClassVar[str] = "reasoning_summary.headline"
    index: int
    text: str
    characters: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningDone(BaseEvent):
    """The end of the trace: its `characters`, its `tokens` if the upstream counts them, the `seconds` it took."""

    type: ClassVar[str] = "reasoning.done"
    characters: int
    tokens: int | None
    seconds: float
    ended_by: EndedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasoningSummaryDone(BaseEvent):
    """The end of the reasoning summary; `text` is that of all parts, joined."""

    type: ClassVar[str] = "reasoning_summary.done"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseDelta(BaseEvent):
    type: ClassVar[str] = "response.delta"
    delta: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDelta(BaseEvent):
    """A piece of the `arguments` of a call of one of the client's tools."""

    type: ClassVar[str] = "tool_call.delta"
    index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCallDone(BaseEvent):
    """A whole call."""

    type: ClassVar[str] = "tool_call.done"
    index: int
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseDone(BaseEvent):
    type: ClassVar[str] = "response.done"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCompleted(BaseEvent):
    """The last event of an answer.

    `late_reasoning` is reasoning that came after the response had begun; `late_summary` is its summary: its title in
    bold, a blank line, and its text.
    """

    type: ClassVar[str] = "stream.completed"
    finish_reason: FinishReason
    usage: Usage
    timings: Timings = field(default_factory=Timings)
    late_reasoning: str = ""
    late_summary: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFailed(BaseEvent):
    """The last event of a stream that failed; what was sent before it remains valid."""

    type: ClassVar[str] = "stream.failed"
    error: Failure


Event = (
    StreamStarted
    | PromptSummaryDelta
    | PromptSummaryDone
    | ReasoningDelta
    | ReasoningSummaryDelta
    | ReasoningSummaryPart
    | ReasoningSummaryHeadline
    | ReasoningDone
    | ReasoningSummaryDone
    | ResponseDelta
    | ToolCallDelta
    | ToolCallDone
    | ResponseDone
    | StreamCompleted
    | StreamFailed
)
EVENT_TYPES: dict[str, type[Event]] = {event.type: event for event in Event.__args__}
LAST_EVENTS = (StreamCompleted, StreamFailed)

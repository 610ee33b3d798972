"""Five answers as lists of events, and their bytes in each wire format.

`python -m tests.fakes.scripted_runs` rewrites the snapshots beside tests/gateway/wire/test_snapshots.py.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from gateway.errors import UpstreamCut
from gateway.events import (
    Event,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDelta,
    ReasoningSummaryDone,
    ReasoningSummaryPart,
    ResponseDelta,
    ResponseDone,
    Span,
    StreamCompleted,
    StreamFailed,
    StreamStarted,
    Timings,
    ToolCallDelta,
    ToolCallDone,
    Usage,
)
from gateway.order import Sequencer
from gateway.requests.responses import ResponsesRequest
from gateway.wire.chat_completions import ChatCompletionsWriter
from gateway.wire.native import NativeWriter
from gateway.wire.responses import ResponsesWriter

SNAPSHOTS = Path(__file__).parent.parent / "gateway" / "wire" / "snapshots"
USAGE = Usage(prompt_tokens=7, completion_tokens=12, reasoning_tokens=5)
ARGUMENTS = '{"city": "Oslo"}'


def _numbered(*events: Event) -> list[Event]:
    """Return events as the sequencer releases them. Assert that they are in order: it releases each at once."""
    sequencer = Sequencer("strict")
    numbered = [released for event in events for released in sequencer.put(event)]
    assert len(numbered) == len(events)
    return numbered


def _completed(reason: str = "stop", late: str = "", late_summary: str = "") -> StreamCompleted:
    return StreamCompleted(
        finish_reason=reason,  # type: ignore[arg-type]
        usage=USAGE,
        timings=Timings(prompt_summary=0.2, first_reasoning=0.1, first_response=0.6, total=1.4),
        late_reasoning=late,
        late_summary=late_summary,
    )


STARTED = StreamStarted(id="rsn_1a2b", model="qwen", created=1_800_000_000)
PROMPT = (
    PromptSummaryDelta(delta="You ask"),
    PromptSummaryDelta(delta=" this."),
    PromptSummaryDone(text="You ask this.", written_by="model"),
)
REASONING = (
    ReasoningDelta(delta="Six times "),
    ReasoningDelta(delta="seven.\u2028"),
    ReasoningSummaryDelta(index=0, delta="It is"),
    ReasoningSummaryDelta(index=0, delta=" 42."),
    ReasoningSummaryPart(
        index=0, title="The product", text="It is 42.", span=Span(start=0, end=11), written_by="model"
    ),
    ReasoningDelta(delta="Checked."),
    ReasoningDone(characters=25, tokens=5, seconds=0.5, ended_by="marker"),
    ReasoningSummaryPart(index=1, title="Check", text="Checked.", span=Span(start=11, end=25), written_by="extract"),
    ReasoningSummaryDone(text="It is 42.\n\nChecked."),
)
NO_REASONING = (
    ReasoningDone(characters=0, tokens=None, seconds=0.0, ended_by="absent"),
    ReasoningSummaryDone(text=""),
)
RESPONSE = (ResponseDelta(delta="Forty"), ResponseDelta(delta="-two."), ResponseDone(text="Forty-two."))
CALLS = (
    ResponseDelta(delta="Let me look."),
    ToolCallDelta(index=0, id="call_1", name="weather", arguments=""),
    ToolCallDelta(index=0, id="call_1", name="weather", arguments='{"city": '),
    ToolCallDelta(index=0, id="call_1", name="weather", arguments='"Oslo"}'),
    ToolCallDelta(index=1, id="call_2", name="time", arguments="{}"),
    ToolCallDone(index=0, id="call_1", name="weather", arguments=ARGUMENTS),
    ToolCallDone(index=1, id="call_2", name="time", arguments="{}"),
    ResponseDone(text="Let me look."),
)
FAILED = StreamFailed(error=UpstreamCut("it was cut off").failure())
RUNS: dict[str, list[Event]] = {
    "plain": _numbered(STARTED, *PROMPT, *REASONING, *RESPONSE, _completed()),
    "no_reasoning": _numbered(STARTED, *PROMPT, *NO_REASONING, *RESPONSE, _completed("length")),
    "tools": _numbered(STARTED, *PROMPT, *REASONING, *CALLS, _completed("tool_calls")),
    "failure": _numbered(STARTED, *PROMPT, *REASONING, RESPONSE[0], ResponseDone(text="Forty"), FAILED),
    "late_reasoning": _numbered(
        STARTED, *PROMPT, *REASONING, *RESPONSE, _completed(late="Wait.", late_summary="**Doubt**\n\nIt waits.")
    ),
}


def responses_request(**fields: object) -> ResponsesRequest:
    return ResponsesRequest.model_validate({"input": "What is six times seven?", **fields})


def _chat(events: Iterable[Event]) -> bytes:
    return ChatCompletionsWriter(include_usage=True).stream(events)


def _summaries(events: Iterable[Event]) -> bytes:
    kept = (
        replace(event, late_reasoning="") if isinstance(event, StreamCompleted) else event
        for event in events
        if not isinstance(event, ReasoningDelta)
    )
    return ResponsesWriter(responses_request(reasoning={"summary": "auto"}).echo()).stream(kept)


def _unsummarized(event: Event) -> Event:
    match event:
        case PromptSummaryDone():
            return PromptSummaryDone(text="", written_by="none")
        case StreamCompleted():
            return replace(event, late_summary="")
    return event


def _trace(events: Iterable[Event]) -> bytes:
    dropped = (PromptSummaryDelta, ReasoningSummaryDelta, ReasoningSummaryPart)
    silent = (_unsummarized(event) for event in events if not isinstance(event, dropped))
    return ResponsesWriter(responses_request().echo()).stream(silent)


WIRES: dict[str, Callable[[Iterable[Event]], bytes]] = {
    "native": lambda events: NativeWriter().stream(events),
    "chat_completions": _chat,
    "responses_summaries": _summaries,
    "responses_trace": _trace,
}
"""The bytes of events on each route. A Responses request is for summaries or for the trace, never for both."""


def path(wire: str, run: str) -> Path:
    return SNAPSHOTS / f"{wire}.{run}.sse"


if __name__ == "__main__":
    SNAPSHOTS.mkdir(exist_ok=True)
    for wire, encode in WIRES.items():
        for run, events in RUNS.items():
            path(wire, run).write_bytes(encode(events))

"""The reasoning that chat completions show: the trace, its summary, or each part above its stretch of the trace."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import orjson
import pytest

from gateway.events import Event, ReasoningDelta, ReasoningSummaryPart, Span
from gateway.upstream_settings import Show
from gateway.wire import sse
from gateway.wire.chat_completions import ChatCompletionsWriter
from gateway.wire.chat_reasoning import ShownReasoning
from tests.fakes.scripted_runs import RUNS

TRACE = "Six times seven.\u2028Checked."
PROMPT = "**Prompt**\n\nYou ask this.\n\n"
SUMMARY = f"{PROMPT}**The product**\n\nIt is 42.\n\n**Check**\n\nChecked.\n\n"
BOTH = f"{PROMPT}**The product**\n\nIt is 42.\n\nSix times s\n\n**Check**\n\nChecked.\n\neven.\u2028Checked.\n\n"
"""The spans of the parts in `RUNS` end inside words, as those of real ones do not."""
SHOWN: dict[tuple[str, str], str] = {
    **{("trace", run): TRACE for run in RUNS},
    **{("summary", run): SUMMARY for run in RUNS},
    **{("both", run): BOTH for run in RUNS},
    ("trace", "no_reasoning"): "",
    ("summary", "no_reasoning"): PROMPT,
    ("both", "no_reasoning"): PROMPT,
}
LATE = {"trace": "Wait.", "summary": "**Doubt**\n\nIt waits.\n\n", "both": "**Doubt**\n\nIt waits.\n\nWait."}


def deltas(show: Show, events: Sequence[Event]) -> list[dict[str, Any]]:
    chunks = sse.Decoder().feed(ChatCompletionsWriter(show=show).stream(events))
    bodies = [orjson.loads(chunk.data) for chunk in chunks if chunk.data != "[DONE]"]
    return [choice["delta"] for body in bodies for choice in body.get("choices", ())]


def shown(show: Show, events: Sequence[Event]) -> str:
    return "".join(delta.get("reasoning_content", "") for delta in deltas(show, events))


@pytest.mark.parametrize(("show", "run"), SHOWN)
def test_a_stream_shows_what_is_asked_for(show: Show, run: str) -> None:
    late = LATE[show] if run == "late_reasoning" else ""
    assert shown(show, RUNS[run]) == SHOWN[show, run] + late


@pytest.mark.parametrize(("show", "run"), [key for key in SHOWN if key[1] != "failure"])
def test_a_whole_completion_shows_the_same_with_late_reasoning_as_a_paragraph(show: Show, run: str) -> None:
    message = orjson.loads(ChatCompletionsWriter(show=show).whole(RUNS[run]))["choices"][0]["message"]
    text = SHOWN[show, run]
    gap = "\n\n" if show == "trace" else ""
    assert message.get("reasoning_content", "") == text + (gap + LATE[show] if run == "late_reasoning" else "")


@pytest.mark.parametrize("run", RUNS)
def test_details_and_the_response_are_the_same_whatever_is_shown(run: str) -> None:
    def rest(show: Show) -> list[dict[str, Any]]:
        kept = ({k: v for k, v in delta.items() if k != "reasoning_content"} for delta in deltas(show, RUNS[run]))
        return [delta for delta in kept if delta]

    assert rest("summary") == rest("both") == rest("trace")


def test_a_part_is_shown_in_the_chunk_of_its_detail() -> None:
    parts = [delta for delta in deltas("summary", RUNS["plain"]) if "reasoning_details" in delta]
    assert [delta["reasoning_content"] for delta in parts] == [
        detail["summary"] for delta in parts for detail in delta["reasoning_details"]
    ]


def test_the_trace_is_shown_as_it_comes_and_with_its_parts_a_stretch_at_a_time() -> None:
    assert [delta["reasoning_content"] for delta in deltas("trace", RUNS["plain"]) if "reasoning_content" in delta] == [
        "Six times ",
        "seven.\u2028",
        "Checked.",
    ]
    stretches = [
        text for delta in deltas("both", RUNS["plain"]) if "**" in (text := delta.get("reasoning_content", ""))
    ]
    assert "".join(stretches[1:]) == BOTH.removeprefix(PROMPT)


@pytest.mark.parametrize("run", [run for run in RUNS if run != "no_reasoning"])
def test_nothing_of_a_trace_without_parts_is_lost(run: str) -> None:
    bare = [event for event in RUNS[run] if not isinstance(event, ReasoningSummaryPart)]
    late = LATE["both"] if run == "late_reasoning" else ""
    assert shown("both", bare) == PROMPT + TRACE + late


def test_a_failure_shows_the_trace_that_waited_for_its_part() -> None:
    failed = RUNS["failure"][-1]
    writer = ShownReasoning("both")
    assert [writer.feed(event) for event in (ReasoningDelta(delta="Six "), ReasoningDelta(delta="times."), failed)] == [
        "",
        "",
        "Six times.",
    ]


def part(start: int, end: int, title: str = "T", text: str = "x") -> ReasoningSummaryPart:
    return ReasoningSummaryPart(index=0, title=title, text=text, span=Span(start=start, end=end), written_by="model")


@pytest.mark.parametrize("pieces", [1, 3, 17])
def test_stretches_are_cut_at_the_spans_however_the_trace_is_cut(pieces: int) -> None:
    trace, ends = "One. Two.\n\nThree. Four.", [0, 5, 11, 23]
    writer = ShownReasoning("both")
    for at in range(0, len(trace), pieces):
        assert writer.feed(ReasoningDelta(delta=trace[at : at + pieces])) == ""
    assert [writer.feed(part(start, end)) for start, end in pairwise(ends)] == [
        "**T**\n\nx\n\nOne. \n\n",
        "**T**\n\nx\n\nTwo.\n\n",
        "**T**\n\nx\n\nThree. Four.\n\n",
    ]


@pytest.mark.parametrize(
    ("title", "text", "shown"),
    [("", "x", "x\n\n"), ("T", "", "**T**\n\n\n\n"), ("", "", "")],
    ids=["no title", "no text", "nothing"],
)
def test_a_part_without_a_title_has_no_empty_marks(title: str, text: str, shown: str) -> None:
    assert ShownReasoning("summary").feed(part(0, 4, title, text)) == shown

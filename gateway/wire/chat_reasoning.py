"""The text of `reasoning_content` in chat completions: the trace, its summary, or each part above its stretch of it.

Most clients show that field and nothing else. Knows nothing of chunks, nor of when parts are written.
"""

from gateway.events import (
    Event,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningSummaryDone,
    ReasoningSummaryPart,
    StreamCompleted,
    StreamFailed,
)
from gateway.upstream_settings import Show
from gateway.wire.openai import PART_END, PROMPT_TITLE, heading


class ShownReasoning:
    """The text for the events of one answer, fed in order.

    With "both" the trace is kept until the part above it is there, or the summary has ended: so a part must be sent
    even if nobody has written it. Nothing of the trace is lost, and only blank lines are put between its stretches.
    """

    def __init__(self, show: Show) -> None:
        self._summarizes, self._traces = show != "trace", show != "summary"
        self._prompt_begun = False
        self._kept: list[str] = []
        self._sent = 0  # characters of the trace

    def feed(self, event: Event) -> str:
        """Return the text that an event adds, maybe none."""
        match event:
            case ReasoningDelta(delta=delta) if self._traces:
                if not self._summarizes:
                    return delta
                self._kept.append(delta)
            case PromptSummaryDelta(delta=delta) if self._summarizes:
                lead = "" if self._prompt_begun else heading(PROMPT_TITLE)
                self._prompt_begun = True
                return lead + delta
            case PromptSummaryDone() if self._prompt_begun:
                return PART_END
            case ReasoningSummaryPart(span=span) if self._summarizes:
                return part_text(event) + _paragraph(self._trace(max(0, span.end - self._sent)))
            case ReasoningSummaryDone() | StreamFailed():
                return self._trace()
            case StreamCompleted(late_reasoning=trace, late_summary=summary):
                shown = summary + PART_END if summary and self._summarizes else ""
                return shown + (trace if self._traces else "")
            case _:
                pass
        return ""

    def _trace(self, size: int | None = None) -> str:
        """Return so many characters of the trace that was kept, or all of it."""
        kept = "".join(self._kept)
        trace = kept[:size]
        self._kept = [rest] if (rest := kept[len(trace) :]) else []
        self._sent += len(trace)
        return trace


def part_text(part: ReasoningSummaryPart) -> str:
    """Return a part of the summary as text for people, with a blank line behind it; nothing for an empty one."""
    title = heading(part.title) if part.title else ""
    return title + part.text + PART_END if title or part.text else ""


def _paragraph(trace: str) -> str:
    return trace if not trace or trace.endswith(PART_END) else trace + PART_END

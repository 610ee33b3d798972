"""Headlines on their way to a client: the latest alone, and none behind the end of the trace."""

from collections.abc import Sequence

import pytest

from gateway.config import LimitSettings
from gateway.events import (
    Event,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryHeadline,
    StreamStarted,
)
from gateway.outbox import Outbox

BEGIN: list[Event] = [StreamStarted(id="rsn-1", model="m", created=1), PromptSummaryDone(text="", written_by="none")]
DELTA = ReasoningDelta(delta="So")
DONE = ReasoningDone(characters=2, tokens=None, seconds=1.0, ended_by="marker")


def headline(n: int) -> ReasoningSummaryHeadline:
    return ReasoningSummaryHeadline(index=0, text=f"Trying {n}", characters=n, seconds=1.0)


@pytest.mark.parametrize(
    ("put", "left"),
    [
        ([headline(1), DELTA, headline(2), DELTA], [DELTA, headline(2), DELTA]),
        ([headline(1), DELTA, DONE], [DELTA, DONE]),
        ([DELTA, DONE, headline(1)], [DELTA, DONE]),
        ([DELTA, DONE], [DELTA, DONE]),
    ],
    ids=["replaced", "over before it was read", "over before it came", "none"],
)
async def test_only_the_latest_headline_is_sent_while_the_trace_runs(put: Sequence[Event], left: list[Event]) -> None:
    outbox = Outbox("strict", LimitSettings(), 60)
    for event in [*BEGIN, *put]:
        outbox.put(event)
    assert await outbox.take() == [*BEGIN, *left]

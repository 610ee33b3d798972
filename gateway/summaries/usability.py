"""The drafts of summaries that could not be used, by reason: counted, and told to the operator if none can be.

Knows nothing of models and metrics; both are given.
"""

import logging
import time
from collections.abc import Callable
from typing import Literal, NamedTuple

log = logging.getLogger(__name__)

Reason = Literal["failed", "empty", "only_reasoning", "rejected", "deadline", "resting"]
"""Why a draft gave no text: the model failed, said nothing, said only what it thought, was not supported by the
reasoning, was too slow, or was not asked since it had failed before."""
WARN_AGAIN_SECONDS = 600.0
"""Seconds after which a warning is repeated if its reason is still there."""


class _Advice(NamedTuple):
    """Number of unusable drafts in a row after which a reason is no accident, what has happened, and what to set."""

    in_a_row: int
    what: str
    setting: str


_ADVICE: dict[Reason, _Advice] = {
    "failed": _Advice(
        3, "requests to it fail", "check the url and the key of its API, or set another summarizer.model"
    ),
    "empty": _Advice(3, "its answers are empty", "set another summarizer.model"),
    "only_reasoning": _Advice(
        3,
        "it only thinks, although it is asked not to",
        "set no_thinking for its API, which is added to the body of such requests, or another summarizer.model",
    ),
    "rejected": _Advice(
        10, "what it writes is not supported by the reasoning, or too short", "set a more capable summarizer.model"
    ),
    "deadline": _Advice(
        10,
        "it is too slow",
        "set a faster summarizer.model, or longer deadlines.prompt_summary and deadlines.reasoning_summary",
    ),
}


class Usability:
    """Notes the drafts of the model `name`; `on_unusable` is called with the reason of each that gave no text."""

    def __init__(
        self,
        name: str = "",
        on_unusable: Callable[[Reason], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._on_unusable, self._clock = name, on_unusable, clock
        self._in_a_row = 0
        self._warned: dict[Reason, float] = {}

    def note(self, reason: Reason | None, detail: str = "") -> None:
        """Note why a draft gave no text, or None for one that gave some. `detail` is for the log."""
        if reason is None:
            self._in_a_row = 0
            return
        self._on_unusable(reason)
        self._in_a_row += 1
        advice = _ADVICE.get(reason)
        if advice is None or self._in_a_row < advice.in_a_row or not self._may_warn(reason):
            return
        self._warned[reason] = self._clock()
        log.warning(
            "none of the last %d summaries by %s could be used, so extracts are sent: %s%s; %s",
            self._in_a_row,
            self._name,
            advice.what,
            f" ({detail})" if detail else "",
            advice.setting,
        )

    def _may_warn(self, reason: Reason) -> bool:
        return reason not in self._warned or self._clock() - self._warned[reason] >= WARN_AGAIN_SECONDS

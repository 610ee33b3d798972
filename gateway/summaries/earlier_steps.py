"""The words of the last steps of each trace: a summary that they bear better than its own step belongs to one of them.

Known are the steps that this process was asked to summarize. Where another process has had some of a trace's steps, or
too many traces run at once, fewer are compared.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence

from gateway.summaries.bearing import LexicalIndex

TRACES, STEPS = 64, 8
"""Number of traces, and of the last steps of each, that are remembered; a step holds 7 KB as a rule, 32 at most."""


class EarlierSteps:
    def __init__(self) -> None:
        self._traces: OrderedDict[str, deque[LexicalIndex]] = OrderedDict()

    def add(self, trace: str, step: LexicalIndex) -> Sequence[LexicalIndex]:
        """Add the next step of a trace and return those before it; none of a trace without a name."""
        if not trace:
            return ()
        steps = self._traces.setdefault(trace, deque(maxlen=STEPS))
        self._traces.move_to_end(trace)
        if len(self._traces) > TRACES:
            self._traces.popitem(last=False)
        before = tuple(steps)
        steps.append(step)
        return before

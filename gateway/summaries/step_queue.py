"""The stretch of a trace that no part of its summary stands for yet: steps are added, and taken all at once.

Whoever takes them may do so before the running step is over; the rest of that one waits until it is long enough, or for
the next step. So the stretches that are taken follow one another without a gap. Knows nothing of who takes them, nor
when.
"""

from gateway.summaries.excerpts import EXCERPT_CHARACTERS, both_ends
from gateway.summaries.steps import Step, Steps


class StepQueue:
    """`feed` and `close` cut the trace; what is new of their steps is added by `add`, or given away by `skip`."""

    def __init__(self) -> None:
        self._steps = Steps()
        self._taken = 0  # all text before it has been taken, or skipped
        self._is_ready = False
        self.waiting: Step | None = None

    @property
    def is_ready(self) -> bool:
        """True if a whole step waits, or so much that it need not be over; not if it is a short rest alone."""
        return self._is_ready and self.waiting is not None

    @property
    def size(self) -> int:
        """Number of characters that wait."""
        return self.waiting.end - self.waiting.start if self.waiting else 0

    def grow(self) -> bool:
        """Add the running step so far, if it is long enough with what waits, and return whether it is.

        Then all that waits may be taken, though its step is not over.
        """
        begin = self.waiting.start if self.waiting else self._taken
        if self._is_ready or not self._steps.long_enough(begin):
            return False
        more = self._steps.so_far(self.waiting.end if self.waiting else begin)
        self.waiting = joined(self.waiting, more) if more.text else self.waiting
        self._is_ready = True
        return True

    def feed(self, text: str) -> list[Step]:
        """Return the steps that the text completes."""
        return self._steps.feed(text)

    def close(self) -> list[Step]:
        """Return the last steps; from now on any rest counts as a whole step."""
        self._is_ready = True
        return self._steps.close()

    def rest(self, step: Step) -> Step:
        """Return what has not been taken of a step."""
        start = max(step.start, self._taken)
        return Step(start, step.end, step.text[start - step.start :])

    def add(self, step: Step) -> None:
        """Add what has not been taken of a step. It waits for the next step if that is only a rest."""
        rest = self.rest(step)
        self.waiting = joined(self.waiting, rest)
        self._is_ready |= rest.start == step.start

    def take(self) -> Step:
        """Return all that waits."""
        if self.waiting is None:
            raise LookupError("no step waits")
        step, self.waiting, self._is_ready = self.waiting, None, False
        self._taken = step.end
        return step

    def drop_blank(self) -> None:
        """Drop what waits if it is white space alone: at its end a trace may have some that no part stands for."""
        if self.waiting and not self.waiting.text.strip():
            self.waiting = None

    def skip(self, step: Step) -> None:
        """Give a step to somebody else, who stands for it."""
        self._taken = step.end


def joined(first: Step | None, second: Step) -> Step:
    """Return two neighbouring steps as one. Of a long one only the ends are kept, which are all that anybody sees."""
    if first is None:
        return second
    return Step(first.start, second.end, both_ends(first.text + second.text, EXCERPT_CHARACTERS))

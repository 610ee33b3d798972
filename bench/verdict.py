"""The end of a benchmark with bounds: its table, a sentence for each bound that it missed, and its exit status.

Knows nothing of what is measured.
"""

import signal
from collections.abc import Callable, Sequence
from typing import Protocol

from rich.console import Console
from rich.markdown import Markdown


class Result(Protocol):
    def markdown(self) -> str: ...

    def missed(self) -> Sequence[str]: ...


def conclude(measure: Callable[[], Result], console: Console) -> int:
    """Measure, print the result, and return the exit status: 1 if a bound is missed or something did not start.

    From then on SIGTERM interrupts as Ctrl-C does, so that what was started is stopped.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = measure()
    except RuntimeError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    console.print(Markdown(result.markdown()))
    missed = result.missed()
    for sentence in missed:
        console.print(f"missed: {sentence}", style="red", highlight=False)
    return 1 if missed else 0

"""The memory of processes over time, taken in a thread so that who waits for streams is not held up.

Knows nothing of what the processes do.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread

import psutil

from bench.load.processes import memory

PERIOD_SECONDS = 60.0


def by_part(processes: Sequence[psutil.Process], part: Callable[[psutil.Process], str]) -> Counter[str]:
    """Return the PSS in MB by what `part` names each process."""
    sizes = Counter[str]()
    for process in processes:
        sizes[part(process)] += memory([process])  # type: ignore[assignment]
    return sizes


@contextmanager
def sampled(take: Callable[[], Counter[str]], seconds: float = PERIOD_SECONDS) -> Iterator[list[Counter[str]]]:
    """Yield a list to which a sample is added every `seconds` until the exit."""
    samples, ended = list[Counter[str]](), Event()

    def sample() -> None:
        while not ended.wait(seconds):
            samples.append(take())

    thread = Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()


def table(samples: Sequence[Counter[str]]) -> str:
    """Return a Markdown table of samples: that before, those of each minute, and that after."""
    names = sorted(set().union(*samples))
    times = ["before", *map(str, range(1, len(samples) - 1)), "after"]
    rows = [
        f"| {time} | {' | '.join(f'{size:.0f}' for size in (sample.total(), *(sample[name] for name in names)))} |"
        for time, sample in zip(times, samples, strict=True)
    ]
    return "\n".join([f"| minute, MB | all | {' | '.join(names)} |", f"|---|{'--:|' * (len(names) + 1)}", *rows])

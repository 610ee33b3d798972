"""Search for the number of streams that a server sustains, on a ladder of rungs."""

from collections.abc import Callable

LADDER = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 160, 192, 224, 256, 320)


def sustained(holds: Callable[[int], bool], ladder: tuple[int, ...] = LADDER, start: int = 0) -> int:
    """Return the highest rung below the first that fails; 0 if all fail.

    The search goes up from number `start` in steps of two rungs; if one fails, the rung between is tried. If `start`
    itself fails, the search goes down. A rung fails only if it does not hold twice in a row, since a shared machine
    may have a short hiccup.
    """

    def passes(number: int) -> bool:
        return holds(ladder[number]) or holds(ladder[number])

    if not passes(start):
        return next((ladder[number] for number in reversed(range(start)) if passes(number)), 0)
    number = start
    while number + 1 < len(ladder):
        first, second = number + 1, min(number + 2, len(ladder) - 1)
        if not passes(second):
            return ladder[first] if first < second and passes(first) else ladder[number]
        number = second
    return ladder[number]


def restart(before: int, ladder: tuple[int, ...] = LADDER) -> int:
    """Return the number of the rung to start with in the next round: one below the result `before`."""
    return max(0, ladder.index(before) - 1) if before in ladder else 0

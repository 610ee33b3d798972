"""How many streams a server sustains: a search on a ladder of rungs."""

from collections.abc import Callable

LADDER = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 160, 192, 224, 256, 320)


def sustained(holds: Callable[[int], bool], ladder: tuple[int, ...] = LADDER, start: int = 0) -> int:
    """The highest rung below the first that does not hold; 0 where none does.

    Every second rung is tried upwards from number `start`, and the one between where the second does not hold; where
    the first does not hold already, downwards. A rung fails only when it has not held twice in a row: one hiccup of a
    shared machine is not a limit.
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
    """Where to start again, of a server that has sustained `before`: one rung below."""
    return max(0, ladder.index(before) - 1) if before in ladder else 0

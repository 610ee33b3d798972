"""The last steps of the last traces are remembered, and others forgotten."""

from gateway.summaries.bearing import LexicalIndex
from gateway.summaries.earlier_steps import STEPS, TRACES, EarlierSteps


def words(*numbers: int) -> list[LexicalIndex]:
    return [LexicalIndex(f"step {number}") for number in numbers]


def test_a_step_is_returned_with_the_next_ones_of_its_trace() -> None:
    earlier, (first, second, third) = EarlierSteps(), words(1, 2, 3)
    assert [earlier.add("a", first), earlier.add("b", second), earlier.add("a", third)] == [(), (), (first,)]
    assert earlier.add("b", first) == (second,)


def test_a_step_without_a_trace_stands_by_itself() -> None:
    earlier, (first, second) = EarlierSteps(), words(1, 2)
    assert [earlier.add("", first), earlier.add("", second)] == [(), ()]


def test_old_steps_and_old_traces_are_forgotten() -> None:
    earlier, steps = EarlierSteps(), words(*range(STEPS + 1))
    for step in steps:
        earlier.add("a", step)
    assert earlier.add("a", steps[0]) == tuple(steps[1:])
    for number in range(TRACES):
        earlier.add(str(number), steps[0])
    assert earlier.add("a", steps[0]) == ()

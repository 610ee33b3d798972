"""The time of the writer: that of its last part, or of one that it has not finished, and neither for long."""

from gateway.summaries.writing_time import REMEMBERED_SECONDS, WritingTime


def test_the_last_part_counts_and_one_that_was_abandoned_only_if_it_took_longer() -> None:
    writing = WritingTime()
    seen = []
    for seconds, whole in [(3.0, True), (1.5, False), (5.0, False), (2.0, True), (4.0, False)]:
        writing.note(seconds, whole=whole)
        seen.append(writing.seconds)
    assert seen == [3.0, 3.0, 5.0, 2.0, 4.0]


def test_it_is_forgotten_after_a_while() -> None:
    now = [100.0]
    writing = WritingTime(lambda: now[0])
    assert writing.seconds == 0
    writing.note(5.0, whole=False)
    now[0] += REMEMBERED_SECONDS - 1
    writing.note(2.0, whole=False)
    assert writing.seconds == 5
    now[0] += 1
    assert writing.seconds == 0
    writing.note(2.0, whole=False)
    assert writing.seconds == 2

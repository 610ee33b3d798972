"""What a long stream keeps is at most its text."""

import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from gateway.summaries.grounding import Ground
from gateway.summaries.part import Part
from gateway.summaries.steps import Step
from gateway.transcript import Transcript
from gateway.written import Written

PIECES = [f" piece {number}" for number in range(10_000)]
TEXT = sum(map(len, PIECES))
SMALL = 8_000


@pytest.fixture
def kept() -> Iterator[Callable[[], int]]:
    """How many bytes more there are than at the beginning of the test."""
    tracemalloc.start()
    began, _ = tracemalloc.get_traced_memory()
    yield lambda: tracemalloc.get_traced_memory()[0] - began
    tracemalloc.stop()


@contextmanager
def at_most(size: int, kept: Callable[[], int]) -> Iterator[None]:
    before = kept()
    yield
    assert kept() - before < size


def test_reasoning_is_counted_and_not_kept(kept: Callable[[], int]) -> None:
    transcript = Transcript("rsn-1", thinks=True)
    with at_most(SMALL, kept):
        for number in range(len(PIECES)):
            transcript.reasoning(f" piece {number}")
    assert transcript.end_reasoning().characters == TEXT


def test_a_response_is_kept_as_one_text(kept: Callable[[], int]) -> None:
    transcript = Transcript("rsn-1", thinks=True)
    with at_most(2 * TEXT, kept):
        for number in range(len(PIECES)):
            transcript.response(f" piece {number}")
    assert transcript.end_response().text == "".join(PIECES)


def test_a_part_that_has_left_keeps_what_it_says(kept: Callable[[], int]) -> None:
    part = Part(0, Step(0, TEXT, "".join(PIECES)), lambda _: None, lambda: Ground([""]))
    with at_most(SMALL, kept):
        part.missing("There are 10000 pieces.")
        part.writing.hurry()
        part.head()
        part.finish()
    assert (part.step.end, part.text.split()[:2]) == (TEXT, ["piece", "0"])


def test_a_pair_of_surrogates_that_came_in_two_pieces_is_kept() -> None:
    written = Written()
    assert not written
    for piece in ("Größe \ud83d", "\ude00"):
        written.write(piece)
    assert (bool(written), str(written)) == (True, "Größe \ud83d\ude00")

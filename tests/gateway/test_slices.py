"""Batches in slices: each small, and together what they were."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from gateway.events import Usage
from gateway.reasoning import Segment
from gateway.slices import OVERHEAD, SLICE, characters, in_batches, slices, turn
from gateway.upstream import Accepted, Finished, Text, ToolPiece

LONG = "".join(map(str, range(20_000)))
FINISHED = Finished(finish_reason="stop", usage=Usage())


def test_a_small_batch_is_one_slice_as_it_is() -> None:
    batch = [Accepted(), Text("a"), Segment("reasoning", "b"), FINISHED]
    (only,) = slices(batch)
    assert only is batch


def test_an_empty_batch_is_one_empty_slice() -> None:
    assert list(slices([])) == [[]]


@pytest.mark.parametrize("item", [Text(LONG), Segment("reasoning", LONG), Segment("response", LONG)])
def test_a_long_text_is_cut_into_pieces_of_its_kind(item: Any) -> None:
    pieces = [piece for batch in slices([item]) for piece in batch]
    assert "".join(piece.text for piece in pieces) == LONG
    assert {type(piece) for piece in pieces} == {type(item)}
    assert {getattr(piece, "kind", None) for piece in pieces} == {getattr(item, "kind", None)}
    assert max(map(characters, pieces)) == SLICE


def test_only_the_first_piece_of_a_call_has_its_id_and_its_name() -> None:
    first, *rest = [
        piece for batch in slices([ToolPiece(index=3, id="c", name="f", arguments=LONG)]) for piece in batch
    ]
    assert (first.index, first.id, first.name) == (3, "c", "f")
    assert {(piece.index, piece.id, piece.name) for piece in rest} == {(3, "", "")}
    assert "".join(piece.arguments for piece in (first, *rest)) == LONG


def test_many_short_items_are_several_slices_in_their_order() -> None:
    items = [Text(str(number)) for number in range(1000)]
    batches = list(slices(items))
    assert [item for batch in batches for item in batch] == items
    assert max(map(len, batches)) <= SLICE / OVERHEAD


def test_a_long_item_that_cannot_be_cut_is_a_batch_of_its_own() -> None:
    texts = ["a", "b" * 2 * SLICE, "c", "d"]
    batches: Sequence[list[str]] = list(in_batches(texts, len))
    assert batches == [["a"], ["b" * 2 * SLICE], ["c", "d"]]


async def test_in_each_turn_of_the_loop_one_backlog_alone_is_worked_off() -> None:
    worked: list[int] = []

    async def work_off(stream: int) -> None:
        for _ in range(3):
            await turn()
            worked.append(stream)

    working = asyncio.gather(*map(work_off, range(4)))
    most = 0
    while not working.done():
        before = len(worked)
        await asyncio.sleep(0)
        most = max(most, len(worked) - before)
    assert most == 1
    assert worked == [0, 1, 2, 3] * 3


async def test_whoever_stops_waiting_for_a_turn_holds_up_nobody() -> None:
    first, second, third = (asyncio.create_task(turn()) for _ in range(3))
    await asyncio.sleep(0)
    first.cancel()
    second.cancel()
    await third
    assert [first.cancelled(), second.cancelled()] == [True, True]

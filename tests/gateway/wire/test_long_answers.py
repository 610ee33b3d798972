"""Long answers cost what their length costs, on every route, and joining their pieces changes nothing of them."""

import time
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from gateway.events import Event, ReasoningDelta, ResponseDelta, ToolCallDelta
from gateway.wire.chat_completions import ChatCompletionsWriter
from gateway.wire.collected import Collected
from gateway.wire.native import NativeWriter
from gateway.wire.responses import ResponsesWriter
from tests.fakes.scripted_runs import RUNS, STARTED

PIECE, PIECES = 1_000, 500
MOST, NOISE_SECONDS, TRIES = 6.0, 0.01, 5
"""Four times the length may cost six times as much; a quadratic writer takes sixteen times."""
TEXTS: dict[str, Callable[[str], Event]] = {
    "reasoning": lambda text: ReasoningDelta(delta=text),
    "response": lambda text: ResponseDelta(delta=text),
    "arguments": lambda text: ToolCallDelta(index=0, id="call_1", name="f", arguments=text),
}
WRITERS: dict[str, Callable[[], NativeWriter | ChatCompletionsWriter | ResponsesWriter]] = {
    "native": NativeWriter,
    "chat": ChatCompletionsWriter,
    "responses": lambda: ResponsesWriter({}),
}


def collected(*events: Event) -> list[Event]:
    held = Collected()
    for event in events:
        held.add([event])
    return held.events


@pytest.mark.parametrize(("run", "route"), list(product(RUNS, WRITERS)))
def test_a_whole_answer_is_the_same_from_joined_pieces(run: str, route: str) -> None:
    assert WRITERS[route]().whole(collected(*RUNS[run])) == WRITERS[route]().whole(RUNS[run])


def test_neighbouring_pieces_of_a_text_are_joined_and_no_others() -> None:
    reasoning, response = TEXTS["reasoning"], TEXTS["response"]
    other = ToolCallDelta(index=1, id="call_2", name="g", arguments="[]")
    assert collected(
        STARTED,
        reasoning("a"),
        reasoning("b"),
        response("c"),
        response("d"),
        reasoning("e"),
        TEXTS["arguments"]("{"),
        other,
    ) == [STARTED, reasoning("ab"), response("cd"), reasoning("e"), TEXTS["arguments"]("{"), other]


@pytest.mark.parametrize(("text", "route"), list(product(TEXTS, ["responses streamed", *WRITERS])))
def test_a_long_answer_is_written_in_linear_time(text: str, route: str) -> None:
    def write(pieces: int) -> None:
        if route == "responses streamed":
            writer = ResponsesWriter({})
            for event in long(pieces):
                writer.stream([event])
        else:
            WRITERS[route]().whole(collected(*long(pieces)))

    def long(pieces: int) -> Iterator[Event]:
        yield STARTED
        yield from (TEXTS[text]("x" * PIECE) for _ in range(pieces))

    assert any(seconds(write, 4 * PIECES) < MOST * seconds(write, PIECES) + NOISE_SECONDS for _ in range(TRIES))


def seconds(write: Callable[[int], None], pieces: int) -> float:
    began = time.process_time()
    write(pieces)
    return time.process_time() - began

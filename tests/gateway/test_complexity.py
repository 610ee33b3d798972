"""Whatever is sent, reading it takes linear time: what four times the text costs is less than six times as much.

Costs are CPU time of this process. Other programs disturb it all the same, so one good try of several is enough: a
quadratic reader has none.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from gateway.reasoning import ReasoningParser, Segment
from gateway.reasoning.tool_calls import ToolCallReader
from gateway.summaries import code, excerpts, extractive
from gateway.summaries.grounding import EvidenceIndex
from gateway.summaries.sentence_gate import PartReader, SentenceGate, SentenceLimit, Ungrounded
from gateway.summaries.steps import Steps
from gateway.wire import sse
from gateway.wire.chat_errors import read_error

Read = Callable[[str], object]

SIZE, TRIES = 4_000, 6
MOST = 6.0
"""The most that four times the text may cost; linear is 4, quadratic 16."""
NOISE_SECONDS = 0.002
FAMILIES = (
    *("x", "x ", "a. ", ".", ". ", "?!", "…", "\n", " \n", "\t", "\r", "(", "[", "{", '"', "'", "`", "a`", "```\n"),
    *("~~~", "*", "- ", "1", "1,", "1/2 ", "一", "百", "。", "。」", "$$", "\\(", "\\", "<", "<|", "<think>"),
    *("<tool_call>", "wait ", "data: x\n", "to=", "<|channel|>", "Here's "),
)
"""Texts without sentence ends, of nothing but ends, quotes, brackets, digits, numerals, ticks, newlines, markers …"""
CALL = '<tool_call>\n{"name": "f", "arguments": {'


def pieces(text: str) -> Iterator[str]:
    return (text[start : start + 7] for start in range(0, len(text), 7))


def cut_into_steps(text: str) -> None:
    steps = Steps()
    steps.feed(text)
    steps.close()


def cut_pieces_into_steps(text: str) -> None:
    steps = Steps()
    for piece in pieces(text):
        steps.feed(piece)
    steps.close()


def gate(text: str) -> None:
    gate = SentenceGate(lambda _: ())
    with suppress(SentenceLimit, Ungrounded):
        for piece in pieces(text):
            gate.feed(piece)
        gate.close()


def read_part(text: str) -> None:
    reader = PartReader()
    for piece in pieces(text):
        reader.feed(piece)
    reader.close()


def parse_as(format: str) -> Read:
    def parse(text: str) -> None:
        parser = ReasoningParser(format)
        for piece in pieces(text):
            parser.feed(piece)
        parser.close()

    return parse


def call_after(beginning: str) -> Read:
    def call(text: str) -> None:
        reader = ToolCallReader()
        for piece in pieces(beginning + text):
            reader.feed(piece)
        reader.close()

    return call


def decode(text: str) -> None:
    decoder = sse.Decoder()
    for piece in pieces(text):
        decoder.feed(piece.encode())


READERS: dict[str, Read] = {
    "steps": cut_into_steps,
    "steps of pieces": cut_pieces_into_steps,
    "sentence gate": gate,
    "part": read_part,
    "extract": lambda text: extractive.first_and_last(text),
    "code blocks": code.without_code,
    "code lines": code.code_lines,
    "excerpt": excerpts.sanitized_excerpt,
    "evidence": lambda text: EvidenceIndex([text]).unsupported_claims("It is 4321."),
    **{f"format {name}": parse_as(name) for name in ("auto", "qwen3", "gpt_oss", "muse", "inkling", "granite")},
    "calls": call_after(""),
    "a call": call_after("<tool_call>"),
    "a call's arguments": call_after(CALL),
    "behind a call": call_after(CALL + "}"),
    "server-sent events": decode,
    "an API's error": read_error,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_hostile_text_is_read_in_linear_time(name: str, family: str) -> None:
    tries = (grows_linearly(READERS[name], family) for _ in range(TRIES))
    assert any(tries)


def grows_linearly(read: Read, family: str) -> bool:
    short, long = (seconds(read, (family * size)[:size]) for size in (SIZE, 4 * SIZE))
    return long < MOST * short + NOISE_SECONDS


def seconds(read: Read, text: str) -> float:
    began = time.process_time()
    read(text)
    return time.process_time() - began


def test_a_deeply_nested_call_is_text() -> None:
    deep = "<tool_call>" + "[" * 50_000
    reader = ToolCallReader()
    items = [*reader.feed(deep), *reader.close()]
    assert "".join(item.text for item in items if isinstance(item, Segment)) == deep

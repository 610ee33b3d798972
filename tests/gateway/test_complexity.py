"""Whatever is sent, reading it takes linear time: what four times the text costs is less than six times as much.

Costs are CPU time of this process. Other programs disturb it all the same, so one good try of several is enough: a
quadratic reader has none.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from gateway.errors import InvalidRequest
from gateway.reasoning import ReasoningParser, Segment
from gateway.reasoning.beginning import BeginningWatch
from gateway.reasoning.formats import FORMATS
from gateway.reasoning.tagged_copy import TaggedCopyFilter
from gateway.reasoning.tool_calls import ToolCallReader
from gateway.requests.base import BaseRequest
from gateway.requests.large_json import load
from gateway.sealing import Sealer
from gateway.slices import slices
from gateway.summaries import code, excerpts, prose, sentences
from gateway.summaries.addressing import addresses_somebody
from gateway.summaries.bearing import LexicalIndex, stems_of
from gateway.summaries.causes import CauseIndex
from gateway.summaries.equations import has_calculations_of
from gateway.summaries.extracts.extractor import Extractor
from gateway.summaries.extracts.key_sentences import key_sentences
from gateway.summaries.extracts.question import question_of
from gateway.summaries.figures import Figures
from gateway.summaries.fragments import is_fragment
from gateway.summaries.grounding import EvidenceIndex
from gateway.summaries.masking import masked
from gateway.summaries.narration import tells_of_a_missing_text
from gateway.summaries.negation import NegationIndex
from gateway.summaries.part_reader import PartReader
from gateway.summaries.prompts import prompt_request
from gateway.summaries.self_talk import is_question, is_self_talk
from gateway.summaries.sentence_gate import SentenceGate, SentenceLimit, Ungrounded
from gateway.summaries.side_tasks import is_side_task
from gateway.summaries.source_sentences import SourceSentences
from gateway.summaries.steps import Steps
from gateway.summaries.suppositions import Suppositions
from gateway.summaries.tautology import says_twice
from gateway.summaries.verdicts import has_verdicts_of
from gateway.summaries.written_title import plain_title
from gateway.turns import reasoning_text, without_blocks
from gateway.upstream import Message, Text, UpstreamRequest
from gateway.wire import sse
from gateway.wire.chat_errors import read_error
from tests.fakes.hostile import FAMILIES

Read = Callable[[str], object]

SIZE, TRIES = 4_000, 6
MOST = 6.0
"""The most that four times the text may cost; linear is 4, quadratic 16."""
NOISE_SECONDS = 0.002
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


def load_json(text: str) -> None:
    for body in (text, f"[{text}]", json.dumps([text])):
        with suppress(ValueError):
            load(body.encode())


def parse_body(text: str) -> None:
    for body in (text, f'{{"x": {text}}}'):
        with suppress(InvalidRequest):
            BaseRequest.parse(body.encode())


def watch_beginning(text: str) -> None:
    watch = BeginningWatch(FORMATS["qwen3"], outside=True, on_seen=lambda _: None)
    for piece in pieces(text):
        watch.feed([Segment("response", piece)])


def beside_a_field(text: str) -> None:
    beside = TaggedCopyFilter()
    beside.add_reasoning(text)
    for piece in pieces("<think>" + text):
        beside.feed(piece)
    beside.close()


def seal(text: str) -> None:
    growing = Sealer([b"a secret of the operator"]).growing()
    for piece in pieces(text):
        growing.add(piece)
    growing.seal()


def turn(text: str) -> list[Message]:
    return [Message(role="user", content=text)]


READERS: dict[str, Read] = {
    "steps": cut_into_steps,
    "steps of pieces": cut_pieces_into_steps,
    "sentence gate": gate,
    "sentences": sentences.sentences,
    "part": read_part,
    "extract": lambda text: Extractor(text).extract(text),
    "question": question_of,
    "title": plain_title,
    "words": lambda text: LexicalIndex(text).share(stems_of(text)),
    "causes": lambda text: CauseIndex(SourceSentences(text)).has(text),
    "words in order": lambda text: SourceSentences(text).ordered_share(text),
    "suppositions": lambda text: Suppositions(SourceSentences(text)).are_told_as_facts(text),
    "calculations": lambda text: has_calculations_of(text, text),
    "key sentences": lambda text: key_sentences(text, text),
    "figures": lambda text: Figures(SourceSentences(text)).are_of_something_else(text),
    "verdicts": lambda text: has_verdicts_of(text, "It is."),
    "fragments": is_fragment,
    "negations": lambda text: NegationIndex(text).contradicts(text),
    "tautologies": says_twice,
    "texts told of": lambda text: tells_of_a_missing_text(text, text),
    "somebody addressed": addresses_somebody,
    "self-talk": lambda text: (is_self_talk(text), is_question(text)),
    "secrets": masked,
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
    "prose": prose.passages_of,
    "code named": lambda text: code.with_code_as(lambda language, lines: f"{language} {lines}", text),
    "a prompt": lambda text: prompt_request("1", excerpts.shown_turns(turn(text)), "en"),
    "a task's prompt": lambda text: is_side_task(UpstreamRequest(id="1", messages=(*turn("### Task:\n" + text),))),
    "a turn": without_blocks,
    "a turn with blocks": lambda text: without_blocks("<think>" + text + "</think>" + text),
    "a turn of blocks": lambda text: without_blocks("<think></think>" * (len(text) // 15)),
    "a turn's summaries": lambda text: reasoning_text({"reasoning": "**Prompt**\n\n" + text}),
    "JSON of many values": load_json,
    "a body": parse_body,
    "a beginning": watch_beginning,
    "text beside a field": beside_a_field,
    "a trace to seal": seal,
    "slices": lambda text: list(slices([Text(text)])),
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


def test_of_a_huge_prompt_only_the_ends_are_looked_at() -> None:
    huge = "What is this?\n```python\n" + "x = 1\n" * 1_300_000 + "```\nSay it in one word."
    (shown,) = excerpts.shown_turns(turn(huge))
    assert len(shown.content) < excerpts.TURN_CHARACTERS + 100
    asked = prompt_request("1", [shown], "en").messages[-1].content
    assert asked.startswith("What is this?\n[code: python, ")
    assert asked.endswith(" lines]\nSay it in one word.")

"""The rules of the parser in cases where other parsers disagree or lose text, one test for each rule."""

import time

import pytest

from gateway.reasoning import ReasoningParser, Segment
from gateway.reasoning.formats import FORMATS
from gateway.reasoning.states import LONGEST_HEADER


def reasoning(text: str) -> Segment:
    return Segment("reasoning", text)


def response(text: str) -> Segment:
    return Segment("response", text)


def test_plain_text_is_passed_on_at_once() -> None:
    parser = ReasoningParser("qwen3")
    assert parser.feed("a ") == [reasoning("a ")]
    assert parser.feed("b.") == [reasoning("b.")]


def test_only_a_possible_start_of_a_marker_is_held_back() -> None:
    parser = ReasoningParser("qwen3")
    assert parser.feed("a < b </thin") == [reasoning("a < b ")]
    assert parser.feed("g </") == [reasoning("</thing ")]
    assert parser.feed("think") == []
    assert parser.feed(">c") == [response("c")]


def test_markers_of_another_state_are_not_held_back() -> None:
    parser = ReasoningParser("qwen3")
    parser.feed("a</think>b")
    assert parser.feed("<tool_") == [response("<tool_")]


def test_a_start_marker_in_two_chunks_does_not_leak_into_the_response() -> None:
    parser = ReasoningParser("mistral")
    assert parser.feed("Hi\n[TH") == [response("Hi")]
    assert parser.feed("INK]a") == [reasoning("a")]


def test_neighbouring_segments_of_one_chunk_differ_in_kind() -> None:
    parser = ReasoningParser("mistral")
    assert parser.feed("[/THINK]b\n[THINK]a[/THINK][THINK]d") == [response("b"), reasoning("ad")]


def test_an_empty_chunk_gives_no_segment() -> None:
    parser = ReasoningParser("qwen3")
    assert parser.feed("") == []
    parser.feed("a")
    assert parser.feed("") == []


def test_close_returns_the_text_that_was_held_back() -> None:
    parser = ReasoningParser("plamo3")
    assert parser.feed("a\n<|plamo:end_thi") == [reasoning("a")]
    assert parser.close() == [reasoning("\n<|plamo:end_thi")]
    assert parser.close() == []


def test_close_finds_a_marker_in_text_that_began_a_longer_one() -> None:
    parser = ReasoningParser("gpt_oss")
    assert parser.feed("<|start|><|channel|>fi<|end|>b") == []
    assert parser.close() == [response("<|start|><|channel|>fib")]


def test_reasoning_that_never_ends_stays_reasoning() -> None:
    parser = ReasoningParser("deepseek_r1")
    assert parser.feed("a") + parser.close() == [reasoning("a")]
    assert parser.inside


def test_a_second_end_marker_before_the_response_is_dropped() -> None:
    parser = ReasoningParser("deepseek_r1")
    assert parser.feed("a</think>\n</think> \n</think>\nb") == [reasoning("a"), response("b")]


def test_a_lone_end_marker_before_the_response_is_dropped() -> None:
    parser = ReasoningParser("deepseek_r1", starts_inside=False)
    assert parser.feed(" \n</think>\n\nb") == [response("b")]


def test_text_before_a_start_marker_is_reasoning_if_the_prompt_opened_the_reasoning() -> None:
    parser = ReasoningParser("qwen3", starts_inside=True)
    assert parser.feed("a <think> b</think>c") == [reasoning("a <think> b"), response("c")]


def test_a_start_marker_repeated_at_the_start_of_reasoning_is_dropped() -> None:
    parser = ReasoningParser("qwen3", starts_inside=True)
    assert parser.feed("\n<thi") == []
    assert parser.feed("nk>\na") == [reasoning("a")]


@pytest.mark.parametrize("blank", ["", "\n", " ", "\n \n\t", "\r\n\r\n", "\u2003"])
def test_blank_text_before_the_reasoning_is_nothing_wherever_the_output_starts(blank: str) -> None:
    for inside in (True, False):
        assert ReasoningParser("qwen3", inside).feed(f"{blank}<think>a</think>b") == [reasoning("a"), response("b")]


@pytest.mark.parametrize("between", ["", "\n", " ", " \n\n "])
def test_a_start_marker_repeated_right_behind_the_first_is_dropped(between: str) -> None:
    for inside in (True, False):
        parser = ReasoningParser("qwen3", inside)
        assert parser.feed(f"<think>{between}<think>{between}<think>a<think></think>b") == [
            reasoning("a<think>"),
            response("b"),
        ]


def test_a_label_is_repeated_with_its_start_marker() -> None:
    parser = ReasoningParser("gemma4")
    assert parser.feed("<|channel>thought\n<|channel>thought\nthought\na<channel|>b") == [
        reasoning("thought\na"),
        response("b"),
    ]


@pytest.mark.parametrize("blank", ["", "\n", " ", "\n\n \n"])
def test_blank_reasoning_is_nothing(blank: str) -> None:
    for inside in (True, False):
        assert ReasoningParser("qwen3", inside).feed(f"<think>{blank}</think>b") == [response("b")]


@pytest.mark.parametrize("between", ["", "\n", " ", "\n\n \n"])
def test_reasoning_reopened_before_the_first_word_of_the_response_is_reasoning(between: str) -> None:
    parser = ReasoningParser("qwen3", starts_inside=True)
    assert parser.feed(f"a</think>{between}<think>c") == [reasoning("ac")]
    assert parser.inside
    assert parser.feed("</think>d") == [response("d")]
    assert not parser.inside


WORDS = [
    ("deepseek_v4", "Between `<think>` and `</think>`. Strip that."),
    ("qwen3", "It prints a `<think>` tag, and\n<think>\nagain\n</think>\nat the beginning of a line."),
    ("auto", "```python\ntext.split('</think>')[-1]\n```\n\n```\n<think>\n```\nThat is all."),
    ("granite", "They begin with 'Here is my thought process:' and go on with 'Here is my response:'."),
    ("kimi", "◁think▷ and ◁/think▷ are its tags."[1:]),
    ("gemma4", "Its channels: <|channel>thought\nx<channel|>"),
    ("mistral", "Tags are [THINK] and [/THINK].\n[/THINK] ends."),
    ("seed_oss", "<seed:think>"[1:] + " and <seed:think>, </seed:think>"),
    ("kimi_k3", "Say <|open|>think<|sep|> and <|close|>think<|sep|>."),
    ("inkling", "Say <|content_thinking|>."),
    ("cohere", "Say <|START_THINKING|> and <|END_THINKING|>."),
    ("ernie45", "Use <think>, </think> and <response> here."),
    ("none", "Use <think> and </think>."),
]


@pytest.mark.parametrize(("name", "answer"), WORDS, ids=[name for name, _ in WORDS])
def test_markers_are_words_once_the_response_has_begun(name: str, answer: str) -> None:
    format = FORMATS[name]
    heads = ["", "\n\n"]
    if format.starts:
        heads += [f"{format.starts[0]}I think of tags.\n{format.ends[0]}\n\n"]
    for head in heads:
        for chunks in ([head + answer], [head, answer], list(head + answer)):
            parser = ReasoningParser(format, starts_inside=False)
            fed = [segment for chunk in chunks for segment in parser.feed(chunk)] + parser.close()
            said = "".join(segment.text for segment in fed if segment.kind == "response")
            assert said.lstrip("\n") == answer


@pytest.mark.parametrize("cut", range(len("b\n\n[THINK]c")))
def test_a_model_that_reopens_does_so_at_the_beginning_of_a_line(cut: int) -> None:
    text = "b\n\n[THINK]c"
    parser = ReasoningParser("mistral")
    parser.feed("[THINK]a[/THINK]\n")
    fed = parser.feed(text[:cut]) + parser.feed(text[cut:])
    assert [segment for segment in fed if segment.text] == [response("b"), reasoning("c")]
    assert parser.feed("[/THINK]d [THINK]e") == [response("d [THINK]e")]


def test_newlines_around_a_marker_are_dropped_even_if_they_come_in_later_chunks() -> None:
    parser = ReasoningParser("qwen3")
    chunks = ["<think>", "\n", "\n", "a\n", "b", "\n", "\n", "</think>", "\n", "\nc\n", "\n", "d", "\n"]
    assert [parser.feed(chunk) for chunk in chunks] == [
        *([], [], []),
        *([reasoning("a")], [reasoning("\nb")], [], [], [], []),
        *([response("c\n")], [response("\n")], [response("d")], [response("\n")]),
    ]
    assert parser.close() == []


def test_newlines_wait_for_a_marker_only_where_one_may_follow() -> None:
    parser = ReasoningParser("kimi_k3", starts_inside=False)
    assert parser.feed("b\n") == [response("b")]
    assert parser.feed("\n<|close|>response<|sep|>") == []


def test_whitespace_other_than_newlines_is_kept_around_markers() -> None:
    parser = ReasoningParser("qwen3")
    assert parser.feed(" a\r\n\t</think> \n b") == [reasoning(" a\r\n\t"), response(" \n b")]


def test_newlines_at_the_start_are_kept_if_no_marker_follows() -> None:
    parser = ReasoningParser("auto")
    assert parser.feed("\n\n") == []
    assert parser.feed("b") == [response("\n\nb")]


def test_newlines_before_an_unfinished_header_are_kept() -> None:
    parser = ReasoningParser("gpt_oss")
    assert parser.feed("b\n\n<|start|>") == [response("b")]
    assert parser.close() == [response("\n\n<|start|>")]


@pytest.mark.parametrize(("length", "is_header"), [(LONGEST_HEADER, True), (LONGEST_HEADER + 1, False)])
def test_a_header_of_the_maximum_length_is_parsed_and_a_longer_one_is_text(length: int, is_header: bool) -> None:
    header = "<|channel|>analysis".ljust(length - len("<|message|>")) + "<|message|>"
    expected = [reasoning("a")] if is_header else [response(header + "a")]
    assert ReasoningParser("gpt_oss").feed(header + "a") == expected
    parser = ReasoningParser("gpt_oss")
    fed = [segment for character in header + "a" for segment in parser.feed(character)]
    assert "".join(segment.text for segment in fed) == expected[0].text


def test_a_marker_that_stays_in_the_text_keeps_the_newlines_after_it() -> None:
    parser = ReasoningParser("qwen3")
    assert parser.feed("a\n\n<tool_call>\n{}") == [reasoning("a"), response("<tool_call>\n{}")]


def seconds_for_newlines(name: str, number: int) -> float:
    """Return the processor time for so many newlines, fed one at a time, then twenty times as many in one chunk."""
    parser = ReasoningParser(name)
    began = time.process_time()
    for _ in range(number):
        parser.feed("\n")
    parser.feed("\n" * (20 * number) + "a")
    parser.close()
    return time.process_time() - began


@pytest.mark.slow
@pytest.mark.parametrize("name", ["qwen3", "gpt_oss", "granite", "ernie45", "none"])
def test_the_time_for_a_run_of_newlines_grows_in_proportion_to_its_length(name: str) -> None:
    short = min(seconds_for_newlines(name, 5_000) for _ in range(3))
    long = min(seconds_for_newlines(name, 40_000) for _ in range(3))
    # Eight times as many: 8 if the time is linear, 64 if it is quadratic.
    assert long < 24 * short

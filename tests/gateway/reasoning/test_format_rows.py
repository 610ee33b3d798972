"""Concrete outputs for every row of the table of formats, fed whole and one character at a time."""

from itertools import groupby

import pytest

from gateway.reasoning import ReasoningParser, Segment
from gateway.reasoning.formats import FORMATS, Format, custom, detect, hy_v3
from gateway.reasoning.states import State


def reasoning(text: str) -> Segment:
    return Segment("reasoning", text)


def response(text: str) -> Segment:
    return Segment("response", text)


AB = [reasoning("a"), response("b")]
BARS = "<\uff5cDSML\uff5ctool_calls>"
# format -> (starts_inside, output, segments)
CASES: dict[str, list[tuple[bool | None, str, list[Segment]]]] = {
    "deepseek_r1": [
        (None, "a</think>b", AB),
        (None, "<think>\na\n</think>\n\nb", AB),
        (False, "b", [response("b")]),
    ],
    "deepseek_v3": [
        (None, "a</think>b", AB),
        (False, "<think>a</think>b\n", [reasoning("a"), response("b\n")]),
        (False, "b <think>\n", [response("b <think>\n")]),
    ],
    "deepseek_v4": [
        (None, "a</think>b", AB),
        (None, "<think>a</think>b", AB),
        (None, f"a\n\n{BARS}\nx", [reasoning("a"), response(f"{BARS}\nx")]),
    ],
    "qwen3": [
        (None, "<think>\na\n</think>\n\nb", AB),
        (True, "a\n</think>\n</think>\n\nb", AB),
        (False, "<think>\na\n</think>\nb", AB),
        (False, "b", [response("b")]),
        (True, "a\n<tool_call>\n{}\n</tool_call>", [reasoning("a"), response("<tool_call>\n{}\n</tool_call>")]),
        (True, "a<tool_c</think>b", [reasoning("a<tool_c"), response("b")]),
    ],
    "glm45": [
        (None, "\n<think>a</think>\nb", AB),
        (None, "a<tool_call>f", [reasoning("a"), response("<tool_call>f")]),
    ],
    "kimi_k2": [
        (None, "a</think>b", AB),
        (None, "<think>a</think>b", AB),
        (
            None,
            "a<|tool_calls_section_begin|><|tool_call_begin|>f",
            [reasoning("a"), response("<|tool_calls_section_begin|><|tool_call_begin|>f")],
        ),
    ],
    "kimi": [
        (None, "◁think▷a◁/think▷b", AB),
        (None, "c ◁think▷a◁/think▷b", [response("c ◁think▷a◁/think▷b")]),
        (None, "b ◁thin", [response("b ◁thin")]),
    ],
    "kimi_k3": [
        (
            None,
            "<|open|>think<|sep|>a<|close|>think<|sep|><|open|>response<|sep|>b<|close|>response<|sep|>"
            "<|close|>message<|sep|><|end_of_msg|>",
            AB,
        ),
        (None, "a<|open|>response<|sep|>b<|close|>response<|sep|>", AB),
        (
            None,
            '<|open|>message role="assistant"<|sep|><|open|>response<|sep|>b<|close|>response<|sep|>',
            [response("b")],
        ),
        (None, "a<|close|>think<|sep|><|open|>message<|sep|>b<|close|>message<|sep|>", AB),
        (None, "a<|open|>tools<|sep|>f", [reasoning("a"), response("<|open|>tools<|sep|>f")]),
        (
            True,
            "a<|close|>think<|sep|><|open|>response<|sep|>b<|close|>response<|sep|><|open|>tools<|sep|>f",
            [reasoning("a"), response("b<|open|>tools<|sep|>f")],
        ),
        (False, "b<|close|>response<|sep|><|close|>message<|sep|>", [response("b")]),
    ],
    "minimax_m2": [
        (None, "a\n</think>\n\nb", AB),
        (None, "<think>a</think>b", AB),
        (None, "a<minimax:tool_call>f", [reasoning("a"), response("<minimax:tool_call>f")]),
    ],
    "minimax_m3": [
        (None, "<mm:think>a</mm:think>b", AB),
        (None, "</mm:think>b", [response("b")]),
        (True, "a</mm:think>b", AB),
    ],
    "step3": [(None, "a</think>b", AB), (None, "<think>a</think>b", AB), (None, "a\n</think>\nb", AB)],
    "nemotron_v3": [(None, "a</think>b", AB), (None, "<think>a</think>b", AB), (False, "b", [response("b")])],
    "granite": [
        (None, "Here is my thought process: a Here is my response: b", [reasoning(" a "), response(" b")]),
        (None, "Here's my thought process:\na\nHere's my response:\nb", AB),
        (None, "Well. Here is my thought process: a", [response("Well. Here is my thought process: a")]),
        (None, "Here is my view: b", [response("Here is my view: b")]),
        (
            None,
            "Here's my thought process:a. Here is x. Here is my response:b Here's my response:",
            [reasoning("a. Here is x. "), response("b Here's my response:")],
        ),
    ],
    "seed_oss": [
        (None, "<seed:think>a</seed:think>b", AB),
        (None, "a<seed:tool_call>f", [reasoning("a"), response("<seed:tool_call>f")]),
    ],
    "olmo3": [(None, "<think>a</think>b", AB), (None, "a </thi", [reasoning("a </thi")])],
    "ernie45": [
        (None, "a\n</think>\n\n<response>\nb\n</response>\n", AB),
        (None, "a\n</think>\n\nb", AB),
        (None, "<think>\na\n</think>\n\n<response>\nb\n</response>\n", AB),
        (None, "a</think>b<response>c</response>", [reasoning("a"), response("b<response>c</response>")]),
        (False, "<response>b</response>", [response("b")]),
    ],
    "hunyuan_a13b": [
        (None, "<think>\na\n</think>\n<answer>\nb\n</answer>", AB),
        (None, "<think>\n\n</think>\n<answer>\nb\n</answer>", [response("b")]),
        (None, "<answer>\nb\n</answer>", [response("b")]),
        (None, "b", [response("b")]),
    ],
    "hy_v3": [(None, "<think>a</think>b", AB), (None, "a</think>\nb", AB)],
    "k2_horizon": [
        (None, "<ifm|think>a</ifm|think>b", AB),
        (None, "<ifm|think_fast>a</ifm|think_fast>b", AB),
        (None, "<ifm|think_faster>a</ifm|think_faster>b", AB),
        (None, "a</ifm|think_faster>b", AB),
        (None, "a<ifm|tool_calls>f", [reasoning("a"), response("<ifm|tool_calls>f")]),
    ],
    "mistral": [
        (None, "[THINK]a[/THINK]b", AB),
        (None, "[THINK]a[/THINK]b\n[THINK]c[/THINK]d", [*AB, reasoning("c"), response("d")]),
        (None, "[THINK]a[/THINK]b [THINK]c[/THINK]d", [reasoning("a"), response("b [THINK]c[/THINK]d")]),
        (None, "[/THINK]b", [response("b")]),
        (None, "c[/THINK]b", [response("c[/THINK]b")]),
        (None, "[THINK]a[TOOL_CALLS]f", [reasoning("a"), response("[TOOL_CALLS]f")]),
        (None, "list[0] = [T]", [response("list[0] = [T]")]),
    ],
    "gemma4": [
        (None, "<|channel>thought\na\n<channel|>b", AB),
        (None, "<|channel>thought\n<channel|>b", [response("b")]),
        (None, "<|channel>thoughtful<channel|>b", [reasoning("thoughtful"), response("b")]),
        (None, "<|channel>a<|tool_call>f", [reasoning("a"), response("<|tool_call>f")]),
        (True, "thought\na<channel|>b", AB),
    ],
    "gpt_oss": [
        (
            None,
            "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>",
            AB,
        ),
        (
            None,
            "<|channel|>analysis<|message|>a<|end|>"
            "<|start|>assistant<|channel|>commentary<|message|>b<|end|>"
            "<|start|>assistant<|channel|>analysis<|message|>c<|end|>"
            "<|start|>assistant<|channel|>final <|constrain|>json<|message|>{\n}<|return|>",
            [*AB, reasoning("c"), response("{\n}")],
        ),
        (
            None,
            "<|channel|>analysis<|message|>a<|end|>"
            "<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{}<|call|>",
            [
                reasoning("a"),
                response("<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{}<|call|>"),
            ],
        ),
        (
            None,
            "<|channel|>analysis to=python<|message|>f<|call|>",
            [response("<|channel|>analysis to=python<|message|>f<|call|>")],
        ),
        (
            None,
            " to=functions.f<|channel|>commentary<|message|>{}<|call|>",
            [response(" to=functions.f<|channel|>commentary<|message|>{}<|call|>")],
        ),
        (None, "b", [response("b")]),
        (None, "<|channel|>diary<|message|>b", [response("<|channel|>diary<|message|>b")]),
        (None, "<|channel|>analysis", [response("<|channel|>analysis")]),
        (None, "<|channel|>" + "x" * 300, [response("<|channel|>" + "x" * 300)]),
        (True, "a<|end|><|start|>assistant<|channel|>final<|message|>b", AB),
    ],
    "cohere": [
        (None, "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>", AB),
        (None, "a<|END_THINKING|>\n<|START_TEXT|>b<|END_TEXT|>", AB),
        (None, "a<|START_ACTION|>[]<|END_ACTION|>", [reasoning("a"), response("<|START_ACTION|>[]<|END_ACTION|>")]),
    ],
    "inkling": [
        (
            None,
            "<|content_thinking|>a<|end_message|><|message_model|><|content_text|>b<|end_message|>"
            "<|message_model|><|content_thinking|>c<|end_message|><|content_model_end_sampling|>",
            [*AB, reasoning("c")],
        ),
        (None, "<|content_text|>b<|end_message|>", [response("b")]),
        (
            None,
            "<|content_text|>b\n<|content_thinking|>c<|end_message|>",
            [response("b"), reasoning("c")],
        ),
        (
            None,
            "<|content_thinking|>a<|content_invoke_tool_json|>{}",
            [reasoning("a"), response("<|content_invoke_tool_json|>{}")],
        ),
        (
            None,
            "<|content_thinking|>a<|content_invoke_tool_text|>f",
            [reasoning("a"), response("<|content_invoke_tool_text|>f")],
        ),
    ],
    "muse": [
        (None, " to=self<|message|>a<|eom|><|start|>assistant to=user<|message|>b<|eot|>", AB),
        (None, "to=self<|message|>a<|eom|>to=user<|message|>b<|eot|>", AB),
        (None, "<|message|>b<|eot|>", [response("b")]),
        (
            None,
            " to=self<|message|>a<|eom|><|start|>assistant to=web.find<|message|>q<|eom|>"
            "<|start|>assistant to=user<|message|>b",
            [reasoning("a"), response("<|start|>assistant to=web.find<|message|>q<|eom|>b")],
        ),
        (None, " to=be or not", [response(" to=be or not")]),
    ],
    "plamo3": [
        (None, "<|plamo:begin_think:plamo|>a<|plamo:end_think:plamo|>b", AB),
        (None, "a<|plamo:end_think", [reasoning("a<|plamo:end_think")]),
        (False, "b", [response("b")]),
    ],
    "apertus": [
        (None, "<|inner_prefix|>a<|inner_suffix|>b", AB),
        (True, "a<|inner_suffix|>b", AB),
        (None, "b", [response("b")]),
    ],
    "custom": [(None, "<think>a</think>b", AB), (True, "a</think>b", AB)],
    "auto": [
        (None, "<think>\na\n</think>\n\nb", AB),
        (None, "\n\n<think>a</think>b", AB),
        (None, "b <think>a</think>", [response("b <think>a</think>")]),
        (True, "a</think>b", AB),
    ],
    "none": [(None, "<think>a</think>\nb\n", [response("<think>a</think>\nb\n")]), (True, "\nb", [response("\nb")])],
}
ALL_CASES = [(name, *case) for name, cases in CASES.items() for case in cases]


def parsed(format: Format | str, starts_inside: bool | None, chunks: list[str]) -> list[Segment]:
    parser = ReasoningParser(format, starts_inside)
    segments = [segment for chunk in chunks for segment in parser.feed(chunk)] + parser.close()
    runs = groupby(segments, key=lambda segment: segment.kind)
    return [Segment(kind, "".join(segment.text for segment in run)) for kind, run in runs]


def test_every_case_names_an_existing_format() -> None:
    assert CASES.keys() <= FORMATS.keys()


@pytest.mark.parametrize("row", FORMATS.values(), ids=FORMATS.keys())
def test_the_cases_of_a_format_use_each_of_its_markers(row: Format) -> None:
    cases = CASES.get(row.name, [])
    assert cases
    markers = {marker for state in row.states.values() if isinstance(state, State) for marker in state.markers}
    assert {marker for marker in markers if not any(marker in output for _, output, _ in cases)} == set()
    if row.by_request:
        assert (not row.starts_inside) in [starts_inside for starts_inside, *_ in cases]


@pytest.mark.parametrize(("name", "starts_inside", "output", "segments"), ALL_CASES)
def test_an_output_fed_whole_gives_its_segments(
    name: str, starts_inside: bool | None, output: str, segments: list[Segment]
) -> None:
    assert parsed(name, starts_inside, [output]) == segments


@pytest.mark.parametrize(("name", "starts_inside", "output", "segments"), ALL_CASES)
def test_an_output_fed_by_the_character_gives_the_same_segments(
    name: str, starts_inside: bool | None, output: str, segments: list[Segment]
) -> None:
    assert parsed(name, starts_inside, list(output)) == segments


def test_every_format_has_a_name_its_models_and_its_markers() -> None:
    assert all(row.name == name and row.families and row.markers for name, row in FORMATS.items())


def test_a_custom_format_splits_at_its_configured_markers() -> None:
    braces = custom("{{", "}}", tools=("@call",))
    assert parsed(braces, None, ["{{a}}b{{c@call()"]) == [reasoning("a"), response("b{{c@call()")]
    assert parsed(braces, None, ["{{a@call()"]) == [reasoning("a"), response("@call()")]
    assert parsed(custom("%", "$", starts_inside=True), None, ["a$b"]) == AB


@pytest.mark.parametrize(("start", "end"), [("", "x"), ("\n<t>", "</t>"), ("<t", "<t>")])
def test_a_custom_format_refuses_markers_that_cannot_be_told_apart(start: str, end: str) -> None:
    with pytest.raises(ValueError, match="marker"):
        custom(start, end)


def test_hy_v3_splits_at_tags_with_the_configured_suffix() -> None:
    assert parsed(hy_v3(":7"), None, ["<think:7>a</think>c</think:7>b"]) == [reasoning("a</think>c"), response("b")]


def test_an_unknown_format_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no reasoning format 'qwen9'"):
        ReasoningParser("qwen9")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "deepseek_r1"),
        ("deepseek-ai/DeepSeek-V3.1", "deepseek_v3"),
        ("deepseek-v4", "deepseek_v4"),
        ("Qwen/Qwen3-0.6B", "qwen3"),
        ("qwen3:8b", "qwen3"),
        ("Qwen/Qwen3.5-35B-A3B", "qwen3"),
        ("Qwen/QwQ-32B", "deepseek_r1"),
        ("zai-org/GLM-4.6", "glm45"),
        ("moonshotai/Kimi-K2-Thinking", "kimi_k2"),
        ("moonshotai/Kimi-K3", "kimi_k3"),
        ("moonshotai/Kimi-VL-A3B-Thinking", "kimi"),
        ("MiniMaxAI/MiniMax-M2", "minimax_m2"),
        ("MiniMaxAI/MiniMax-M3", "minimax_m3"),
        ("stepfun-ai/Step-3.5-Flash", "step3"),
        ("nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B", "nemotron_v3"),
        ("ibm-granite/granite-3.2-8b-instruct", "granite"),
        ("ibm-granite/granite-4.2-small", "nemotron_v3"),
        ("ByteDance-Seed/Seed-OSS-36B-Instruct", "seed_oss"),
        ("allenai/Olmo-3-32B-Think", "olmo3"),
        ("baidu/ERNIE-4.5-21B-A3B-Thinking", "ernie45"),
        ("tencent/Hunyuan-A13B-Instruct", "hunyuan_a13b"),
        ("tencent/HY-V3", "hy_v3"),
        ("LLM360/K2-Horizon", "k2_horizon"),
        ("mistralai/Magistral-Small-2509", "mistral"),
        ("google/gemma-4-31b-it", "gemma4"),
        ("openai/gpt_oss-20b", "gpt_oss"),
        ("CohereLabs/command-a-reasoning-08-2025", "cohere"),
        ("some/Inkling-1", "inkling"),
        ("meta/Muse-Glimmer", "muse"),
        ("pfnet/plamo-3-nict-8b", "plamo3"),
        ("swiss-ai/Apertus-70B", "apertus"),
        ("mistralai/Ministral-3-8B-Reasoning", "mistral"),
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "auto"),
        ("qwen3-max", "auto"),
        ("moonshotai/Kimi-K2-Instruct", "auto"),
        ("some/other-model", "auto"),
    ],
)
def test_detect_chooses_the_format_by_the_name_of_the_model(model: str, name: str) -> None:
    assert detect(model).name == name

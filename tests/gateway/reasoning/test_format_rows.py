"""Every row of the table with concrete outputs: fed whole, then one character at a time."""

from itertools import groupby

import pytest

from gateway.reasoning import ReasoningParser, Segment
from gateway.reasoning.formats import FORMATS, Format, custom, detect, hy_v3
from gateway.reasoning.states import State


def thought(text: str) -> Segment:
    return Segment("reasoning", text)


def said(text: str) -> Segment:
    return Segment("response", text)


AB = [thought("a"), said("b")]
BARS = "<\uff5cDSML\uff5ctool_calls>"
# format -> (starts_inside, output, segments)
CASES: dict[str, list[tuple[bool | None, str, list[Segment]]]] = {
    "deepseek_r1": [
        (None, "a</think>b", AB),
        (None, "<think>\na\n</think>\n\nb", AB),
        (False, "b", [said("b")]),
    ],
    "deepseek_v3": [
        (None, "a</think>b", AB),
        (False, "<think>a</think>b\n", [said("<think>a</think>b\n")]),
    ],
    "deepseek_v4": [
        (None, "a</think>b", AB),
        (None, "<think>a</think>b", AB),
        (None, f"a\n\n{BARS}\nx", [thought("a"), said(f"{BARS}\nx")]),
    ],
    "qwen3": [
        (None, "<think>\na\n</think>\n\nb", AB),
        (True, "a\n</think>\n</think>\n\nb", AB),
        (False, "<think>\na\n</think>\nb", AB),
        (False, "b", [said("b")]),
        (True, "a\n<tool_call>\n{}\n</tool_call>", [thought("a"), said("<tool_call>\n{}\n</tool_call>")]),
        (True, "a<tool_c</think>b", [thought("a<tool_c"), said("b")]),
    ],
    "glm45": [
        (None, "\n<think>a</think>\nb", AB),
        (None, "a<tool_call>f", [thought("a"), said("<tool_call>f")]),
    ],
    "kimi_k2": [
        (None, "a</think>b", AB),
        (None, "<think>a</think>b", AB),
        (
            None,
            "a<|tool_calls_section_begin|><|tool_call_begin|>f",
            [thought("a"), said("<|tool_calls_section_begin|><|tool_call_begin|>f")],
        ),
    ],
    "kimi": [
        (None, "◁think▷a◁/think▷b", AB),
        (None, "c ◁think▷a◁/think▷b", [said("c "), thought("a"), said("b")]),
        (None, "b ◁thin", [said("b ◁thin")]),
    ],
    "kimi_k3": [
        (
            None,
            "<|open|>think<|sep|>a<|close|>think<|sep|><|open|>response<|sep|>b<|close|>response<|sep|>"
            "<|close|>message<|sep|><|end_of_msg|>",
            AB,
        ),
        (None, "a<|open|>response<|sep|>b<|close|>response<|sep|>", AB),
        (None, '<|open|>message role="assistant"<|sep|><|open|>response<|sep|>b<|close|>response<|sep|>', [said("b")]),
        (None, "a<|close|>think<|sep|><|open|>message<|sep|>b<|close|>message<|sep|>", AB),
        (None, "a<|open|>tools<|sep|>f", [thought("a"), said("<|open|>tools<|sep|>f")]),
        (
            True,
            "a<|close|>think<|sep|><|open|>response<|sep|>b<|close|>response<|sep|><|open|>tools<|sep|>f",
            [thought("a"), said("b<|open|>tools<|sep|>f")],
        ),
        (False, "b<|close|>response<|sep|><|close|>message<|sep|>", [said("b")]),
    ],
    "minimax_m2": [
        (None, "a\n</think>\n\nb", AB),
        (None, "<think>a</think>b", AB),
        (None, "a<minimax:tool_call>f", [thought("a"), said("<minimax:tool_call>f")]),
    ],
    "minimax_m3": [
        (None, "<mm:think>a</mm:think>b", AB),
        (None, "</mm:think>b", [said("b")]),
        (True, "a</mm:think>b", AB),
    ],
    "step3": [(None, "a</think>b", AB), (None, "<think>a</think>b", AB), (None, "a\n</think>\nb", AB)],
    "nemotron_v3": [(None, "a</think>b", AB), (None, "<think>a</think>b", AB), (False, "b", [said("b")])],
    "granite": [
        (None, "Here is my thought process: a Here is my response: b", [thought(" a "), said(" b")]),
        (None, "Here's my thought process:\na\nHere's my response:\nb", AB),
        (None, "Well. Here is my thought process: a", [said("Well. Here is my thought process: a")]),
        (None, "Here is my view: b", [said("Here is my view: b")]),
        (
            None,
            "Here's my thought process:a. Here is x. Here is my response:b Here's my response:",
            [thought("a. Here is x. "), said("b Here's my response:")],
        ),
    ],
    "seed_oss": [
        (None, "<seed:think>a</seed:think>b", AB),
        (None, "a<seed:tool_call>f", [thought("a"), said("<seed:tool_call>f")]),
    ],
    "olmo3": [(None, "<think>a</think>b", AB), (None, "a </thi", [thought("a </thi")])],
    "ernie45": [
        (None, "a\n</think>\n\n<response>\nb\n</response>\n", AB),
        (None, "a\n</think>\n\nb", AB),
        (None, "<think>\na\n</think>\n\n<response>\nb\n</response>\n", AB),
        (None, "a</think>b<response>c</response>", [thought("a"), said("b<response>c</response>")]),
        (False, "<response>b</response>", [said("b")]),
    ],
    "hunyuan_a13b": [
        (None, "<think>\na\n</think>\n<answer>\nb\n</answer>", AB),
        (None, "<think>\n\n</think>\n<answer>\nb\n</answer>", [said("b")]),
        (None, "<answer>\nb\n</answer>", [said("b")]),
        (None, "b", [said("b")]),
    ],
    "hy_v3": [(None, "<think>a</think>b", AB), (None, "a</think>\nb", AB)],
    "k2_horizon": [
        (None, "<ifm|think>a</ifm|think>b", AB),
        (None, "<ifm|think_fast>a</ifm|think_fast>b", AB),
        (None, "<ifm|think_faster>a</ifm|think_faster>b", AB),
        (None, "a</ifm|think_faster>b", AB),
        (None, "a<ifm|tool_calls>f", [thought("a"), said("<ifm|tool_calls>f")]),
    ],
    "mistral": [
        (None, "[THINK]a[/THINK]b", AB),
        (None, "[THINK]a[/THINK]b[THINK]c[/THINK]d", [*AB, thought("c"), said("d")]),
        (None, "c[/THINK]b", [said("cb")]),
        (None, "[THINK]a[TOOL_CALLS]f", [thought("a"), said("[TOOL_CALLS]f")]),
        (None, "list[0] = [T]", [said("list[0] = [T]")]),
    ],
    "gemma4": [
        (None, "<|channel>thought\na\n<channel|>b", AB),
        (None, "<|channel>thought\n<channel|>b", [said("b")]),
        (None, "<|channel>thoughtful<channel|>b", [thought("thoughtful"), said("b")]),
        (None, "<|channel>a<|tool_call>f", [thought("a"), said("<|tool_call>f")]),
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
            [*AB, thought("c"), said("{\n}")],
        ),
        (
            None,
            "<|channel|>analysis<|message|>a<|end|>"
            "<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{}<|call|>",
            [
                thought("a"),
                said("<|start|>assistant to=functions.f<|channel|>commentary json<|message|>{}<|call|>"),
            ],
        ),
        (
            None,
            "<|channel|>analysis to=python<|message|>f<|call|>",
            [said("<|channel|>analysis to=python<|message|>f<|call|>")],
        ),
        (
            None,
            " to=functions.f<|channel|>commentary<|message|>{}<|call|>",
            [said(" to=functions.f<|channel|>commentary<|message|>{}<|call|>")],
        ),
        (None, "b", [said("b")]),
        (None, "<|channel|>diary<|message|>b", [said("<|channel|>diary<|message|>b")]),
        (None, "<|channel|>analysis", [said("<|channel|>analysis")]),
        (None, "<|channel|>" + "x" * 300, [said("<|channel|>" + "x" * 300)]),
        (True, "a<|end|><|start|>assistant<|channel|>final<|message|>b", AB),
    ],
    "cohere": [
        (None, "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>", AB),
        (None, "a<|END_THINKING|>\n<|START_TEXT|>b<|END_TEXT|>", AB),
        (None, "a<|START_ACTION|>[]<|END_ACTION|>", [thought("a"), said("<|START_ACTION|>[]<|END_ACTION|>")]),
    ],
    "inkling": [
        (
            None,
            "<|content_thinking|>a<|end_message|><|message_model|><|content_text|>b<|end_message|>"
            "<|message_model|><|content_thinking|>c<|end_message|><|content_model_end_sampling|>",
            [*AB, thought("c")],
        ),
        (None, "<|content_text|>b<|end_message|>", [said("b")]),
        (
            None,
            "<|content_thinking|>a<|content_invoke_tool_json|>{}",
            [thought("a"), said("<|content_invoke_tool_json|>{}")],
        ),
        (
            None,
            "<|content_thinking|>a<|content_invoke_tool_text|>f",
            [thought("a"), said("<|content_invoke_tool_text|>f")],
        ),
    ],
    "muse": [
        (None, " to=self<|message|>a<|eom|><|start|>assistant to=user<|message|>b<|eot|>", AB),
        (None, "to=self<|message|>a<|eom|>to=user<|message|>b<|eot|>", AB),
        (None, "<|message|>b<|eot|>", [said("b")]),
        (
            None,
            " to=self<|message|>a<|eom|><|start|>assistant to=web.find<|message|>q<|eom|>"
            "<|start|>assistant to=user<|message|>b",
            [thought("a"), said("<|start|>assistant to=web.find<|message|>q<|eom|>b")],
        ),
        (None, " to=be or not", [said(" to=be or not")]),
    ],
    "plamo3": [
        (None, "<|plamo:begin_think:plamo|>a<|plamo:end_think:plamo|>b", AB),
        (None, "a<|plamo:end_think", [thought("a<|plamo:end_think")]),
        (False, "b", [said("b")]),
    ],
    "apertus": [
        (None, "<|inner_prefix|>a<|inner_suffix|>b", AB),
        (True, "a<|inner_suffix|>b", AB),
        (None, "b", [said("b")]),
    ],
    "custom": [(None, "<think>a</think>b", AB), (True, "a</think>b", AB)],
    "auto": [
        (None, "<think>\na\n</think>\n\nb", AB),
        (None, "\n\n<think>a</think>b", AB),
        (None, "b <think>a</think>", [said("b <think>a</think>")]),
        (True, "a</think>b", AB),
    ],
    "none": [(None, "<think>a</think>\nb\n", [said("<think>a</think>\nb\n")]), (True, "\nb", [said("\nb")])],
}
EVERY = [(name, *case) for name, cases in CASES.items() for case in cases]


def parsed(format: Format | str, starts_inside: bool | None, chunks: list[str]) -> list[Segment]:
    parser = ReasoningParser(format, starts_inside)
    segments = [segment for chunk in chunks for segment in parser.feed(chunk)] + parser.close()
    runs = groupby(segments, key=lambda segment: segment.kind)
    return [Segment(kind, "".join(segment.text for segment in run)) for kind, run in runs]


def test_every_case_is_of_a_row() -> None:
    assert CASES.keys() <= FORMATS.keys()


@pytest.mark.parametrize("row", FORMATS.values(), ids=FORMATS.keys())
def test_every_row_has_cases_with_each_of_its_markers(row: Format) -> None:
    cases = CASES.get(row.name, [])
    assert cases
    markers = {marker for state in row.states.values() if isinstance(state, State) for marker in state.markers}
    assert {marker for marker in markers if not any(marker in output for _, output, _ in cases)} == set()
    if row.by_request:
        assert (not row.starts_inside) in [starts_inside for starts_inside, *_ in cases]


@pytest.mark.parametrize(("name", "starts_inside", "output", "segments"), EVERY)
def test_output_fed_whole(name: str, starts_inside: bool | None, output: str, segments: list[Segment]) -> None:
    assert parsed(name, starts_inside, [output]) == segments


@pytest.mark.parametrize(("name", "starts_inside", "output", "segments"), EVERY)
def test_output_fed_by_the_character(
    name: str, starts_inside: bool | None, output: str, segments: list[Segment]
) -> None:
    assert parsed(name, starts_inside, list(output)) == segments


def test_every_row_describes_itself() -> None:
    assert all(row.name == name and row.families and row.markers for name, row in FORMATS.items())


def test_custom_takes_markers_from_configuration() -> None:
    braces = custom("{{", "}}", tools=("@call",))
    assert parsed(braces, None, ["{{a}}b{{c@call()"]) == [*AB, thought("c"), said("@call()")]
    assert parsed(custom("%", "$", starts_inside=True), None, ["a$b"]) == AB


@pytest.mark.parametrize(("start", "end"), [("", "x"), ("\n<t>", "</t>"), ("<t", "<t>")])
def test_custom_refuses_markers_that_cannot_be_told_apart(start: str, end: str) -> None:
    with pytest.raises(ValueError, match="marker"):
        custom(start, end)


def test_hy_v3_takes_a_suffix() -> None:
    assert parsed(hy_v3(":7"), None, ["<think:7>a</think>c</think:7>b"]) == [thought("a</think>c"), said("b")]


def test_unknown_format_is_refused() -> None:
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
        ("Qwen/Qwen3-30B-A3B-Instruct-2507", "auto"),
        ("some/other-model", "auto"),
    ],
)
def test_detect_picks_by_the_name(model: str, name: str) -> None:
    assert detect(model).name == name

"""The table of formats: how each family of models marks its reasoning. A new format is one more row.

Sources: the models' chat templates, and the parsers of vLLM 0.33 and SGLang 0.5.23.
Knows nothing of how text is scanned (`states.py` and `parser.py` do that).
"""

import re

from gateway.reasoning.names import never_thinks, normalized
from gateway.reasoning.rows import channels, tagged
from gateway.reasoning.states import Format, Rule, State

__all__ = ["FORMATS", "Format", "custom", "detect", "hy_v3"]

_THINK = ("<think>", "</think>")


def hy_v3(suffix: str = "") -> Format:
    """Return the format of HY V3 and V4, whose tags are `<think{suffix}>` with a suffix chosen by each deployment."""
    return tagged(
        "hy_v3", "HY V3, V4", f"<think{suffix}>", f"</think{suffix}>",
        model_pattern=r"\bhy-?v?[34]\b", note="the suffix of the tags depends on the deployment",
    )  # fmt: skip


def custom(start: str, end: str, *, starts_inside: bool = False, tools: tuple[str, ...] = ()) -> Format:
    """Return a format with configured markers. Markers in `tools` end the reasoning too, and stay in the text.

    Raises ValueError for a marker that is empty, begins with a newline, or is the beginning of another one.
    """
    return tagged(
        "custom", "any", start, end, tools=tools, starts_inside=starts_inside,
        by_request=True, note="markers are configured",
    )  # fmt: skip


_ROWS = (
    tagged("deepseek_r1", "DeepSeek-R1, QwQ, Step5", *_THINK, model_pattern=r"\br1\b|qwq|step-?5"),
    tagged(
        "deepseek_v3", "DeepSeek V3.1, V3.2, Holo2", *_THINK, by_request=True,
        model_pattern=r"deepseek.*v3\.[12]|holo-?2",
    ),
    tagged(
        "deepseek_v4", "DeepSeek V4, V4.1", *_THINK, tools=("<\uff5cDSML\uff5ctool_calls>",),
        model_pattern=r"deepseek.*v4",
    ),
    tagged(
        "qwen3", "Qwen3.x, MiMo, InternS1", *_THINK, tools=("<tool_call>",), by_request=True,
        model_pattern=r"qwen-?3|\bmimo\b|intern-?s1",
    ),
    tagged(
        "glm45", "GLM-4.5 … 5.3, Ling3", *_THINK, tools=("<tool_call>",),
        model_pattern=r"glm-?(?:4\.[5-9]|5)|ling-?3",
    ),
    tagged(
        "kimi_k2", "Kimi K2", *_THINK, tools=("<|tool_calls_section_begin|>",),
        model_pattern=r"kimi-?k2",
    ),
    tagged(
        "kimi", "older Kimi", "◁think▷", "◁/think▷", starts_inside=False, model_pattern=r"kimi-(?:vl|dev)",
    ),
    tagged(
        "kimi_k3", "Kimi K3", "<|open|>think<|sep|>", "<|close|>think<|sep|>",
        tools=("<|open|>tools<|sep|>",),
        frames=(
            '<|open|>message role="assistant"<|sep|>', "<|open|>response<|sep|>", "<|close|>response<|sep|>",
            "<|open|>message<|sep|>", "<|close|>message<|sep|>", "<|end_of_msg|>",
        ),
        model_pattern=r"kimi-?k3", note="the response is wrapped in `response` and `message` channels",
    ),
    tagged(
        "minimax_m2", "MiniMax M2", *_THINK, tools=("<minimax:tool_call>",), model_pattern=r"minimax-?m2",
    ),
    tagged(
        "minimax_m3", "MiniMax M3", "<mm:think>", "</mm:think>", starts_inside=False, by_request=True,
        model_pattern=r"minimax-?m3",
    ),
    tagged(
        "step3", "Step3, Step3.5", *_THINK, model_pattern=r"step-?3",
        note="Step3.5 puts newlines around the end marker",
    ),
    tagged("nemotron_v3", "Nemotron 3, Granite 4.2", *_THINK, model_pattern=r"nemotron-?3|granite-?4\.2"),
    tagged(
        "granite", "Granite 3.2",
        ("Here's my thought process:", "Here is my thought process:"),
        ("Here's my response:", "Here is my response:"),
        starts_inside=False, model_pattern=r"granite-?3\.[23]", note="markers are plain text",
    ),
    tagged(
        "seed_oss", "Seed-OSS", "<seed:think>", "</seed:think>", tools=("<seed:tool_call>",),
        model_pattern=r"seed-?oss",
    ),
    tagged("olmo3", "Olmo 3", *_THINK, model_pattern=r"olmo-?3", note="its markers always arrive in several chunks"),
    tagged(
        "ernie45", "ERNIE 4.5", *_THINK, wrapper=("<response>", "</response>"), model_pattern=r"ernie-?4\.5",
        note="the response may be wrapped in `<response>`",
    ),
    tagged(
        "hunyuan_a13b", "Hunyuan-A13B", *_THINK, wrapper=("<answer>", "</answer>"), starts_inside=False,
        model_pattern=r"hunyuan.*a13b",
        note="the response is wrapped in `<answer>`; in fast mode the reasoning is empty",
    ),
    hy_v3(),
    tagged(
        "k2_horizon", "K2 Horizon",
        ("<ifm|think>", "<ifm|think_fast>", "<ifm|think_faster>"),
        ("</ifm|think>", "</ifm|think_fast>", "</ifm|think_faster>"),
        tools=("<ifm|tool_calls>",), model_pattern=r"k2-?horizon", note="one pair of tags for each of three efforts",
    ),
    tagged(
        "mistral", "Magistral", "[THINK]", "[/THINK]", tools=("[TOOL_CALLS]",), starts_inside=False,
        reopens=True, model_pattern=r"magistral|ministral.*reason",
        note="reasoning may begin again at the beginning of a line",
    ),
    tagged(
        "gemma4", "Gemma 4", "<|channel>", "<channel|>", label="thought\n", tools=("<|tool_call>",),
        starts_inside=False, by_request=True, model_pattern=r"gemma-?4",
        note="the label `thought` after the start marker is dropped",
    ),
    channels(
        "gpt_oss", "gpt-oss", "<|channel|>analysis<|message|>…<|end|>",
        openers=("<|start|>", "<|channel|>", " to=", "to="), closers=("<|end|>", "<|return|>", "<|call|>"),
        routes=(
            (r"to=(?!assistant\b)[^\s<]", Rule("tool", keep=True)),
            (r"<\|channel\|>analysis\b", Rule("reasoning")),
            (r"<\|channel\|>(?:final|commentary)\b", Rule("response")),
        ),
        model_pattern=r"gpt-?oss",
        note="routed by channel, or by recipient if there is one; malformed output is response",
    ),
    tagged(
        "cohere", "Command", "<|START_THINKING|>", "<|END_THINKING|>", tools=("<|START_ACTION|>",),
        frames=("<|START_RESPONSE|>", "<|END_RESPONSE|>", "<|START_TEXT|>", "<|END_TEXT|>"),
        model_pattern=r"command-a-(?:reasoning|plus)",
        note="the response is wrapped in `START_RESPONSE` or `START_TEXT`",
    ),
    tagged(
        "inkling", "Inkling", "<|content_thinking|>", "<|end_message|>", starts_inside=False,
        tools=("<|content_invoke_tool_json|>", "<|content_invoke_tool_text|>"),
        frames=("<|message_model|>", "<|content_text|>", "<|end_message|>", "<|content_model_end_sampling|>"),
        reopens=True, model_pattern=r"inkling", note="blocks of any kind, repeated, in any order",
    ),
    channels(
        "muse", "Muse", "to=self<|message|>…<|eom|>",
        openers=("<|start|>", " to=", "to=", "<|message|>"), closers=("<|eom|>", "<|eot|>"),
        routes=(
            (r"to=self<\|message\|>", Rule("reasoning")),
            (r"to=(?!user<)[^\s<]", Rule("tool", keep=True)),
            (r"^(?:<\|start\|>\s*assistant)?\s*(?:to=user)?<\|message\|>$", Rule("response")),
        ),
        model_pattern=r"\bmuse\b", note="routed by recipient",
    ),
    tagged(
        "plamo3", "PLaMo 3", "<|plamo:begin_think:plamo|>", "<|plamo:end_think:plamo|>", by_request=True,
        model_pattern=r"plamo-?3",
    ),
    tagged(
        "apertus", "Apertus", "<|inner_prefix|>", "<|inner_suffix|>", starts_inside=False, by_request=True,
        model_pattern=r"apertus",
    ),
    custom(*_THINK),
    tagged(
        "auto", "any other", *_THINK, starts_inside=False, note="by the name of the model",
    ),
    Format(
        name="none", families="any", markers="none",
        states={"leading": State("response", {}, fallback="response"), "response": State("response", {})},
        inside="leading", outside="leading", starts_inside=False,
        note="no reasoning in the text: all of it is response",
    ),
)  # fmt: skip

FORMATS: dict[str, Format] = {row.name: row for row in _ROWS}


def detect(model: str) -> Format:
    """Return the first format whose pattern matches the model's name, or `auto`, also for one that does not think."""
    name = normalized(model)
    matching = (row for row in FORMATS.values() if row.model_pattern and re.search(row.model_pattern, name))
    return FORMATS["auto"] if never_thinks(model) else next(matching, FORMATS["auto"])

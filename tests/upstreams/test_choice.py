"""Answers of APIs, parsed as the routes of their models and earlier answers say."""

import logging
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest

from gateway.config import GatewaySettings
from gateway.events import FinishReason, Usage
from gateway.reasoning import Segment
from gateway.reasoning.formats import detect
from gateway.upstream import Finished, Message, ParsedItem, Text, ToolPiece, UpstreamItem, UpstreamRequest
from upstreams.choice import Upstreams

CALL = ToolPiece(index=0, id="c1", name="weather", arguments="{}")
HELLO = "Hello, how can I help you today?"
RAW = ["I add two and two. ", "That is four.", "</think>", "\n\nFour."]


class Api:
    """Answers each request with the next script: text, items as they are, and the finish reason last."""

    def __init__(self, *scripts: Sequence[Any]) -> None:
        self.scripts = list(scripts)

    async def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]:
        for step in self.scripts.pop(0):
            yield [Text(step) if isinstance(step, str) else step]

    async def running(self) -> int:
        return 0


def finished(reason: FinishReason = "stop") -> Finished:
    return Finished(finish_reason=reason, usage=Usage())


def field(text: str) -> Segment:
    return Segment("reasoning", text)


class Gateway:
    """Upstreams in front of an Api of one model, with the settings of that API."""

    def __init__(self, api: Api, model: str, **settings: Any) -> None:
        configured = GatewaySettings.model_validate(
            {"upstream": None, "http_upstreams": [{"url": "http://api/v1", "models": [model, "other"], **settings}]}
        )
        self.model, self.upstreams = model, Upstreams(configured.models, {"http": api})

    async def ask(self, budget: int | None = None, model: str = "") -> tuple[str, str]:
        """Return the reasoning and the response of the next answer."""
        request = UpstreamRequest(
            id="rsn-1", model=model or self.model, messages=(Message(role="user", content="hi"),), budget=budget
        )
        items: list[ParsedItem] = [item async for batch in self.upstreams.ask(request) for item in batch]
        return said(items, "reasoning"), said(items, "response")


def said(items: Sequence[ParsedItem], kind: str) -> str:
    return "".join(item.text for item in items if isinstance(item, Segment) and item.kind == kind)


NAMES = (
    *("deepseek-r1", "deepseek-v4-flash", "deepseek-v3.1", "deepseek-chat", "qwen3-8b", "qwen3-max", "kimi-k2"),
    *("kimi-k2-0905-preview", "kimi-k3", "glm-4.6", "minimax-m2", "minimax-m3", "step-3.5", "nemotron-3-nano"),
    *("seed-oss-36b", "olmo-3-32b", "ernie-4.5", "hunyuan-a13b", "hy-v3", "k2-horizon", "magistral-small"),
    *("gemma-4-31b-it", "gpt-oss-20b", "command-a-reasoning", "inkling", "muse", "plamo-3", "apertus-70b"),
    *("granite-3.2", "kimi-vl", "gpt-4o"),
)


@pytest.mark.parametrize("budget", [None, 0])
@pytest.mark.parametrize("model", NAMES)
async def test_an_answer_without_thinking_is_the_answer_whatever_the_name(model: str, budget: int | None) -> None:
    answers: list[list[Any]] = [[HELLO], ["\n\n", HELLO], list(HELLO), [" ", HELLO, CALL]]
    gateway = Gateway(Api(*([*answer, finished()] for answer in answers)), model)
    assert [await gateway.ask(budget) for _ in answers] == [
        ("", HELLO),
        ("", f"\n\n{HELLO}"),
        ("", HELLO),
        ("", f" {HELLO}"),
    ]


@pytest.mark.parametrize("model", NAMES)
@pytest.mark.parametrize("blank", ["", "\n", " ", " \r\n\n "])
async def test_blank_text_before_reasoning_by_a_field_is_nothing(model: str, blank: str) -> None:
    gateway = Gateway(Api([blank, field("I think."), blank, field(" So."), "Done.", finished()]), model)
    assert await gateway.ask() == ("I think. So.", "Done.")


@pytest.mark.parametrize("model", [name for name in NAMES if name not in ("gpt-oss-20b", "muse")])
@pytest.mark.parametrize("blank", ["", "\n", " ", " \r\n\n "])
async def test_blank_text_and_a_doubled_start_marker_before_reasoning_are_nothing(model: str, blank: str) -> None:
    format = detect(model)
    marked = f"{blank}{format.starts[0]}{blank}{format.starts[0]}I think.{format.ends[0]}Done."
    gateway = Gateway(Api([marked, finished()], [*marked, finished()]), model)
    assert [await gateway.ask() for _ in range(2)] == [("I think.", "Done.")] * 2


@pytest.mark.parametrize("format", ["deepseek_r1", "qwen3", "glm45", "kimi_k2", "nemotron_v3"])
async def test_a_named_format_starts_inside_as_its_row_says(format: str) -> None:
    gateway = Gateway(Api([*RAW, finished()], [HELLO, finished()]), "some-model", format=format)
    assert await gateway.ask() == ("I add two and two. That is four.", "Four.")
    assert await gateway.ask() == (HELLO, HELLO)


async def test_a_named_format_by_request_starts_outside_for_requests_without_thinking() -> None:
    gateway = Gateway(Api([HELLO, finished()], [*RAW, finished()]), "some-model", format="qwen3")
    assert await gateway.ask(budget=0) == ("", HELLO)
    assert await gateway.ask() == ("I add two and two. That is four.", "Four.")
    gateway = Gateway(Api([*RAW, finished()]), "some-model", format="deepseek_r1")
    assert await gateway.ask(budget=0) == ("I add two and two. That is four.", "Four.")


@pytest.mark.parametrize("budget", [None, 0])
async def test_the_operators_word_on_the_beginning_counts_always(budget: int | None) -> None:
    raw = [[*RAW, finished()]] * 3
    inside = Gateway(Api(*raw), "qwen3-max", starts_inside=True)
    assert await inside.ask(budget) == ("I add two and two. That is four.", "Four.")
    outside = Gateway(Api(*raw), "deepseek-r1", format="deepseek_r1", starts_inside=False)
    assert [await outside.ask(budget) for _ in raw] == [("", "".join(RAW))] * 3


@pytest.mark.parametrize("model", ["deepseek-r1", "qwen3-8b", "kimi-k2", "some-model", "minimax-m2"])
async def test_answers_start_inside_once_one_has_ended_its_reasoning_without_a_start(
    model: str, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = Gateway(Api(*([*RAW, finished()] for _ in range(4)), [HELLO, finished()]), model)
    with caplog.at_level(logging.WARNING):
        assert await gateway.ask() == ("", "".join(RAW))
        assert await gateway.ask() == ("I add two and two. That is four.", "Four.")
        assert await gateway.ask(model="other") == ("", "".join(RAW))
        assert await gateway.ask() == ("I add two and two. That is four.", "Four.")
        assert await gateway.ask(budget=0) == ("", HELLO)
    logged = [record.getMessage() for record in caplog.records]
    assert [message.split(" began ")[0] for message in logged] == [f"an answer of {model}", "an answer of other"]
    assert all("starts_inside: true" in message for message in logged)


@pytest.mark.parametrize("model", ["qwen3-max", "kimi-k2-0905-preview", "deepseek-chat", "gpt-4o"])
async def test_nothing_is_learned_of_a_model_that_does_not_think(model: str) -> None:
    gateway = Gateway(Api([*RAW, finished()], [*RAW, finished()]), model)
    assert [await gateway.ask(), await gateway.ask()] == [("", "".join(RAW))] * 2


async def test_what_one_answer_seemed_to_show_the_next_one_corrects() -> None:
    misleading = ["The tag is\n</think>\nand ends a thought.", finished()]
    gateway = Gateway(Api(misleading, [HELLO, finished()], [HELLO, finished()]), "deepseek-r1")
    await gateway.ask()
    assert await gateway.ask() == (HELLO, HELLO)
    assert await gateway.ask() == ("", HELLO)


async def test_an_answer_cut_at_its_limit_corrects_nothing() -> None:
    cut = ["I add", finished("length")]
    gateway = Gateway(Api([*RAW, finished()], cut, [*RAW, finished()]), "deepseek-r1")
    await gateway.ask()
    assert await gateway.ask() == ("I add", "")
    assert await gateway.ask() == ("I add two and two. That is four.", "Four.")


@pytest.mark.parametrize(
    ("script", "promoted"),
    [
        (["<think>Six.", finished()], True),
        (["<think>Six.", "</think>\n\n", finished()], True),
        ([field("Six."), finished()], True),
        ([field("Six."), "\n", finished()], True),
        (["<think>Six.", finished("length")], False),
        (["<think>Six.", finished("content_filter")], False),
        ([field("Six."), CALL, finished("tool_calls")], False),
        ([field("Six."), CALL, finished()], False),
    ],
)
async def test_an_answer_that_finished_with_stop_is_never_empty(script: list[Any], promoted: bool) -> None:
    assert await Gateway(Api(script), "deepseek-r1").ask() == ("Six.", "Six." if promoted else "")


async def test_reasoning_cut_at_the_limit_is_promoted_if_configured() -> None:
    api = Api(["<think>Six.", finished("length")])
    assert await Gateway(api, "deepseek-r1", promote_truncated=True).ask() == ("Six.", "Six.")

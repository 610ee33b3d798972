"""The option `reasoning.show` of chat completions, beside what APIs have under that name."""

from typing import Any

import orjson
import pytest

from gateway.errors import InvalidRequest
from gateway.requests.chat_completions import ChatCompletionsRequest
from tests.fakes.scripted_gateway import CHAT, CHAT_TOOLS


def request(**fields: Any) -> ChatCompletionsRequest:
    request = ChatCompletionsRequest.model_validate({**CHAT, **fields})
    request._body = {**CHAT, **fields}
    return request


@pytest.mark.parametrize(
    ("asked", "default", "show"),
    [
        ({}, "trace", "trace"),
        ({}, "both", "both"),
        ({"reasoning": {"show": "summary"}}, "both", "summary"),
        ({"reasoning": {"show": "trace"}}, "summary", "trace"),
        ({"reasoning": {"show": None, "effort": "low"}}, "summary", "summary"),
        ({"reasoning": "high"}, "summary", "summary"),
        ({"reasoning": False}, "trace", "trace"),
    ],
)
def test_a_request_goes_before_the_default(asked: dict[str, Any], default: Any, show: str) -> None:
    chat = request(**asked)
    chat.show_by_default(default)
    assert (chat.show, chat.reasoning.order) == (show, "eager" if show == "trace" else "strict")
    assert (chat.waits_for_summaries, chat.parts_come_first) == (show != "trace", show == "both")


@pytest.mark.parametrize("wrong", ["all", "", 5, True, ["trace"]])
def test_a_wrong_word_is_refused_by_its_name(wrong: Any) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        ChatCompletionsRequest.parse(orjson.dumps({**CHAT, "reasoning": {"show": wrong}}))
    assert refusal.value.failure().param == "reasoning.show"


@pytest.mark.parametrize(
    ("asked", "told", "ignored"),
    [
        ({"show": "summary"}, {}, []),
        ({"show": None}, {}, []),
        ({"show": "summary", "effort": "low"}, {"reasoning": {"effort": "low"}}, ["reasoning"]),
        ({"effort": "low"}, {"reasoning": {"effort": "low"}}, ["reasoning"]),
        ({"enabled": True, "show": "both"}, {"reasoning": {"enabled": True}}, []),
        ({}, {"reasoning": {}}, []),
        ("high", {"reasoning": "high"}, ["reasoning"]),
    ],
)
def test_an_api_is_told_all_but_what_is_shown(asked: Any, told: dict[str, Any], ignored: list[str]) -> None:
    for_api, for_qwen = request(reasoning=asked), request(reasoning=asked)
    assert (for_api.admit("http"), for_api.to_upstream("rsn-1", "m").chat) == ([], {**CHAT, **told})
    assert for_qwen.admit("qwen") == ignored


@pytest.mark.parametrize(("show", "tools", "seals"), [("trace", 0, False), ("trace", 1, True), ("summary", 0, True)])
def test_the_trace_is_sealed_for_a_client_that_does_not_get_it(show: str, tools: int, seals: bool) -> None:
    assert request(reasoning={"show": show}, tools=CHAT_TOOLS[:tools]).seals_trace == seals


def test_thinking_may_be_turned_off_beside_it() -> None:
    assert request(reasoning={"show": "summary", "effort": "none"}).reasoning.budget == 0

"""Requests to a model behind an API, and to the cluster's Qwen: passed on, taken, or left and named."""

from typing import Any

import pytest

from tests.fakes.asking import CHAT, HEADER, HI, NATIVE, RESPONSES, Route, ask, ask_the_qwen
from tests.fakes.scripted_gateway import GOOD, MODEL, PART, http
from tests.fakes.session import ScriptedParser

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
FUNCTION = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}


def asked(*turns: Any) -> dict[str, Any]:
    return {"messages": list(turns)}


PASSED_ON: list[dict[str, Any]] = [
    {"presence_penalty": 0.5},
    {"frequency_penalty": "a word"},
    {"top_k": 20},
    {"min_p": 0.05},
    {"repetition_penalty": 1.1},
    {"logit_bias": {"50256": -100}},
    {"stop": ["a", "b", "c", "d", "e"]},
    {"stop": [{"type": "text", "text": "END"}]},
    {"temperature": 5},
    {"max_tokens": -1},
    {"max_completion_tokens": 64},
    {"n": 1},
    {"response_format": {"type": "json_object"}},
    {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"const": None}}}},
    {"chat_template_kwargs": {"enable_thinking": True}},
    {"chat_template_kwargs": {"enable_thinking": False}},
    {"reasoning_effort": "none"},
    {"reasoning_effort": "ultra"},
    {"thinking": {"type": "disabled"}},
    {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    {"service_tier": "auto"},
    {"metadata": {"a": "b"}},
    {"user": "me"},
    {"store": True},
    {"logprobs": True, "top_logprobs": 2},
    {"prediction": {"type": "content", "content": "x"}},
    {"modalities": ["text"]},
    {"verbosity": "low"},
    {"web_search_options": {}},
    {"stream_options": {"include_usage": True, "include_obfuscation": False}},
    {"a field that nobody knows": [1, None, {"b": 2.5}]},
    {"tools": [FUNCTION], "tool_choice": {"type": "function", "function": {"name": "another"}}},
    {"tools": [FUNCTION], "tool_choice": "any", "parallel_tool_calls": False},
    {"tool_choice": "required"},
    {"functions": [{"name": "weather"}], "function_call": "auto"},
    asked({"role": "user", "content": [{"type": "text", "text": "What is it?"}, IMAGE]}),
    asked({"role": "user", "content": [IMAGE]}),
    asked({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}),
    asked({"role": "user", "content": [{"type": "hologram", "data": 5}]}),
    asked(HI, {"role": "assistant", "content": "Hello, I"}),
    asked(HI, {"role": "assistant", "content": "Hello, I", "prefix": True}),
    asked({**HI, "name": "bob"}),
    asked({**HI, "id": "m1"}),
    asked({"role": "user", "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}),
    asked(HI, {"role": "assistant", "content": None}, HI),
    asked(HI, {"role": "assistant"}, HI),
    asked(HI, {"role": "assistant", "content": "x", "tool_calls": []}, HI),
    asked(HI, {"role": "assistant", "content": "x", "refusal": None, "annotations": [], "audio": None}, HI),
    asked({"role": "system", "content": None}, HI),
    asked(HI, {"role": "system", "content": "Be brief."}),
    asked({"role": "developer", "content": "Be brief."}, HI),
    asked({"role": "latest_reminder", "content": "Be brief."}, HI),
    asked({"role": "system", "content": "Be brief."}),
    asked({"role": "user", "content": ""}),
    asked(HI, {"role": "assistant", "content": [], "tool_calls": [CALL]}, {"role": "tool", "content": "1"}),
    asked(HI, {"role": "assistant", "tool_calls": [{"type": "custom", "custom": {"name": "x", "input": ""}}]}, HI),
]


@pytest.mark.parametrize("route", [CHAT, NATIVE])
@pytest.mark.parametrize("body", PASSED_ON, ids=str)
async def test_a_chat_goes_to_an_api_as_it_came(route: Route, body: dict[str, Any]) -> None:
    answer, chat = await ask(route, body)
    assert answer.status_code == 200, answer.text
    assert HEADER not in answer.headers
    assert {name: chat[name] for name in body} == body
    assert chat.keys() == {"messages", "stream", *body}


@pytest.mark.parametrize("route", [CHAT, NATIVE, RESPONSES])
@pytest.mark.parametrize(
    "name",
    ["model", "temperature", "stream", "stream_options", "tools", "tool_choice", "n", "logprobs", "prediction", "x"],
)
async def test_null_is_absent(route: Route, name: str) -> None:
    answer, chat = await ask(route, {name: None})
    assert answer.status_code == 200, answer.text
    assert name not in chat or name == "stream"
    assert (await ask_the_qwen(route, {name: None}))[0].status_code == 200


@pytest.mark.parametrize(
    ("body", "budget"),
    [
        ({}, None),
        ({"reasoning_effort": "none"}, 0),
        ({"reasoning_effort": "low"}, None),
        ({"thinking": {"type": "disabled"}}, 0),
        ({"thinking": False}, 0),
        ({"enable_thinking": False}, 0),
        ({"think": False}, 0),
        ({"chat_template_kwargs": {"enable_thinking": False}}, 0),
        ({"chat_template_kwargs": {"thinking": False, "a": 1}}, 0),
        ({"chat_template_kwargs": {"enable_thinking": True}}, None),
        ({"thinking_budget": 0}, 0),
        ({"reasoning": {"effort": "none"}}, 0),
        ({"reasoning": {"enabled": False}}, 0),
        ({"reasoning": {"exclude": True}}, None),
    ],
)
async def test_thinking_is_turned_off_in_the_words_of_any_api(body: dict[str, Any], budget: int | None) -> None:
    for route in (CHAT, NATIVE) if "reasoning" not in body else (CHAT,):
        answer, request = await ask_the_qwen(route, body)
        assert (answer.status_code, request.budget) == (200, budget)
        answer, chat = await ask(route, body)
        assert {name: chat[name] for name in body} == body


OTHERS = [FUNCTION, {"type": "web_search"}, {"type": "custom", "custom": {"name": "x"}}]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("route", [CHAT, NATIVE])
async def test_tools_that_are_no_functions_are_left_and_named(route: Route, stream: bool) -> None:
    answer, chat = await ask(route, {"tools": OTHERS, "tool_choice": "required", "stream": stream})
    assert answer.headers[HEADER] == "tools.1 (web_search), tools.2 (custom)"
    assert (chat["tools"], chat["tool_choice"]) == ([FUNCTION], "required")
    answer, chat = await ask(route, {"tools": OTHERS[1:], "tool_choice": "required", "stream": stream})
    assert answer.headers[HEADER] == "tools.0 (web_search), tools.1 (custom), tool_choice"
    assert chat.keys() == {"messages", "stream"}
    answer, request = await ask_the_qwen(route, {"tools": OTHERS, "stream": stream})
    assert answer.headers[HEADER] == "tools.1 (web_search), tools.2 (custom)"
    assert [tool.name for tool in request.tools] == ["weather"]


async def test_fields_that_the_operator_drops_are_named() -> None:
    body = {"messages": [{**HI, "name": "bob"}], "service_tier": "auto", "store": False}
    answer, _ = await ask(CHAT, body, drop_fields=("service_tier", "messages.name", "metadata"))
    assert answer.headers[HEADER] == "service_tier, messages.name"


async def test_what_means_nothing_to_the_qwen_is_named() -> None:
    body = {
        "messages": [{**HI, "name": "bob", "id": "m1"}],
        "service_tier": "auto",
        "store": False,
        "metadata": {},
        "user": "me",
        "top_k": 5,
        "chat_template_kwargs": {"enable_thinking": False},
        "prediction": None,
        "naïve,\r\nX-Evil: yes": 1,
    }
    answer, request = await ask_the_qwen(CHAT, body)
    assert answer.headers[HEADER] == "service_tier, user, na_ve___X-Evil: yes, messages.name"
    assert (request.top_k, request.chat) == (5, None)


async def test_the_header_is_bounded() -> None:
    answer, _ = await ask_the_qwen(CHAT, {f"{'x' * 200}{number}": 1 for number in range(500)})
    shown = answer.headers[HEADER]
    assert len(shown) < 1050
    assert shown.endswith(", and 488 more")


async def test_what_is_ignored_is_logged_once_for_each_name(caplog: pytest.LogCaptureFixture) -> None:
    async with http(ScriptedParser(*GOOD)) as client:
        for _ in range(2):
            body = {"messages": [HI], "service_tier": "auto", "tools": OTHERS[1:]}
            await client.post(CHAT, json=body)
    said = [record.getMessage().partition(" have ")[2].partition(",")[0] for record in caplog.records]
    assert said == ["tools (web_search)", "tools (custom)", "service_tier"]


async def test_the_qwen_samples_as_asked() -> None:
    sampling: dict[str, Any] = {
        "top_k": 20,
        "min_p": 0.1,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "repetition_penalty": 1.1,
    }
    for route in (CHAT, NATIVE, RESPONSES):
        answer, request = await ask_the_qwen(route, {**sampling, "logit_bias": {"7": -100}})
        assert answer.status_code == 200
        assert HEADER not in answer.headers
        assert {name: getattr(request, name) for name in sampling} == sampling
        assert request.logit_bias == {7: -100.0}


@pytest.mark.parametrize("body", [asked(HI, {"role": "bot", "content": "x"}), asked(HI, {"role": "system"})])
async def test_the_qwen_takes_turns_of_any_role(body: dict[str, Any]) -> None:
    answer, request = await ask_the_qwen(CHAT, body)
    assert answer.status_code == 200
    assert [message.role for message in request.messages] in (["user", "user"], ["user", "system"])


async def test_an_unknown_model_is_refused_before_anything_else() -> None:
    async with http(ScriptedParser(*GOOD)) as client:
        answer = await client.post(CHAT, json={"model": "gpt-9", "messages": [HI], "logit_bias": 5})
        assert (answer.status_code, answer.json()["error"]["param"]) == (404, "model")
        assert (await client.post(CHAT, json={"model": MODEL, "messages": [HI]})).status_code == 200


async def test_a_picture_alone_is_no_prompt_to_summarize() -> None:
    body: dict[str, Any] = asked({"role": "user", "content": [IMAGE]})
    answer, _ = await ask(NATIVE, body)
    assert answer.json()["prompt_summary"] == {"text": "", "written_by": "none"}
    answer, _ = await ask(CHAT, body)
    assert [detail["summary"] for detail in answer.json()["choices"][0]["message"]["reasoning_details"]] == [PART]
    picture = {"type": "input_image", "image_url": "http://i"}
    items = {"input": [{"role": "user", "content": [picture]}], "reasoning": {"summary": "auto"}}
    answer, _ = await ask(RESPONSES, items)
    assert [item["type"] for item in answer.json()["output"]] == ["reasoning", "message"]

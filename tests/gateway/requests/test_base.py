"""Native requests: a refusal names the field, anything valid becomes an upstream request."""

import json
from typing import Any

import pytest

from gateway.errors import Failure, InvalidRequest
from gateway.requests.base import MAX_SEED, MAX_TOKENS, ReasoningOptions
from gateway.requests.reasoning import ReasoningRequest
from gateway.upstream import Message, UpstreamRequest

HI = [{"role": "user", "content": "hi"}]
TEXT = {"type": "text", "text": "What is this?"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}
NAN, INFINITY = float("nan"), float("inf")


def user(content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}]}


def asking(**fields: Any) -> dict[str, Any]:
    return {"messages": HI, **fields}


def refusal(body: bytes) -> Failure:
    with pytest.raises(InvalidRequest) as refused:
        ReasoningRequest.parse(body)
    return refused.value.failure()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"hello",
        b"{'messages': []}",
        b'{"messages": [],}',
        b'{"messages": []} x',
        b"\xff\xfe",
        b'{"messages":[{"role":"user","content":"\xff"}]}',
        b'{"messages":[{"role":"user","content":"\\ud800"}]}',
        b'{"messages":[{"role":"user","content":"a\nb"}]}',
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    failure = refusal(body)
    assert failure.message.startswith("Invalid JSON: ")
    assert (failure.type, failure.status, failure.stage) == ("invalid_request_error", 400, "request")
    assert (failure.param, failure.retryable) == (None, False)


@pytest.mark.parametrize("body", [b"[]", b"null", b"5", b'"hi"', b"true"])
def test_a_body_other_than_an_object_is_refused(body: bytes) -> None:
    failure = refusal(body)
    assert (failure.message, failure.param) == ("Input should be an object", None)


@pytest.mark.parametrize(
    ("body", "param", "reason"),
    [
        ({}, "messages", "Field required"),
        ({"messages": []}, "messages", "at least 1 item"),
        ({"messages": None}, "messages", "valid array"),
        ({"messages": "hi"}, "messages", "valid array"),
        ({"messages": HI[0]}, "messages", "valid array"),
        ({"messages": ["hi"]}, "messages.0", "an object"),
        ({"messages": [None]}, "messages.0", "an object"),
        # Unknown fields, wherever they stand.
        (asking(n=1), "n", "not a field"),
        (asking(tools=[]), "tools", "not a field"),
        (asking(Model="x"), "Model", "not a field"),
        (asking(reasoning={"effort": "high"}), "reasoning.effort", "not a field"),
        ({"messages": [*HI, {**HI[0], "name": "n"}]}, "messages.1.name", "not a field"),
        (user([{**TEXT, "cache": True}]), "messages.0.content.0.cache", "not a field"),
        # … also where the name reads like the branch of a union.
        (asking(int=1), "int", "not a field"),
        (asking(**{"list[str]": 1}), "list[str]", "not a field"),
        (asking(**{"function-call": 1}), "function-call", "not a field"),
        (asking(reasoning={"float": 1}), "reasoning.float", "not a field"),
        (user([{**TEXT, "str": "x"}]), "messages.0.content.0.str", "not a field"),
        # Wrong types: nothing is converted.
        (asking(model=5), "model", "valid string"),
        (asking(max_tokens="5"), "max_tokens", "valid integer"),
        (asking(max_tokens=5.0), "max_tokens", "valid integer"),
        (asking(max_tokens=True), "max_tokens", "valid integer"),
        (asking(max_tokens=[]), "max_tokens", "valid integer"),
        (asking(temperature="1"), "temperature", "valid number"),
        (asking(temperature=True), "temperature", "valid number"),
        (asking(top_p="1"), "top_p", "valid number"),
        (asking(seed=1.5), "seed", "valid integer"),
        (asking(stream="yes"), "stream", "valid boolean"),
        (asking(stream=1), "stream", "valid boolean"),
        (asking(stream=None), "stream", "valid boolean"),
        (asking(prompt_summary="no"), "prompt_summary", "valid boolean"),
        (asking(reasoning=5), "reasoning", "an object"),
        (asking(reasoning=None), "reasoning", "an object"),
        (asking(reasoning={"budget": "5"}), "reasoning.budget", "valid integer"),
        (asking(reasoning={"budget": 1.5}), "reasoning.budget", "valid integer"),
        (asking(reasoning={"trace": "no"}), "reasoning.trace", "valid boolean"),
        (asking(reasoning={"summary": "short"}), "reasoning.summary", "'live', 'final' or 'none'"),
        (asking(reasoning={"summary": None}), "reasoning.summary", "'live', 'final' or 'none'"),
        (asking(reasoning={"order": "lazy"}), "reasoning.order", "'strict' or 'eager'"),
        # Numbers out of range, and what is no number.
        (asking(max_tokens=0), "max_tokens", "greater than or equal to 1"),
        (asking(max_tokens=-1), "max_tokens", "greater than or equal to 1"),
        (asking(max_tokens=MAX_TOKENS + 1), "max_tokens", "less than or equal to 1000000"),
        (asking(max_tokens=10**30), "max_tokens", "less than or equal to 1000000"),
        (asking(max_tokens=NAN), "max_tokens", "valid integer"),
        (asking(temperature=-0.1), "temperature", "greater than or equal to 0"),
        (asking(temperature=2.1), "temperature", "less than or equal to 2"),
        (asking(temperature=1e300), "temperature", "less than or equal to 2"),
        (asking(temperature=NAN), "temperature", "less than or equal to 2"),
        (asking(temperature=INFINITY), "temperature", "less than or equal to 2"),
        (asking(temperature=-INFINITY), "temperature", "greater than or equal to 0"),
        (asking(top_p=0), "top_p", "greater than 0"),
        (asking(top_p=1.1), "top_p", "less than or equal to 1"),
        (asking(top_p=NAN), "top_p", "less than or equal to 1"),
        (asking(seed=-1), "seed", "greater than or equal to 0"),
        (asking(seed=MAX_SEED + 1), "seed", f"less than or equal to {MAX_SEED}"),
        (asking(seed=10**40), "seed", f"less than or equal to {MAX_SEED}"),
        (asking(reasoning={"budget": -1}), "reasoning.budget", "greater than or equal to 0"),
        (asking(reasoning={"budget": MAX_TOKENS + 1}), "reasoning.budget", "less than or equal to 1000000"),
        (asking(reasoning={"budget": NAN}), "reasoning.budget", "valid integer"),
        # Stop strings.
        (asking(stop=["a"] * 5), "stop", "at most 4 items"),
        (asking(stop=[""]), "stop.0", "at least 1 character"),
        (asking(stop=["a", ""]), "stop.1", "at least 1 character"),
        (asking(stop=5), "stop", "valid string"),
        (asking(stop={"a": 1}), "stop", "valid string"),
        (asking(stop=[5]), "stop.0", "valid string"),
        (asking(stop=["a", None]), "stop.1", "valid string"),
        # Prompts that ask nothing.
        (user(""), "messages", "must not be empty"),
        (user(" \n\t\u3000"), "messages", "must not be empty"),
        (user([{"type": "text", "text": ""}]), "messages", "must not be empty"),
        ({"messages": [*HI, {"role": "user", "content": " "}]}, "messages", "must not be empty"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages", "must be the user's"),
        ({"messages": [*HI, {"role": "assistant", "content": "x"}]}, "messages", "must be the user's"),
        # Contents and roles.
        ({"messages": [{"role": "user"}]}, "messages.0.content", "Field required"),
        (user(None), "messages.0.content", "valid string"),
        (user(5), "messages.0.content", "valid string"),
        (user(TEXT), "messages.0.content", "valid string"),
        (user([]), "messages.0.content", "at least 1 item"),
        (user(["hi"]), "messages.0.content.0", "an object"),
        (user([{"type": "text"}]), "messages.0.content.0.text", "Field required"),
        (user([{"type": "text", "text": 5}]), "messages.0.content.0.text", "valid string"),
        (user([IMAGE]), "messages.0.content.0.type", "'text'"),
        (user([TEXT, IMAGE]), "messages.0.content.1.type", "'text'"),
        ({"messages": [{"content": "x"}, *HI]}, "messages.0.role", "Field required"),
        ({"messages": [{"role": "tool", "content": "x"}, *HI]}, "messages.0.role", "'system', 'user' or 'assistant'"),
        (
            {"messages": [{"role": "developer", "content": "x"}, *HI]},
            "messages.0.role",
            "'system', 'user' or 'assistant'",
        ),
        ({"messages": [*HI, {"role": "User", "content": "x"}]}, "messages.1.role", "'system', 'user' or 'assistant'"),
        ({"messages": [{"role": None, "content": "x"}]}, "messages.0.role", "'system', 'user' or 'assistant'"),
    ],
    ids=lambda value: json.dumps(value)[-60:] if isinstance(value, dict) else None,
)
def test_a_refusal_names_the_field_and_says_what_is_wrong(body: dict[str, Any], param: str, reason: str) -> None:
    failure = refusal(json.dumps(body).encode())
    assert failure.param == param
    assert failure.message.startswith(f"{param}: ")
    assert reason in failure.message
    assert (failure.type, failure.status, failure.stage) == ("invalid_request_error", 400, "request")
    assert not failure.retryable


def test_a_refusal_does_not_quote_the_prompt() -> None:
    failure = refusal(json.dumps({"messages": [{"role": "user", "content": "my secret"}], "n": 1}).encode())
    assert "secret" not in failure.message


def upstream(**fields: Any) -> UpstreamRequest:
    return ReasoningRequest.parse(json.dumps({"messages": HI, **fields}).encode()).to_upstream("rsn-1", "qwen")


def test_a_minimal_request_sets_no_options() -> None:
    assert upstream() == UpstreamRequest(
        id="rsn-1",
        model="qwen",
        messages=(Message(role="user", content="hi"),),
        max_tokens=None,
        temperature=None,
        top_p=None,
        seed=None,
        stop=(),
        budget=None,
        prefill="",
    )


def test_a_native_request_streams_everything_by_default() -> None:
    request = ReasoningRequest.parse(json.dumps(asking()).encode())
    assert (request.stream, request.prompt_summary, request.model) == (True, True, None)
    assert request.reasoning == ReasoningOptions(budget=None, trace=True, summary="live", order="strict")


def test_a_full_native_request_is_translated() -> None:
    body = {
        "model": "qwen",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": ""},
            {"role": "user", "content": [TEXT, {"type": "text", "text": "Tell me. 四十二 \U0001f9e0"}]},
        ],
        "max_tokens": 64,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["\n", "END"],
        "seed": 7,
        "stream": False,
        "reasoning": {"budget": 512, "trace": False, "summary": "final", "order": "eager"},
        "prompt_summary": False,
    }
    request = ReasoningRequest.parse(json.dumps(body).encode())
    assert request.to_upstream("rsn-2", "qwen") == UpstreamRequest(
        id="rsn-2",
        model="qwen",
        messages=(
            Message(role="system", content="Be brief."),
            Message(role="user", content="Hello"),
            Message(role="assistant", content=""),
            Message(role="user", content="What is this?\nTell me. 四十二 \U0001f9e0"),
        ),
        max_tokens=64,
        temperature=0.5,
        top_p=0.9,
        seed=7,
        stop=("\n", "END"),
        budget=512,
    )
    assert (request.stream, request.prompt_summary, request.model) == (False, False, "qwen")
    assert request.reasoning == ReasoningOptions(budget=512, trace=False, summary="final", order="eager")


@pytest.mark.parametrize(
    ("stop", "expected"),
    [(None, ()), ("", ()), ([], ()), ("END", ("END",)), (["a", "b", "c", "d"], ("a", "b", "c", "d")), ("\n", ("\n",))],
)
def test_stop_may_be_a_string_or_a_list(stop: Any, expected: tuple[str, ...]) -> None:
    assert upstream(stop=stop).stop == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_tokens", 1),
        ("max_tokens", MAX_TOKENS),
        ("temperature", 0),
        ("temperature", 2),
        ("temperature", 1.5),
        ("top_p", 1),
        ("top_p", 0.001),
        ("seed", 0),
        ("seed", MAX_SEED),
        ("max_tokens", None),
        ("temperature", None),
        ("top_p", None),
        ("seed", None),
    ],
)
def test_both_ends_of_every_range_are_accepted(name: str, value: float | None) -> None:
    assert getattr(upstream(**{name: value}), name) == value


@pytest.mark.parametrize("budget", [None, 0, 1, MAX_TOKENS])
def test_a_budget_reaches_the_upstream_request(budget: int | None) -> None:
    assert upstream(reasoning={"budget": budget}).budget == budget

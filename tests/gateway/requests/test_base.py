"""Native requests: a refusal names the field, anything valid becomes an upstream request."""

import json
from typing import Any, Literal

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


def refusal(body: bytes, upstream: Literal["qwen", "http"] = "qwen") -> Failure:
    with pytest.raises(InvalidRequest) as refused:
        ReasoningRequest.parse(body).admit(upstream)
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


WRONG_ANYWHERE: list[Any] = [
    ({}, "messages", "Field required"),
    ({"messages": []}, "messages", "at least 1 item"),
    ({"messages": None}, "messages", "Field required"),
    ({"messages": "hi"}, "messages", "valid array"),
    ({"messages": HI[0]}, "messages", "valid array"),
    ({"messages": ["hi"]}, "messages.0", "an object"),
    ({"messages": [None]}, "messages.0", "an object"),
    # An unknown option of the gateway's own.
    (asking(reasoning={"effort": "high"}), "reasoning.effort", "not a field"),
    (asking(reasoning={"float": 1}), "reasoning.float", "not a field"),
    (asking(reasoning={"summary_language": "Klingonisch"}), "reasoning.summary_language", "`auto` or a BCP 47 tag"),
    (asking(reasoning={"summary_language": "de_DE"}), "reasoning.summary_language", "`auto` or a BCP 47 tag"),
    (asking(reasoning={"summary_language": 7}), "reasoning.summary_language", "valid string"),
    # Wrong types: nothing is converted.
    (asking(model=5), "model", "valid string"),
    (asking(max_tokens="5"), "max_tokens", "valid integer"),
    (asking(max_tokens=5.0), "max_tokens", "valid integer"),
    (asking(max_tokens=True), "max_tokens", "valid integer"),
    (asking(max_tokens=[]), "max_tokens", "valid integer"),
    (asking(max_tokens=NAN), "max_tokens", "valid integer"),
    (asking(max_completion_tokens="5"), "max_completion_tokens", "valid integer"),
    (asking(temperature="1"), "temperature", "valid number"),
    (asking(temperature="hot"), "temperature", "valid number"),
    (asking(temperature=True), "temperature", "valid number"),
    (asking(top_p="1"), "top_p", "valid number"),
    (asking(seed=1.5), "seed", "valid integer"),
    (asking(stop=5), "stop", "valid string"),
    (asking(stop={"a": 1}), "stop", "valid string"),
    (asking(stream="yes"), "stream", "valid boolean"),
    (asking(stream=1), "stream", "valid boolean"),
    (asking(prompt_summary="no"), "prompt_summary", "valid boolean"),
    (asking(reasoning=5), "reasoning", "an object"),
    (asking(reasoning={"budget": "5"}), "reasoning.budget", "valid integer"),
    (asking(reasoning={"budget": 1.5}), "reasoning.budget", "valid integer"),
    (asking(reasoning={"trace": "no"}), "reasoning.trace", "valid boolean"),
    (asking(reasoning={"summary": "short"}), "reasoning.summary", "'live', 'final' or 'none'"),
    (asking(reasoning={"order": "lazy"}), "reasoning.order", "'strict' or 'eager'"),
    (asking(reasoning={"budget": -1}), "reasoning.budget", "greater than or equal to 0"),
    (asking(reasoning={"budget": MAX_TOKENS + 1}), "reasoning.budget", "less than or equal to 1000000"),
    (asking(reasoning={"budget": NAN}), "reasoning.budget", "valid integer"),
    (asking(tools={}), "tools", "valid array"),
    (asking(tools=["web_search"]), "tools.0", "an object"),
    (asking(tools=[{"type": 5}]), "tools.0.type", "valid string"),
    # What cannot be done.
    (asking(n=2), "n", "should be 1"),
    (asking(modalities=["audio"]), "modalities", "only text"),
    (asking(modalities=["text", "image"]), "modalities", "only text"),
    (asking(audio={"voice": "a"}), "audio", "only text"),
    # Contents and roles.
    (user(5), "messages.0.content", "valid string"),
    (user(TEXT), "messages.0.content", "valid string"),
    (user(["hi"]), "messages.0.content.0", "an object"),
    (user([{"type": "text"}]), "messages.0.content.0.text", "Field required"),
    (user([{"type": "text", "text": 5}]), "messages.0.content.0.text", "valid string"),
    ({"messages": [{"content": "x"}, *HI]}, "messages.0.role", "Field required"),
    ({"messages": [{"role": 5, "content": "x"}]}, "messages.0.role", "valid string"),
]
WRONG_FOR_THE_QWEN: list[Any] = [
    # Numbers out of range, and what is no number.
    (asking(max_tokens=0), "max_tokens", "greater than or equal to 1"),
    (asking(max_tokens=-1), "max_tokens", "greater than or equal to 1"),
    (asking(max_tokens=MAX_TOKENS + 1), "max_tokens", "less than or equal to 1000000"),
    (asking(max_tokens=10**30), "max_tokens", "less than or equal to 1000000"),
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
    (asking(top_k=1.5), "top_k", "valid integer"),
    (asking(top_k=-2), "top_k", "greater than or equal to -1"),
    (asking(min_p=2), "min_p", "less than or equal to 1"),
    (asking(presence_penalty=2.1), "presence_penalty", "less than or equal to 2"),
    (asking(frequency_penalty="1"), "frequency_penalty", "valid number"),
    (asking(repetition_penalty=0), "repetition_penalty", "greater than 0"),
    (asking(logit_bias=[]), "logit_bias", "an object"),
    (asking(logit_bias={"5": 101}), "logit_bias.5", "less than or equal to 100"),
    (asking(logit_bias={"five": 1}), "logit_bias", "not the id of a token"),
    (asking(logit_bias={"-5": 1}), "logit_bias", "not the id of a token"),
    # Stop strings.
    (asking(stop=["a"] * 5), "stop", "at most 4 items"),
    (asking(stop=[""]), "stop.0", "at least 1 character"),
    (asking(stop=["a", ""]), "stop.1", "at least 1 character"),
    (asking(stop=[5]), "stop.0", "valid string"),
    (asking(stop=["a", None]), "stop.1", "valid string"),
    # JSON, and tools that are not there.
    (asking(response_format={"type": "json_object"}), "response_format.type", "'text'"),
    (asking(tool_choice="required"), "tool_choice", "no tools to call"),
    # Prompts that ask nothing.
    (user(""), "messages", "not be empty"),
    (user(" \n\t\u3000"), "messages", "not be empty"),
    (user(None), "messages", "not be empty"),
    (user([]), "messages", "not be empty"),
    (user([{"type": "text", "text": ""}]), "messages", "not be empty"),
    ({"messages": [{"role": "user"}]}, "messages", "not be empty"),
    ({"messages": [*HI, {"role": "user", "content": " "}]}, "messages", "not be empty"),
    ({"messages": [*HI, {"role": "assistant", "content": "x"}]}, "messages", "must be the user's"),
    # Pictures and sounds.
    (user([IMAGE]), "messages.0.content.0.type", "takes text only"),
    (user([TEXT, IMAGE]), "messages.0.content.1.type", "takes text only"),
    (user([TEXT, {"type": "input_audio", "input_audio": {}}]), "messages.0.content.1.type", "takes text only"),
    (user([TEXT, {"type": "file", "file": {}}]), "messages.0.content.1.type", "takes text only"),
]


def shown(value: Any) -> str | None:
    return json.dumps(value)[-60:] if isinstance(value, dict) else None


@pytest.mark.parametrize("upstream", ["qwen", "http"])
@pytest.mark.parametrize(("body", "param", "reason"), WRONG_ANYWHERE, ids=shown)
def test_a_refusal_names_the_field_and_says_what_is_wrong(
    body: dict[str, Any], param: str, reason: str, upstream: Literal["qwen", "http"]
) -> None:
    failure = refusal(json.dumps(body).encode(), upstream)
    assert failure.param == param
    assert failure.message.startswith(f"{param}: ")
    assert reason in failure.message
    assert (failure.type, failure.status, failure.stage) == ("invalid_request_error", 400, "request")
    assert not failure.retryable


@pytest.mark.parametrize(("body", "param", "reason"), WRONG_FOR_THE_QWEN, ids=shown)
def test_what_only_the_qwen_cannot_do_is_an_apis_own_affair(body: dict[str, Any], param: str, reason: str) -> None:
    failure = refusal(json.dumps(body).encode())
    assert (failure.param, failure.status) == (param, 400)
    assert failure.message.startswith(f"{param}: ")
    assert reason in failure.message
    request = ReasoningRequest.parse(json.dumps(body).encode())
    assert request.admit("http") == []
    sent = json.loads(json.dumps(request.to_upstream("1", "m").chat))
    assert json.dumps(sent) == json.dumps(body)


def test_a_refusal_does_not_quote_the_prompt() -> None:
    failure = refusal(json.dumps({"messages": [{"role": "user", "content": "my secret"}], "n": 2}).encode())
    assert "secret" not in failure.message


def upstream(**fields: Any) -> UpstreamRequest:
    request = ReasoningRequest.parse(json.dumps({"messages": HI, **fields}).encode())
    request.admit("qwen")
    return request.to_upstream("rsn-1", "qwen")


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
    assert request.admit("qwen") == []
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


def test_too_many_turns_are_refused_before_any_is_looked_at() -> None:
    body = json.dumps({"messages": [1, 2, 3]}).encode()
    with pytest.raises(InvalidRequest, match="more than 2 messages"):
        ReasoningRequest.parse(body, most_turns=2)
    with pytest.raises(InvalidRequest, match="should be an object"):
        ReasoningRequest.parse(body, most_turns=3)

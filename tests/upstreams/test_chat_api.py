"""An API behind the interface of an upstream, over a real socket: its dialects, its bytes, and all its failures."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest
import stamina

from cluster.local import free_port
from gateway.errors import Failure, GatewayError
from gateway.events import Usage
from gateway.reasoning import Segment
from gateway.upstream import (
    Accepted,
    Finished,
    Message,
    Text,
    Tool,
    ToolPiece,
    UpstreamItem,
    UpstreamRequest,
)
from gateway.upstream_settings import HttpUpstreamSettings
from gateway.wire.sse import Decoder
from tests.fakes.scripted_api import ANSWER, ScriptedApi
from upstreams import chat_api
from upstreams.api_client import ApiClient
from upstreams.http import HttpUpstream

PATIENCE = 5.0
SOON = 0.2
STOP = Finished(finish_reason="stop", usage=Usage())
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 3}}


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with ScriptedApi() as api:
        yield api


@pytest.fixture(autouse=True)
async def connections_end_with_the_test(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A replica keeps its connections for as long as it lives."""
    clients: list[ApiClient] = []

    class Client(ApiClient):
        def __init__(self, *options: Any) -> None:
            super().__init__(*options)
            clients.append(self)

    monkeypatch.setattr(chat_api, "ApiClient", Client)
    yield
    for client in clients:
        await client.aclose()


@pytest.fixture(autouse=True)
def no_wait_between_attempts() -> Iterator[None]:
    with stamina.set_testing(True, attempts=100, cap=True):
        yield


def served(apis: Sequence[HttpUpstreamSettings]) -> HttpUpstream:
    return HttpUpstream(apis, request_id=lambda: "request 1", on_retry=lambda _: None)


def upstream(api: ScriptedApi, **settings: Any) -> HttpUpstream:
    return served([HttpUpstreamSettings(url=api.url, models=("scripted",), **settings)])


def request(script: Sequence[Any], **asked: Any) -> UpstreamRequest:
    messages = (Message(role="user", content=json.dumps(script)),)
    return UpstreamRequest(**{"id": "1", "model": "scripted", "messages": messages, **asked})


async def taken(upstream: HttpUpstream, asked: UpstreamRequest) -> list[UpstreamItem | Failure]:
    """All items, and the failure that ended them; text that came in pieces is joined, since where it is cut is the
    network's affair."""
    items: list[UpstreamItem | Failure] = []
    try:
        async with asyncio.timeout(PATIENCE), aclosing(upstream.stream(asked)) as batches:
            async for batch in batches:
                for item in batch:
                    _join(items, item)
    except GatewayError as error:
        items.append(error.failure())
    return items


def _join(items: list[UpstreamItem | Failure], item: UpstreamItem | Failure) -> None:
    match items[-1:], item:
        case [Text(before)], Text(text):
            items[-1] = Text(before + text)
        case [Segment(before_kind, before)], Segment(kind, text) if kind == before_kind:
            items[-1] = Segment(kind, before + text)
        case _:
            items.append(item)


async def answer(api: ScriptedApi, *script: Any, **settings: Any) -> list[UpstreamItem | Failure]:
    return await taken(upstream(api, **settings), request(script))


async def failure(api: ScriptedApi, *script: Any, **settings: Any) -> tuple[list[UpstreamItem | Failure], Failure]:
    """Return what came before the failure, and the failure."""
    *before, last = await answer(api, *script, **settings)
    assert isinstance(last, Failure), last
    assert last.stage == "upstream"
    return before, last


def chunk(content: str) -> str:
    return json.dumps({"choices": [{"index": 0, "delta": {"content": content}}]}, ensure_ascii=False)


# What an answer looks like


async def test_content_becomes_text(api: ScriptedApi) -> None:
    role = {"delta": {"role": "assistant", "content": ""}}
    asked = await answer(api, role, "<think>Let me", " see.</think>", "42", {"finish": "length"}, {"usage": USAGE})
    usage = Usage(prompt_tokens=7, completion_tokens=5, reasoning_tokens=3)
    assert asked == [
        Accepted(),
        Text("<think>Let me see.</think>42"),
        Finished(finish_reason="length", usage=usage),
    ]


async def test_the_scripted_api_answers_any_prompt(api: ScriptedApi) -> None:
    asked = request((), messages=(Message(role="user", content="What is six times seven?"),))
    assert await taken(upstream(api), asked) == [Accepted(), Text(ANSWER), STOP]


def thinking(text: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def detail(text: str) -> dict[str, Any]:
    return {"type": "reasoning.text", "text": text}


FIELDS = {
    "DeepSeek": [
        {"reasoning_content": "Let me", "content": None},
        {"reasoning_content": " see.", "content": None},
        {"reasoning_content": None, "content": "42"},
    ],
    "vLLM": [{"reasoning": "Let me"}, {"reasoning": " see.", "content": ""}, {"content": "42"}],
    "an empty alias": [{"reasoning_content": "", "reasoning": "Let me see."}, {"content": "42"}],
    "both aliases": [
        {"reasoning_content": "Let me", "reasoning": "Let me"},
        {"reasoning": " see.", "reasoning_content": " see."},
        {"content": "42"},
    ],
    "OpenRouter": [
        {"reasoning": "Let me", "reasoning_details": [detail("Let me")]},
        {"reasoning": " see.", "reasoning_details": [detail(" see.")]},
        {"content": "42"},
    ],
    "details alone": [
        {"reasoning_details": [detail("Let"), detail(" me")]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": " see."}]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "c2VjcmV0"}]},
        {"content": "42"},
    ],
    "Mistral": [
        {"content": [thinking("Let me")]},
        {"content": [thinking(" see."), {"type": "text", "text": "4"}]},
        {"content": "2"},
    ],
}


@pytest.mark.parametrize("deltas", FIELDS.values(), ids=FIELDS)
async def test_a_reasoning_field_becomes_reasoning(api: ScriptedApi, deltas: list[Any]) -> None:
    items = [Accepted(), Segment("reasoning", "Let me see."), Text("42"), STOP]
    assert await answer(api, *({"delta": delta} for delta in deltas)) == items


async def test_reasoning_in_a_field_and_in_content_are_both_read(api: ScriptedApi) -> None:
    """llama.cpp's deepseek-legacy; the copy is dropped where the text is parsed."""
    both = {"delta": {"reasoning_content": "Let me see.", "content": "<think>Let me see."}}
    items = [Accepted(), Segment("reasoning", "Let me see."), Text("<think>Let me see.</think>42"), STOP]
    assert await answer(api, both, "</think>42") == items


async def test_done_or_a_finish_reason_alone_ends_an_answer(api: ScriptedApi) -> None:
    assert await answer(api, "a", {"done": True}) == [Accepted(), Text("a"), STOP]
    assert await answer(api, "a", {"finish": "stop"}, {"done": False}) == [Accepted(), Text("a"), STOP]
    assert await answer(api, "a", {"finish": "stop"}, {"reset": True}) == [Accepted(), Text("a"), STOP]


async def test_nothing_behind_done_is_waited_for(api: ScriptedApi) -> None:
    assert await answer(api, "a", {"done": True}, {"stall": True}) == [Accepted(), Text("a"), STOP]
    await asyncio.wait_for(api.closed_by_client.wait(), PATIENCE)


# Its bytes

A, B = chunk("é\u2028\u2029\u0085"), chunk("🙂")
ODDITIES = {
    "crlf": f"data: {A}\r\n\r\ndata: {B}\r\n\r\n",
    "cr": f"data: {A}\r\rdata: {B}\r\r",
    "mixed line ends": f"data: {A}\n\r\ndata: {B}\r\r\n",
    "byte order mark": f"\ufeffdata: {A}\n\ndata: {B}\n\n",
    "comments": f": ping\n\n:\n\ndata: {A}\n: inside\n\n\n: data: no\ndata: {B}\n\n",
    "no space": f"data:{A}\n\ndata:{B}\n\n",
    "several data lines": f"data: {A}\n\ndata: {B.replace(', ', f',{chr(10)}data: ')}\n\n",
    "several data lines, crlf": f"data: {A}\r\n\r\ndata: {B.replace(', ', f',{chr(13)}{chr(10)}data: ')}\r\n\r\n",
    "other fields": f"id: 7\nretry: 10\ndatum: x\ndata: {A}\nid\n\nevent: message\ndata: {B}\n\nevent: ping\n\n",
    "no blank line at the end": f"data: {A}\n\ndata: {B}",
}


@pytest.mark.parametrize("size", [1, 0], ids=["cut at every byte", "whole"])
@pytest.mark.parametrize("oddity", ODDITIES)
async def test_odd_server_sent_events_are_read(api: ScriptedApi, oddity: str, size: int) -> None:
    end = f"\n\ndata: {json.dumps({'choices': [{'delta': {}, 'finish_reason': 'stop'}]})}"
    script = [{"bytes": size}, {"raw": ODDITIES[oddity] + end}, {"done": False}]
    assert await answer(api, *script) == [Accepted(), Text("é\u2028\u2029\u0085🙂"), STOP]


@pytest.mark.parametrize("oddity", ODDITIES)
def test_the_decoder_returns_the_same_wherever_bytes_are_cut(oddity: str) -> None:
    text = ODDITIES[oddity].encode()
    for cut in range(len(text) + 1):
        assert [json.loads(data) for _, data in decoded(text[:cut], text[cut:])] == [json.loads(A), json.loads(B)]
    one_by_one = decoded(*(text[n : n + 1] for n in range(len(text))))
    assert one_by_one == decoded(text)


def decoded(*pieces: bytes) -> list[tuple[str, str]]:
    decoder = Decoder()
    return [*(event for piece in pieces for event in decoder.feed(piece)), *decoder.close()]


def test_the_decoder_names_events_and_joins_lines() -> None:
    named = b"event: error\ndata: a\ndata:\ndata:  b\n\ndata: c\n\n"
    assert decoded(named) == [("error", "a\n\n b"), ("", "c")]
    assert decoded(b"data: \xff\n\n") == [("", "\ufffd")]


@pytest.mark.parametrize("size", [0, 1])
async def test_a_gzipped_answer_is_read(api: ScriptedApi, size: int) -> None:
    assert await answer(api, {"gzip": True}, {"bytes": size}, "a", "b") == [Accepted(), Text("ab"), STOP]


async def test_a_gzipped_answer_is_read_as_it_comes(api: ScriptedApi) -> None:
    script = [{"gzip": True}, "a", {"stall": True}]
    before, failed = await failure(api, *script, silence_seconds=SOON)
    assert (before, failed.type) == ([Accepted(), Text("a")], "upstream_silent")


async def test_comments_and_slow_text_are_not_silence(api: ScriptedApi) -> None:
    script = [{"raw": ": ping\n\n"}, {"pace": 0.06}, *[{"raw": ": ping\n\n"}] * 8, "a"]
    assert await answer(api, *script, silence_seconds=0.4) == [Accepted(), Text("a"), STOP]


# What is asked


async def test_the_api_gets_only_what_was_asked_for(api: ScriptedApi) -> None:
    asked = request(["a"])
    await taken(upstream(api), asked)
    [sent] = api.requests
    messages = [{"role": "user", "content": '["a"]'}]
    assert sent.path == "/v1/chat/completions"
    assert sent.body == {"model": "scripted", "messages": messages, "stream": True}
    assert "authorization" not in sent.headers


async def test_the_api_gets_everything_that_was_asked_for(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", "sk-secret")
    named = upstream(
        api,
        api_key_env="SCRIPTED_KEY",
        headers={"X-Team": "red"},
        body={"stream_options": {"include_usage": True}, "top_k": 20},
        no_thinking={"chat_template_kwargs": {"enable_thinking": False}},
    )
    options = {"max_tokens": 9, "temperature": 0.0, "top_p": 0.5, "seed": 0, "stop": ("END",)}
    added = {"stream_options": {"include_usage": True}, "top_k": 20}
    await taken(named, request(["a"], **options))
    await taken(named, request(["a"], budget=0))
    thinking, plain = api.requests
    base = {"model": "scripted", "messages": [{"role": "user", "content": '["a"]'}], "stream": True, **added}
    assert thinking.body == {**base, **options, "stop": ["END"]}
    assert plain.body == {**base, "chat_template_kwargs": {"enable_thinking": False}}
    assert (thinking.headers["authorization"], thinking.headers["x-team"]) == ("Bearer sk-secret", "red")


async def test_the_model_picks_the_api(api: ScriptedApi) -> None:
    async with ScriptedApi() as other:
        apis = [HttpUpstreamSettings(url=at.url, models=names) for at, names in ((api, ("a", "b")), (other, ("c",)))]
        both = served(apis)
        for model in "abc":
            assert await taken(both, request([model], model=model)) == [Accepted(), Text(model), STOP]
        assert [sent.body["model"] for sent in api.requests] == ["a", "b"]
        assert [sent.body["model"] for sent in other.requests] == ["c"]


# Before the first byte


@pytest.mark.parametrize(
    "first",
    [
        {"refuse": 2},
        {"fail_first": 2, "status": 429, "headers": {"Retry-After": "0"}},
        {"fail_first": 2, "status": 503},
        {"fail_first": 2, "status": 500, "body": "oops"},
    ],
    ids=str,
)
async def test_failures_before_the_first_byte_are_retried(api: ScriptedApi, first: Any) -> None:
    assert await answer(api, first, "a", attempts=3) == [Accepted(), Text("a"), STOP]
    assert len(api.requests) == 3


@pytest.mark.parametrize(
    ("first", "type"),
    [
        ({"refuse": 9}, "upstream_unreachable"),
        ({"status": 429, "headers": {"Retry-After": "0"}}, "upstream_rate_limited"),
        ({"status": 503}, "upstream_unavailable"),
    ],
)
@pytest.mark.parametrize("attempts", [1, 2])
async def test_retries_end_after_the_configured_attempts(
    api: ScriptedApi, first: Any, type: str, attempts: int
) -> None:
    before, failed = await failure(api, first, attempts=attempts)
    assert (before, failed.type, failed.retryable) == ([], type, True)
    assert len(api.requests) == attempts


async def test_a_long_retry_after_is_not_waited_for(api: ScriptedApi) -> None:
    before, failed = await failure(api, {"status": 429, "headers": {"Retry-After": "3600"}})
    assert (before, failed.type, len(api.requests)) == ([], "upstream_rate_limited", 1)


async def test_an_api_that_does_not_listen_is_unreachable() -> None:
    nobody = served([HttpUpstreamSettings(url=f"http://127.0.0.1:{free_port()}/v1", models=("scripted",))])
    [failed] = await taken(nobody, request(["a"]))
    assert isinstance(failed, Failure)
    assert (failed.type, failed.retryable) == ("upstream_unreachable", True)


REFUSALS = {
    400: ("invalid_request_error", 400),
    401: ("upstream_key_refused", 502),
    402: ("upstream_key_refused", 502),
    403: ("upstream_key_refused", 502),
    404: ("upstream_refused", 502),
    405: ("upstream_refused", 502),
    413: ("invalid_request_error", 413),
    422: ("invalid_request_error", 422),
}
"""The type and the status of the failure for each status of an API."""


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize(
    "body",
    [
        '{"error": {"message": "no such thing", "type": "x"}}',
        '{"error": "no such thing"}',
        '{"object": "error", "message": "no such thing"}',
        '{"detail": "no such thing"}',
        "no such thing",
    ],
)
async def test_a_refusal_is_final_and_says_why(api: ScriptedApi, status: int, body: str) -> None:
    before, failed = await failure(api, {"status": status, "body": body})
    assert (before, failed.type, failed.status, failed.retryable) == ([], *REFUSALS[status], False)
    assert "no such thing" in failed.message
    assert len(api.requests) == 1


async def test_a_refusal_of_the_request_keeps_the_words_of_the_api(api: ScriptedApi) -> None:
    error = {"message": "too long by 12 tokens", "type": "x", "param": "messages", "code": "context_length_exceeded"}
    before, failed = await failure(api, {"status": 400, "body": json.dumps({"error": error})})
    assert (before, failed.message, failed.code, failed.param) == (
        [],
        "too long by 12 tokens",
        "context_length_exceeded",
        "messages",
    )
    assert (failed.status, len(api.requests)) == (400, 1)


async def test_a_key_from_a_file_may_end_in_a_newline(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", "sk-secret\n")
    await answer(api, "a", api_key_env="SCRIPTED_KEY")
    assert api.requests[0].headers["authorization"] == "Bearer sk-secret"


@pytest.mark.parametrize("key", ["", " \n", "schlüssel"])
def test_an_impossible_key_is_refused_at_once(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", key)
    with pytest.raises(ValueError, match="SCRIPTED_KEY"):
        served([HttpUpstreamSettings(url="http://x/v1", models=("a",), api_key_env="SCRIPTED_KEY")])


@pytest.mark.parametrize("raw", ["event: ping\ndata: ping\n\n", "data:\n\n", "data: \n\n", "event: x\ndata: {}\n\n"])
async def test_events_of_other_types_are_passed_over(api: ScriptedApi, raw: str) -> None:
    assert await answer(api, {"raw": raw}, "a") == [Accepted(), Text("a"), STOP]


async def test_lenient_json_is_read(api: ScriptedApi) -> None:
    half = {"raw": 'data: {"choices": [{"delta": {"content": "a\\ud83d"}, "logprobs": NaN}]}\n\n'}
    assert await answer(api, half, "b") == [Accepted(), Text("a\ufffdb"), STOP]


async def test_half_a_surrogate_pair_waits_for_the_other_half(api: ScriptedApi) -> None:
    halves = [{"raw": f'data: {{"choices": [{{"delta": {{"content": "{half}"}}}}]}}\n\n'} for half in HALVES]
    assert await answer(api, *halves) == [Accepted(), Text("a 😀 b"), STOP]
    assert await answer(api, halves[0]) == [Accepted(), Text("a \ufffd"), STOP]
    before, failed = await failure(api, halves[0], {"raw": 'data: {"error": "overheated"}\n\n'})
    assert (before, failed.type) == ([Accepted(), Text("a \ufffd")], "upstream_error")


HALVES = ("a \\ud83d", "\\ude00 b")


@pytest.mark.parametrize("behind", [chunk("b"), '{"error": "overheated"}', '{"choices": [', "[DONE]"])
async def test_nothing_behind_done_is_read(api: ScriptedApi, behind: str) -> None:
    script = [{"raw": f"data: {chunk('a')}\n\ndata: [DONE]\n\ndata: {behind}\n\n"}, {"done": False}]
    assert await answer(api, *script) == [Accepted(), Text("a"), STOP]


async def test_an_empty_answer_is_retried(api: ScriptedApi) -> None:
    before, failed = await failure(api, {"status": 200, "headers": {"Content-Type": "text/event-stream"}, "body": ""})
    assert (before, failed.type, len(api.requests)) == ([], "upstream_unreachable", 3)


async def test_the_key_is_masked_in_failures(api: ScriptedApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRIPTED_KEY", "sk-secret")
    body = json.dumps({"error": {"message": "Incorrect API key provided: sk-secret."}})
    _, failed = await failure(api, {"status": 401, "body": body}, api_key_env="SCRIPTED_KEY")
    assert "Incorrect API key provided" in failed.message
    assert "sk-secret" not in failed.message


def test_a_key_that_is_not_set_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCRIPTED_KEY", raising=False)
    with pytest.raises(ValueError, match="SCRIPTED_KEY"):
        served([HttpUpstreamSettings(url="http://127.0.0.1:9/v1", models=("m",), api_key_env="SCRIPTED_KEY")])


@pytest.mark.parametrize("first", [[], [{"raw": ""}]], ids=["no head", "the head alone"])
async def test_a_missing_first_byte_is_a_timeout(api: ScriptedApi, first: list[Any]) -> None:
    before, failed = await failure(api, *first, {"stall": True}, first_byte_seconds=SOON)
    assert (before, failed.type, failed.retryable) == ([], "upstream_timeout", True)
    await asyncio.wait_for(api.closed_by_client.wait(), PATIENCE)
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    "first",
    [
        {"html": True},
        {"status": 200, "body": '{"choices": [{"message": {"content": "Please sign in"}}]}'},
        {"status": 200, "body": '{"error": {"message": "Please sign in"}}'},
    ],
    ids=["a page", "an answer at once", "an error"],
)
async def test_an_answer_other_than_a_stream_is_refused(api: ScriptedApi, first: Any) -> None:
    before, failed = await failure(api, first)
    assert (before, failed.type, failed.retryable) == ([], "upstream_not_a_stream", False)
    assert "Please sign in" in failed.message
    assert len(api.requests) == 1


async def test_a_body_that_is_not_gzip_is_refused(api: ScriptedApi) -> None:
    before, failed = await failure(api, {"broken_gzip": True}, "a")
    assert (before, failed.type) == ([], "upstream_not_a_stream")
    before, failed = await failure(api, {"gzip": True}, "a", {"broken_gzip": True}, "b")
    assert (before, failed.type) == ([Accepted(), Text("a")], "upstream_not_a_stream")


# In mid-stream


@pytest.mark.parametrize(
    ("step", "type", "retryable"),
    [
        ({"close": True}, "upstream_cut", True),
        ({"reset": True}, "upstream_cut", True),
        ({"done": False}, "upstream_cut", True),
        ({"raw": 'data: {"choices": [{"del\n\n'}, "upstream_not_json", False),
        ({"raw": "data: hello\n\n"}, "upstream_not_json", False),
        ({"raw": "data: [1]\n\n"}, "upstream_not_json", False),
        ({"raw": 'data: {"error": {"message": "overheated"}}\n\n'}, "upstream_error", True),
        ({"raw": 'data: {"error": "overheated", "choices": []}\n\n'}, "upstream_error", True),
        ({"raw": 'data: {"object": "error", "message": "overheated"}\n\n'}, "upstream_error", True),
        ({"raw": 'event: error\ndata: {"message": "overheated"}\n\n'}, "upstream_error", True),
        ({"raw": "event: error\ndata: overheated\n\n"}, "upstream_error", True),
        ({"raw": 'error: {"code": 500, "message": "overheated", "type": "server_error"}\n\n'}, "upstream_error", True),
        ({"raw": 'error: {"message": "overheated"}'}, "upstream_error", True),
        ({"raw": f"data: {chunk('')}\nerror: overheated\n\n"}, "upstream_error", True),
        ({"raw": 'data: {"error": {"code": 400, "message": "overheated"}}\n\n'}, "invalid_request_error", False),
        ({"raw": 'data: {"error": {"code": 401, "message": "overheated"}}\n\n'}, "upstream_key_refused", False),
    ],
    ids=str,
)
async def test_text_before_a_failure_is_kept(api: ScriptedApi, step: Any, type: str, retryable: bool) -> None:
    before, failed = await failure(api, "a", step)
    assert (before, failed.type, failed.retryable) == ([Accepted(), Text("a")], type, retryable)
    assert type != "upstream_error" or "overheated" in failed.message
    assert len(api.requests) == 1


async def test_text_in_one_piece_with_a_failure_is_kept(api: ScriptedApi) -> None:
    before, failed = await failure(api, {"raw": f'data: {B}\n\ndata: {{"error": "overheated"}}\n\n'})
    assert (before, failed.type) == ([Accepted(), Text("🙂")], "upstream_error")


async def test_silence_ends_the_connection(api: ScriptedApi) -> None:
    before, failed = await failure(api, "a", {"stall": True}, silence_seconds=SOON)
    assert (before, failed.type, failed.retryable) == ([Accepted(), Text("a")], "upstream_silent", True)
    await asyncio.wait_for(api.closed_by_client.wait(), PATIENCE)
    assert len(api.requests) == 1


async def test_an_error_ends_the_connection(api: ScriptedApi) -> None:
    _, failed = await failure(api, {"raw": 'data: {"error": "overheated"}\n\n'}, {"stall": True})
    assert failed.type == "upstream_error"
    await asyncio.wait_for(api.closed_by_client.wait(), PATIENCE)


# Whoever asks goes away


async def test_closing_the_answer_closes_the_connection(api: ScriptedApi) -> None:
    asked = upstream(api)
    async with aclosing(asked.stream(request(["a", {"stall": True}]))) as frames:
        await anext(frames)
        assert await asked.running() == 1
    await asyncio.wait_for(api.closed_by_client.wait(), PATIENCE)
    assert await asked.running() == 0


async def test_a_cancelled_wait_for_the_first_byte_closes_the_connection(api: ScriptedApi) -> None:
    asked = upstream(api)
    waiting = asyncio.create_task(taken(asked, request([{"stall": True}])))
    async with asyncio.timeout(PATIENCE):
        await api.asked.wait()
        waiting.cancel()
        await api.closed_by_client.wait()
    assert await asked.running() == 0


async def test_concurrent_answers_do_not_mix(api: ScriptedApi) -> None:
    asked = upstream(api)
    answers = await asyncio.gather(*(taken(asked, request([str(n), {"pace": 0.01}, "!"])) for n in range(20)))
    assert answers == [[Accepted(), Text(f"{n}!"), STOP] for n in range(20)]


TOOL = Tool(name="weather", description="Of a city.", parameters={"type": "object"})
PIECES: list[dict[str, Any]] = [
    {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": ""}},
    {"index": 0, "function": {"arguments": '{"city": '}},
    {"index": 0, "function": {"arguments": '"Oslo"}'}},
    {"index": 1, "id": "call_2", "type": "function", "function": {"name": "time", "arguments": "{}"}},
]


def called(pieces: Sequence[dict[str, Any]]) -> list[Any]:
    return [*({"delta": {"tool_calls": [piece]}} for piece in pieces), {"finish": "tool_calls"}]


CALLED: list[UpstreamItem | Failure] = [
    Accepted(),
    ToolPiece(index=0, id="call_1", name="weather"),
    ToolPiece(index=0, arguments='{"city": '),
    ToolPiece(index=0, arguments='"Oslo"}'),
    ToolPiece(index=1, id="call_2", name="time", arguments="{}"),
    Finished(finish_reason="tool_calls", usage=Usage()),
]


async def test_tool_calls_of_an_api_come_in_pieces(api: ScriptedApi) -> None:
    assert await taken(upstream(api), request(called(PIECES), tools=(TOOL,))) == CALLED


async def test_calls_without_an_index_are_distinguished_by_id(api: ScriptedApi) -> None:
    whole = [PIECES[0] | {"function": {"name": "weather", "arguments": '{"city": "Oslo"}'}}, PIECES[3]]
    bare = [{name: value for name, value in piece.items() if name != "index"} for piece in whole]
    assert await taken(upstream(api), request(called(bare), tools=(TOOL,))) == [
        Accepted(),
        ToolPiece(index=0, id="call_1", name="weather", arguments='{"city": "Oslo"}'),
        *CALLED[4:],
    ]


async def test_the_clients_own_chat_goes_to_the_api_as_it_came(api: ScriptedApi) -> None:
    chat = {
        "model": "another",
        "messages": [{"role": "user", "content": json.dumps(["Sunny."]), "name": "bob", "id": "m1"}],
        "stream": False,
        "logit_bias": {"50256": -100},
        "seed": 2**70,
        "wish": [None, {"a": "\u2028"}],
    }
    await taken(upstream(api), request([], chat=chat, temperature=0.5, max_tokens=7))
    assert api.requests[0].body == {**chat, "model": "scripted", "stream": True}


async def test_reasoning_goes_back_in_the_field_in_which_it_came(api: ScriptedApi) -> None:
    """Before the first answer the client's word for it is taken."""
    served = upstream(api)
    turn = {"role": "assistant", "content": "", "tool_calls": [{"id": "c"}]}
    script = json.dumps([{"delta": {"reasoning": "Hm."}}, "42"])
    for _ in range(2):
        messages = [{"role": "user", "content": "Go."}, {**turn, "reasoning_content": "I see."}]
        result = {"role": "tool", "tool_call_id": "c", "content": script}
        await taken(served, request([], chat={"messages": [*messages, result]}))
    first, second = (sent.body["messages"][1] for sent in api.requests)
    assert first == {**turn, "reasoning_content": "I see."}
    assert second == {**turn, "reasoning": "I see."}

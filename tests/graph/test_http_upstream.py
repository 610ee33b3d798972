"""The graph on Serve in front of an HTTP API, in a process of its own, that misbehaves as its prompt says."""

import json
from typing import Any

import httpx
import pytest

from tests.fakes.gateway_calls import (
    PLAIN_MODEL,
    THOUGHT,
    THOUGHT_WITHOUT_SUMMARIES,
    WITHOUT_SUMMARIES,
    body,
    running,
    stream,
    types_and_texts,
)
from tests.fakes.native_events import joined

QUIET = {"model": "deepseek-r1", **WITHOUT_SUMMARIES}


@pytest.fixture
def url(over_http: str) -> str:
    return over_http


CUT = [
    ("stream.started", None),
    ("prompt_summary.done", ""),
    ("reasoning.delta", "So"),
    ("reasoning.done", None),
    ("reasoning_summary.done", ""),
    ("stream.failed", None),
]


@pytest.mark.parametrize(
    "first",
    [
        [],
        [{"refuse": 2}],
        [{"fail_first": 2, "status": 503}],
        [{"fail_first": 1, "status": 429, "headers": {"Retry-After": "0"}}],
    ],
)
async def test_a_request_is_retried_until_the_api_answers(http: httpx.AsyncClient, url: str, first: list[Any]) -> None:
    assert types_and_texts(await stream(http, url, body(*first, *THOUGHT, **QUIET))) == THOUGHT_WITHOUT_SUMMARIES


async def test_reasoning_in_a_field_gives_the_same_events(http: httpx.AsyncClient, url: str) -> None:
    fields = [{"delta": {"reasoning_content": text}} for text in ("Let me ", "see.")]
    assert (
        types_and_texts(await stream(http, url, body(*fields, "Forty", "-two.", **QUIET))) == THOUGHT_WITHOUT_SUMMARIES
    )


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ({"close": True}, "upstream_cut"),
        ({"reset": True}, "upstream_cut"),
        ({"stall": True}, "upstream_silent"),
        ({"raw": "data: {not json\n\n"}, "upstream_not_json"),
        ({"raw": "x" * 4_300_000}, "upstream_not_a_stream"),
        ({"raw": 'data: {"error": {"message": "it broke"}}\n\n'}, "upstream_error"),
    ],
)
async def test_when_the_api_fails_in_mid_stream_the_stream_keeps_what_was_received(
    http: httpx.AsyncClient, url: str, step: dict[str, Any], kind: str
) -> None:
    events = await stream(http, url, body("<think>So", step, **QUIET))
    assert types_and_texts(events) == CUT
    assert (events[-1]["error"]["type"], events[-1]["error"]["stage"]) == (kind, "upstream")
    assert await running(http, url) == 0


@pytest.mark.parametrize("family", ["x", "。", "a. "])
async def test_a_huge_piece_of_reasoning_arrives_whole(http: httpx.AsyncClient, url: str, family: str) -> None:
    trace = family * 300_000
    events = await stream(http, url, body(f"<think>{trace}</think>It is.", **QUIET))
    assert joined(events, "reasoning.delta") == trace
    assert events[-2]["text"] == "It is."


@pytest.mark.parametrize(
    ("step", "status", "kind"),
    [
        ({"status": 401, "body": '{"error": {"message": "no such key"}}'}, 502, "upstream_key_refused"),
        ({"status": 429, "headers": {"Retry-After": "3600"}}, 503, "upstream_rate_limited"),
        ({"html": True}, 502, "upstream_not_a_stream"),
    ],
)
async def test_a_refusal_of_the_api_is_the_status_of_the_answer(
    http: httpx.AsyncClient, url: str, step: dict[str, Any], status: int, kind: str
) -> None:
    response = await http.post(f"{url}/v1/reasoning", json=body(step, **QUIET))
    assert (response.status_code, response.json()["error"]["type"]) == (status, kind)


async def test_the_api_writes_the_summaries_too(http: httpx.AsyncClient, url: str) -> None:
    """The API plays the prompt again for its summary, and gives its standard answer for the reasoning's."""
    events = await stream(http, url, body("<think>So it is forty-two.</think>", "You ask."))
    written = {event["type"]: event["text"] for event in events if event.get("written_by") == "model"}
    assert written == {"prompt_summary.done": "You ask.", "reasoning_summary.part": "Forty-two."}


@pytest.mark.parametrize(
    ("id", "sent"), [("order-66/7c", "order-66/7c"), ("two words", ""), ("x" * 129, ""), ("sch\u00f6n", "")]
)
async def test_the_request_id_is_sent_to_the_api_if_it_is_a_valid_header(
    http: httpx.AsyncClient, url: str, id: str, sent: str
) -> None:
    http.headers = httpx.Headers({"X-Request-Id": id}, encoding="utf-8")
    events = await stream(http, url, body("<think>So</think>It is ", {"header": "x-request-id"}, ".", **QUIET))
    assert events[-2]["text"] == f"It is {sent}."


async def test_the_request_id_is_sent_with_the_calls_for_summaries_too(http: httpx.AsyncClient, url: str) -> None:
    http.headers["X-Request-Id"] = "lighthouses"
    events = await stream(http, url, body("<think>So.</think>You ask of ", {"header": "x-request-id"}, "."))
    written = {event["type"]: event["text"] for event in events if event.get("written_by") == "model"}
    assert written["prompt_summary.done"] == "You ask of lighthouses."


@pytest.mark.parametrize(("model", "response"), [("deepseek-r1", ""), ("deepseek-promoted", "So it")])
async def test_reasoning_that_is_cut_off_becomes_the_response_only_if_configured(
    http: httpx.AsyncClient, url: str, model: str, response: str
) -> None:
    asked = body("<think>So ", "it", {"finish": "length"}, **{**QUIET, "model": model})
    events = await stream(http, url, asked)
    done = {event["type"]: event for event in events}
    assert done["reasoning.done"]["ended_by"] == "truncated"
    assert done["response.done"]["text"] == response


async def test_every_model_is_listed_and_an_unknown_one_is_refused(http: httpx.AsyncClient, url: str) -> None:
    models = (await http.get(f"{url}/v1/models")).json()
    assert [model["id"] for model in models["data"]] == ["deepseek-r1", "gpt-4o", "deepseek-promoted", PLAIN_MODEL]
    response = await http.post(f"{url}/v1/reasoning", json=body("a", model="gpt-9"))
    assert (response.status_code, json.loads(response.content)["error"]["param"]) == (404, "model")


async def test_a_budget_is_refused_since_the_api_has_none(http: httpx.AsyncClient, url: str) -> None:
    response = await http.post(f"{url}/v1/reasoning", json=body("a", reasoning={"budget": 5}))
    assert (response.status_code, response.json()["error"]["param"]) == (400, "reasoning.budget")

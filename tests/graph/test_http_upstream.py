"""The real graph on real Serve, in front of a real HTTP API that misbehaves as its prompt says, on a real socket."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bench.peers import ROOT
from gateway.config import DeadlineSettings, GatewaySettings, HttpUpstreamSettings
from tests.conftest import Cluster
from tests.graph.test_graph import bare, body, running, stream

TRACE = ["<think>\nLet me ", "see.</th", "ink>\n\nForty", "-two."]
QUIET = {"model": "deepseek-r1", "prompt_summary": False, "reasoning": {"summary": "none"}}


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    """The url of the scripted API, a process of its own."""
    command = [sys.executable, "-m", "tests.fakes.scripted_api", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture(scope="module")
def url(cluster: Cluster, api: str) -> str:
    from ray import serve

    import graph

    upstream = HttpUpstreamSettings(url=api, models=("deepseek-r1", "gpt-4o"), silence_seconds=0.5)
    promoting = HttpUpstreamSettings(url=api, models=("deepseek-promoted",), promote_truncated=True)
    deadlines = DeadlineSettings(prompt_summary=1, reasoning_summary=1)
    settings = GatewaySettings(upstream=None, http_upstreams=(upstream, promoting), deadlines=deadlines)
    serve.run(graph.build(settings), name="http", route_prefix="/http")
    return cluster.url("/http")


WHOLE = [
    ("stream.started", None),
    ("prompt_summary.done", ""),
    ("reasoning.delta", "Let me see."),
    ("reasoning.done", None),
    ("reasoning_summary.done", ""),
    ("response.delta", "Forty-two."),
    ("response.done", "Forty-two."),
    ("stream.completed", None),
]
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
async def test_an_api_that_answers_in_the_end(http: httpx.AsyncClient, url: str, first: list[Any]) -> None:
    assert bare(await stream(http, url, body(*first, *TRACE, **QUIET))) == WHOLE


async def test_reasoning_in_a_field_gives_the_same_events(http: httpx.AsyncClient, url: str) -> None:
    fields = [{"delta": {"reasoning_content": text}} for text in ("Let me ", "see.")]
    assert bare(await stream(http, url, body(*fields, "Forty", "-two.", **QUIET))) == WHOLE


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ({"close": True}, "upstream_cut"),
        ({"reset": True}, "upstream_cut"),
        ({"stall": True}, "upstream_silent"),
        ({"raw": "data: {not json\n\n"}, "upstream_not_json"),
        ({"raw": 'data: {"error": {"message": "it broke"}}\n\n'}, "upstream_error"),
    ],
)
async def test_an_api_that_fails_in_mid_stream_keeps_what_came(
    http: httpx.AsyncClient, url: str, step: dict[str, Any], kind: str
) -> None:
    events = await stream(http, url, body("<think>So", step, **QUIET))
    assert bare(events) == CUT
    assert (events[-1]["error"]["type"], events[-1]["error"]["stage"]) == (kind, "upstream")
    assert await running(http, url) == 0


@pytest.mark.parametrize(
    ("step", "status", "kind"),
    [
        ({"status": 401, "body": '{"error": {"message": "no such key"}}'}, 502, "upstream_refused"),
        ({"status": 429, "headers": {"Retry-After": "3600"}}, 503, "upstream_rate_limited"),
        ({"html": True}, 502, "upstream_not_a_stream"),
    ],
)
async def test_an_api_that_refuses_is_told_before_the_stream(
    http: httpx.AsyncClient, url: str, step: dict[str, Any], status: int, kind: str
) -> None:
    response = await http.post(f"{url}/v1/reasoning", json=body(step, **QUIET))
    assert (response.status_code, response.json()["error"]["type"]) == (status, kind)


async def test_the_summaries_are_asked_of_the_api_too(http: httpx.AsyncClient, url: str) -> None:
    """It plays the prompt as a script again for the prompt's summary, and knows no script for the trace's."""
    events = await stream(http, url, body("<think>So it is forty-two.</think>", "You ask."))
    written = {event["type"]: event["text"] for event in events if event.get("written_by") == "model"}
    assert written == {"prompt_summary.done": "You ask.", "reasoning_summary.part": "Forty-two."}


@pytest.mark.parametrize(
    ("id", "sent"), [("order-66/7c", "order-66/7c"), ("two words", ""), ("x" * 129, ""), ("sch\u00f6n", "")]
)
async def test_the_id_of_a_request_goes_on_to_the_api_where_it_may_stand_in_a_header(
    http: httpx.AsyncClient, url: str, id: str, sent: str
) -> None:
    http.headers = httpx.Headers({"X-Request-Id": id}, encoding="utf-8")
    events = await stream(http, url, body("<think>So</think>It is ", {"header": "x-request-id"}, ".", **QUIET))
    assert events[-2]["text"] == f"It is {sent}."


async def test_the_id_goes_on_with_what_is_asked_for_summaries(http: httpx.AsyncClient, url: str) -> None:
    http.headers["X-Request-Id"] = "lighthouses"
    events = await stream(http, url, body("<think>So.</think>You ask of ", {"header": "x-request-id"}, "."))
    written = {event["type"]: event["text"] for event in events if event.get("written_by") == "model"}
    assert written["prompt_summary.done"] == "You ask of lighthouses."


@pytest.mark.parametrize(("model", "response"), [("deepseek-r1", ""), ("deepseek-promoted", "So it")])
async def test_reasoning_that_never_ends(http: httpx.AsyncClient, url: str, model: str, response: str) -> None:
    asked = body("<think>So ", "it", {"finish": "length"}, **{**QUIET, "model": model})
    events = await stream(http, url, asked)
    done = {event["type"]: event for event in events}
    assert done["reasoning.done"]["ended_by"] == "truncated"
    assert done["response.done"]["text"] == response


async def test_every_model_is_listed_and_one_that_is_not_is_refused(http: httpx.AsyncClient, url: str) -> None:
    models = (await http.get(f"{url}/v1/models")).json()
    assert [model["id"] for model in models["data"]] == ["deepseek-r1", "gpt-4o", "deepseek-promoted"]
    response = await http.post(f"{url}/v1/reasoning", json=body("a", model="gpt-9"))
    assert (response.status_code, json.loads(response.content)["error"]["param"]) == (404, "model")


async def test_a_budget_that_the_api_cannot_keep_is_refused(http: httpx.AsyncClient, url: str) -> None:
    response = await http.post(f"{url}/v1/reasoning", json=body("a", reasoning={"budget": 5}))
    assert (response.status_code, response.json()["error"]["param"]) == (400, "reasoning.budget")

"""The graph on Serve, over sockets, in front of a scripted upstream."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.config import GatewaySettings
from tests.fakes.cluster import Cluster
from tests.fakes.gateway_calls import (
    THOUGHT,
    WITHOUT_SUMMARIES,
    body,
    running,
    stream,
    stream_in_reasoning,
    types_and_texts,
    until_running,
)
from tests.fakes.scripted_upstream import LATE_SUMMARY, NO_SUMMARY, scripted_upstream

COMPLETED = [
    ("stream.started", None),
    ("prompt_summary.delta", "You ask something."),
    ("prompt_summary.done", "You ask something."),
    ("reasoning.delta", "Let me see."),
    ("reasoning.done", None),
    ("reasoning_summary.delta", "A text."),
    ("reasoning_summary.part", "A text."),
    ("reasoning_summary.done", "A text."),
    ("response.delta", "Forty-two."),
    ("response.done", "Forty-two."),
    ("stream.completed", None),
]


async def test_a_stream_has_every_event_in_order(http: httpx.AsyncClient, url: str) -> None:
    assert types_and_texts(await stream(http, url, body(*THOUGHT))) == COMPLETED


async def test_a_stream_is_sent_as_server_sent_events_that_nothing_buffers(http: httpx.AsyncClient, url: str) -> None:
    async with http.stream("POST", f"{url}/v1/reasoning", json=body(*THOUGHT)) as response:
        await response.aread()
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"


async def test_twenty_streams_at_once_are_each_complete(http: httpx.AsyncClient, url: str) -> None:
    streams = await asyncio.gather(*(stream(http, url, body(*THOUGHT)) for _ in range(20)))
    assert [types_and_texts(events) for events in streams] == [COMPLETED] * 20
    assert len({events[0]["id"] for events in streams}) == 20


async def test_an_answer_that_is_not_streamed_has_all_the_sections(http: httpx.AsyncClient, url: str) -> None:
    response = await http.post(f"{url}/v1/reasoning", json=body(*THOUGHT, stream=False))
    answer = response.json()
    assert response.status_code == 200
    assert answer["prompt_summary"] == {"text": "You ask something.", "written_by": "model"}
    assert answer["reasoning"]["text"] == "Let me see."
    assert answer["reasoning_summary"]["text"] == "A text."
    assert [part["title"] for part in answer["reasoning_summary"]["parts"]] == ["A title"]
    assert answer["response"] == "Forty-two."
    assert answer["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "reasoning_tokens": 2,
        "cached_tokens": 0,
        "estimated": False,
        "summary_tokens": 6,
        "summary_prompt_tokens": 14,
        "summary_cached_tokens": 0,
    }


@pytest.mark.parametrize(
    ("content", "status", "param"),
    [
        (b"{not json", 400, None),
        (b"{}", 400, "messages"),
        (b'{"messages": []}', 400, "messages"),
        (b'{"messages": [{"role": "user", "content": "  "}]}', 400, "messages"),
        (b'{"messages": [{"role": "user", "content": "x"}], "reasoning": {"wish": 1}}', 400, "reasoning.wish"),
        (b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": "9"}', 400, "max_tokens"),
        (b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": -1}', 400, "max_tokens"),
        (b'{"messages": [{"role": "user", "content": "x"}], "seed": 1e300}', 400, "seed"),
        (b'{"messages": [{"role": "user", "content": "x"}], "reasoning": {"budget": -1}}', 400, "reasoning.budget"),
        (b'{"messages": [{"role": "user", "content": "x"}], "model": "gpt-9"}', 404, "model"),
        (b'{"messages": [{"role": "user", "content": "%s"}]}' % (b"x" * 6000), 413, None),
    ],
)
async def test_a_bad_request_is_refused(
    http: httpx.AsyncClient, url: str, content: bytes, status: int, param: str | None
) -> None:
    response = await http.post(f"{url}/v1/reasoning", content=content)
    assert response.status_code == status
    error = response.json()["error"]
    assert error["param"] == param
    assert sorted(error) == ["code", "message", "param", "type"]


async def test_a_summary_that_fails_is_replaced_by_an_extract(http: httpx.AsyncClient, url: str) -> None:
    events = await stream(http, url, body("<think>", f"There is {NO_SUMMARY}.", "</think>", "42"))
    written = [event["written_by"] for event in events if "written_by" in event]
    assert written == ["extract", "extract"]
    assert events[-1]["type"] == "stream.completed"


async def test_a_late_prompt_summary_is_replaced_by_an_extract_and_the_reasoning_is_summarized_all_the_same(
    http: httpx.AsyncClient, url: str
) -> None:
    events = await stream(http, url, body("<think>", f"A {LATE_SUMMARY}.", "</think>", "42"))
    written = [event["written_by"] for event in events if "written_by" in event]
    assert written == ["extract", "model"]
    assert events[-1]["type"] == "stream.completed"


async def test_when_the_upstream_fails_the_stream_keeps_what_was_received(http: httpx.AsyncClient, url: str) -> None:
    events = await stream(http, url, body("<think>So ", {"fail": "it broke"}))
    assert types_and_texts(events)[-5:] == [
        ("reasoning.done", None),
        ("reasoning_summary.delta", "Restating the question."),
        ("reasoning_summary.part", "Restating the question."),
        ("reasoning_summary.done", "Restating the question."),
        ("stream.failed", None),
    ]
    assert events[-1]["error"] == {
        "type": "upstream_error",
        "code": "upstream_error",
        "message": "it broke",
        "stage": "upstream",
        "retryable": True,
    }


async def test_a_client_that_disconnects_stops_the_generation(http: httpx.AsyncClient, url: str) -> None:
    async with stream_in_reasoning(http, url, body("<think>So", {"hang": True})):
        assert await running(http, url) == 1
    await until_running(0, http, url)


async def test_when_a_replica_dies_its_stream_fails_and_the_next_one_completes(
    http: httpx.AsyncClient, url: str
) -> None:
    events = await stream(http, url, body("<think>So ", {"die": True}))
    assert [event["type"] for event in events].count("stream.failed") == 1
    assert events[-1]["error"]["stage"] == "upstream"
    assert events[-1]["error"]["retryable"] is True
    assert "".join(event["delta"] for event in events if event["type"] == "reasoning.delta") == "So "
    assert response_text(await stream(http, url, body(*THOUGHT))) == "Forty-two."


async def test_a_stream_whose_replica_dies_before_it_begins_is_sent_to_another(
    http: httpx.AsyncClient, url: str, tmp_path: Path
) -> None:
    died = tmp_path / "died"
    streams = await asyncio.gather(*(stream(http, url, body({"die_once": str(died)}, *THOUGHT)) for _ in range(8)))
    assert died.exists()
    assert [response_text(events) for events in streams] == ["Forty-two."] * 8


def response_text(events: list[dict[str, Any]]) -> str:
    """Return the response of a completed stream. While a replica starts, its summaries may be extracts."""
    assert events[-1]["type"] == "stream.completed"
    return str(events[-2]["text"])


async def test_the_model_is_listed_and_the_gateway_is_healthy(http: httpx.AsyncClient, url: str) -> None:
    models = (await http.get(f"{url}/v1/models")).json()
    assert [model["id"] for model in models["data"]] == ["qwen2.5-coder-1.5b-instruct"]
    health = await http.get(f"{url}/health")
    assert (health.status_code, health.json()) == (200, {"status": "ok", "running": 0})


@pytest.fixture(scope="module")
def own(cluster: Cluster) -> str:
    """Deploy the graph with a second model for the summaries, and room for one call at a time at the first."""
    from ray import serve

    import graph

    upstreams = {
        "qwen": scripted_upstream("Not asked.", name="Answers", max_calls=1),
        "own": scripted_upstream("Its own text.", name="SummaryModel"),
    }
    settings = GatewaySettings.model_validate({"summarizer": {"own": {"model": "small"}}})
    serve.run(graph.connect(settings, upstreams), name="own", route_prefix="/own")
    return cluster.url("/own")


async def test_a_model_of_its_own_writes_the_summaries_and_is_not_listed(http: httpx.AsyncClient, own: str) -> None:
    events = await stream(http, own, body(*THOUGHT))
    assert [event["text"] for event in events if event["type"] == "reasoning_summary.part"] == ["Its own text."]
    models = (await http.get(f"{own}/v1/models")).json()["data"]
    assert [model["id"] for model in models] == ["qwen2.5-coder-1.5b-instruct"]


async def test_a_request_that_no_replica_has_room_for_is_refused_with_a_time_to_retry(
    http: httpx.AsyncClient, own: str
) -> None:
    request = body("<think>So", {"hang": True}, **WITHOUT_SUMMARIES)
    async with stream_in_reasoning(http, own, request):
        refused = await http.post(f"{own}/v1/reasoning", json=request)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert refused.json()["error"]["type"] == "overloaded"

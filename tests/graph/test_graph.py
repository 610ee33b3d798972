"""The real graph on real Serve, over real sockets, in front of a scripted upstream."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse

from gateway.config import GatewaySettings
from tests.conftest import Cluster
from tests.fakes.scripted_upstream import LATE_SUMMARY, NO_SUMMARY, ScriptedUpstream

THOUGHT = ["<think>\nLet me ", "see.</th", "ink>\n\nForty", "-two."]


def body(*script: Any, **asked: Any) -> dict[str, Any]:
    content = json.dumps(script, indent=0)  # of several lines, which is not its own summary
    return {"messages": [{"role": "user", "content": content}], **asked}


async def stream(http: httpx.AsyncClient, url: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    async with aconnect_sse(http, "POST", f"{url}/v1/reasoning", json=asked) as source:
        source.response.raise_for_status()
        return [json.loads(event.data) async for event in source.aiter_sse()]


def bare(events: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Each event as its type and what is said in it; deltas that follow one another as one, since frames join them."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    said: list[tuple[Any, ...]] = []
    for event in events:
        kind, text = event["type"], event.get("delta", event.get("text"))
        if "delta" in event and said and said[-1][0] == kind:
            text = said.pop()[1] + text
        said.append((kind, text))
    return said


async def running(http: httpx.AsyncClient, url: str) -> int:
    count: int = (await http.get(f"{url}/health")).json()["running"]
    return count


WHOLE = [
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


async def test_a_stream_over_a_real_socket(http: httpx.AsyncClient, url: str) -> None:
    assert bare(await stream(http, url, body(*THOUGHT))) == WHOLE


async def test_the_headers_of_a_stream(http: httpx.AsyncClient, url: str) -> None:
    async with http.stream("POST", f"{url}/v1/reasoning", json=body(*THOUGHT)) as response:
        await response.aread()
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"


async def test_twenty_streams_at_once_each_whole(http: httpx.AsyncClient, url: str) -> None:
    streams = await asyncio.gather(*(stream(http, url, body(*THOUGHT)) for _ in range(20)))
    assert [bare(events) for events in streams] == [WHOLE] * 20
    assert len({events[0]["id"] for events in streams}) == 20


async def test_an_answer_in_one_piece(http: httpx.AsyncClient, url: str) -> None:
    response = await http.post(f"{url}/v1/reasoning", json=body(*THOUGHT, stream=False))
    answer = response.json()
    assert response.status_code == 200
    assert answer["prompt_summary"] == {"text": "You ask something.", "written_by": "model"}
    assert answer["reasoning"]["text"] == "Let me see."
    assert answer["reasoning_summary"]["text"] == "A text."
    assert [part["title"] for part in answer["reasoning_summary"]["parts"]] == ["A title"]
    assert answer["response"] == "Forty-two."
    assert answer["usage"] == {"prompt_tokens": 7, "completion_tokens": 3, "reasoning_tokens": 2}


@pytest.mark.parametrize(
    ("content", "status", "param"),
    [
        (b"{not json", 400, None),
        (b"{}", 400, "messages"),
        (b'{"messages": []}', 400, "messages"),
        (b'{"messages": [{"role": "user", "content": "  "}]}', 400, "messages"),
        (b'{"messages": [{"role": "user", "content": "x"}], "wish": 1}', 400, "wish"),
        (b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": "9"}', 400, "max_tokens"),
        (b'{"messages": [{"role": "user", "content": "x"}], "max_tokens": -1}', 400, "max_tokens"),
        (b'{"messages": [{"role": "user", "content": "x"}], "seed": 1e300}', 400, "seed"),
        (b'{"messages": [{"role": "user", "content": "x"}], "reasoning": {"budget": -1}}', 400, "reasoning.budget"),
        (b'{"messages": [{"role": "user", "content": "x"}], "model": "gpt-9"}', 404, "model"),
        (b'{"messages": [{"role": "user", "content": "%s"}]}' % (b"x" * 6000), 400, None),
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


async def test_a_summarizer_that_fails_leaves_an_extract(http: httpx.AsyncClient, url: str) -> None:
    events = await stream(http, url, body("<think>", f"There is {NO_SUMMARY}.", "</think>", "42"))
    written = [event["written_by"] for event in events if "written_by" in event]
    assert written == ["extract", "extract"]
    assert events[-1]["type"] == "stream.completed"


async def test_a_prompt_summary_that_is_given_up_leaves_the_reasoning_summary_alone(
    http: httpx.AsyncClient, url: str
) -> None:
    events = await stream(http, url, body("<think>", f"A {LATE_SUMMARY}.", "</think>", "42"))
    written = [event["written_by"] for event in events if "written_by" in event]
    assert written == ["extract", "model"]
    assert events[-1]["type"] == "stream.completed"


async def test_an_upstream_that_fails_keeps_what_came(http: httpx.AsyncClient, url: str) -> None:
    events = await stream(http, url, body("<think>So ", {"fail": "it broke"}))
    assert bare(events)[-5:] == [
        ("reasoning.done", None),
        ("reasoning_summary.delta", "So"),
        ("reasoning_summary.part", "So"),
        ("reasoning_summary.done", "So"),
        ("stream.failed", None),
    ]
    assert events[-1]["error"] == {
        "type": "upstream_error",
        "message": "it broke",
        "stage": "upstream",
        "retryable": True,
    }


async def test_a_client_that_leaves_stops_the_generation_within_a_second(http: httpx.AsyncClient, url: str) -> None:
    async with http.stream("POST", f"{url}/v1/reasoning", json=body("<think>So", {"hang": True})) as response:
        chunks = response.aiter_bytes()
        while b"reasoning.delta" not in await anext(chunks):
            pass
        assert await running(http, url) == 1
    left = time.monotonic()
    while await running(http, url):
        assert time.monotonic() - left < 1


async def test_a_replica_that_dies_in_mid_stream_and_the_one_after_it(http: httpx.AsyncClient, url: str) -> None:
    events = await stream(http, url, body("<think>So ", {"die": True}))
    assert [event["type"] for event in events].count("stream.failed") == 1
    assert events[-1]["error"]["stage"] == "upstream"
    assert events[-1]["error"]["retryable"] is True
    assert "".join(event["delta"] for event in events if event["type"] == "reasoning.delta") == "So "
    assert response(await stream(http, url, body(*THOUGHT))) == "Forty-two."


async def test_streams_whose_replica_dies_before_they_begin_go_to_another(
    http: httpx.AsyncClient, url: str, tmp_path: Path
) -> None:
    died = tmp_path / "died"
    streams = await asyncio.gather(*(stream(http, url, body({"die_once": str(died)}, *THOUGHT)) for _ in range(8)))
    assert died.exists()
    assert [response(events) for events in streams] == ["Forty-two."] * 8


def response(events: list[dict[str, Any]]) -> str:
    """Of a stream that is whole; while a replica starts, its summaries may be late."""
    assert events[-1]["type"] == "stream.completed"
    return str(events[-2]["text"])


async def test_more_requests_than_a_replica_takes_are_told_to_come_back(
    http: httpx.AsyncClient, cluster: Cluster
) -> None:
    from ray import serve

    import graph

    upstream = graph._deploy(ScriptedUpstream).bind(most=1)
    serve.run(graph.connect(GatewaySettings(), {"qwen": upstream}), name="small", route_prefix="/small")
    quiet = {"prompt_summary": False, "reasoning": {"summary": "none"}}
    asked = body("<think>So", {"hang": True}, **quiet)
    address = f"{cluster.url('/small')}/v1/reasoning"
    async with http.stream("POST", address, json=asked) as runs:
        chunks = runs.aiter_bytes()
        await anext(chunks)
        refused = await http.post(address, json=asked)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    assert refused.json()["error"]["type"] == "overloaded"


async def test_models_and_health(http: httpx.AsyncClient, url: str) -> None:
    models = (await http.get(f"{url}/v1/models")).json()
    assert [model["id"] for model in models["data"]] == ["qwen2.5-coder-0.5b-instruct"]
    health = await http.get(f"{url}/health")
    assert (health.status_code, health.json()) == (200, {"status": "ok", "running": 0})


async def test_a_model_for_summaries_alone(http: httpx.AsyncClient, cluster: Cluster) -> None:
    from ray import serve

    import graph

    answers, writes = (
        serve.deployment(**graph.STREAMS, name=name, ray_actor_options={"num_cpus": 0.1})(ScriptedUpstream).bind(
            summary
        )
        for name, summary in [("Answers", "Not asked."), ("SummaryModel", "Its own text.")]
    )
    settings = GatewaySettings.model_validate({"summarizer": {"own": {"model": "small"}}})
    serve.run(graph.connect(settings, {"qwen": answers, "own": writes}), name="own", route_prefix="/own")
    url = cluster.url("/own")
    events = await stream(http, url, body(*THOUGHT))
    assert [event["text"] for event in events if event["type"] == "reasoning_summary.part"] == ["Its own text."]
    models = (await http.get(f"{url}/v1/models")).json()["data"]
    assert [model["id"] for model in models] == ["qwen2.5-coder-0.5b-instruct"]

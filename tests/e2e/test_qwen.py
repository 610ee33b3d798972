"""The real Qwen, deployed from serve_config.yaml with `serve deploy`, asked over real sockets."""

import asyncio
import json
import os
import subprocess
import sys
import time
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse

from bench.peers import ROOT
from gateway.order import TRANSITIONS, next_states
from tests.fakes.cluster import Cluster

QUESTION = "How many days are there in three weeks and four days?"


def ask(question: str = QUESTION, **asked: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}], "temperature": 0, **asked}


async def stream(http: httpx.AsyncClient, url: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
    async with aconnect_sse(http, "POST", f"{url}/v1/reasoning", json=asked) as source:
        source.response.raise_for_status()
        return [json.loads(event.data) async for event in source.aiter_sse()]


def text(events: list[dict[str, Any]], event_type: str) -> str:
    return "".join(event["delta"] for event in events if event["type"] == event_type)


def assert_legal(events: list[dict[str, Any]]) -> None:
    state: str | None = "new"
    for number, event in enumerate(events):
        assert event["sequence_number"] == number
        assert state is not None
        state = next_states(TRANSITIONS["strict"], state).get(event["type"])
    assert state == "closed"


def only(events: list[dict[str, Any]], event_type: str) -> dict[str, Any]:
    (event,) = [event for event in events if event["type"] == event_type]
    return event


async def test_it_thinks_and_answers(http: httpx.AsyncClient, url: str) -> None:
    events = await stream(http, url, ask(max_tokens=200, reasoning={"budget": 100}))
    assert_legal(events)
    assert only(events, "prompt_summary.done") | {"sequence_number": 0} == {
        "type": "prompt_summary.done",
        "sequence_number": 0,
        "text": QUESTION,
        "written_by": "extract",
    }
    assert text(events, "reasoning.delta").startswith("Okay, the user asks")
    assert "25" in text(events, "response.delta")
    assert "<think" not in text(events, "reasoning.delta") + text(events, "response.delta")
    part = only(events, "reasoning_summary.part")
    assert part["span"] == {"start": 0, "end": len(text(events, "reasoning.delta"))}
    done = only(events, "reasoning.done")
    usage = only(events, "stream.completed")["usage"]
    assert done["tokens"] == usage["reasoning_tokens"] > 0
    assert usage["completion_tokens"] > usage["reasoning_tokens"]


async def test_a_prompt_is_summarized_by_the_model(http: httpx.AsyncClient, url: str) -> None:
    prompt = "I am away for three weeks and four days, and water my plants every day. How often is that?"
    quiet = {"budget": 0, "summary": "none"}
    summary = only(await stream(http, url, ask(prompt, max_tokens=1, reasoning=quiet)), "prompt_summary.done")
    assert summary["text"].startswith("You ask")
    assert summary["written_by"] == "model"


async def test_ten_streams_at_once_all_complete_in_order(http: httpx.AsyncClient, url: str) -> None:
    asked = [ask(f"What is {n} times {n}?", max_tokens=40, reasoning={"budget": 16}) for n in range(10)]
    streams = await asyncio.gather(*(stream(http, url, one) for one in asked))
    for events in streams:
        assert_legal(events)
        assert events[-1]["type"] == "stream.completed"


async def test_the_budget_closes_the_thinking(http: httpx.AsyncClient, url: str) -> None:
    quiet = {"budget": 8, "summary": "none"}
    events = await stream(http, url, ask(max_tokens=30, reasoning=quiet, prompt_summary=False))
    done = only(events, "reasoning.done")
    assert (done["ended_by"], done["tokens"]) == ("budget", 8)
    assert text(events, "response.delta")


async def test_max_tokens_ends_it(http: httpx.AsyncClient, url: str) -> None:
    quiet = {"budget": 50, "summary": "none"}
    events = await stream(http, url, ask(max_tokens=8, reasoning=quiet, prompt_summary=False))
    assert only(events, "reasoning.done")["ended_by"] == "truncated"
    assert only(events, "response.done")["text"] == ""
    completed = only(events, "stream.completed")
    assert (completed["finish_reason"], completed["usage"]["completion_tokens"]) == ("length", 8)


async def test_a_budget_of_0_turns_thinking_off_and_stop_is_honoured(http: httpx.AsyncClient, url: str) -> None:
    asked = ask("Count from 1 to 9, separated by commas.", max_tokens=40, reasoning={"budget": 0}, stop=["5"])
    events = await stream(http, url, {**asked, "prompt_summary": False})
    assert only(events, "reasoning.done")["ended_by"] == "request"
    answer = only(events, "response.done")["text"]
    assert "4" in answer
    assert "5" not in answer
    assert only(events, "stream.completed")["finish_reason"] == "stop"


async def test_the_same_seed_says_the_same(http: httpx.AsyncClient, url: str) -> None:
    quiet = {"budget": 0, "summary": "none"}
    warm = ask("Name an animal and a colour.", temperature=1.5, max_tokens=12, reasoning=quiet, prompt_summary=False)
    said = [only(await stream(http, url, {**warm, "seed": seed}), "response.done")["text"] for seed in (7, 7, 8)]
    assert said[0] == said[1] != said[2]


async def test_an_answer_in_one_piece(http: httpx.AsyncClient, url: str) -> None:
    asked = ask(max_tokens=24, reasoning={"budget": 8, "summary": "none"}, prompt_summary=False, stream=False)
    response = await http.post(f"{url}/v1/reasoning", json=asked)
    answer = response.json()
    assert response.status_code == 200
    assert answer["reasoning"]["text"].startswith("Okay, the user asks")
    assert answer["response"]


async def test_a_prompt_longer_than_the_context_is_refused_with_both_lengths(http: httpx.AsyncClient, url: str) -> None:
    response = await http.post(f"{url}/v1/reasoning", json=ask("word " * 9000))
    error = response.json()["error"]
    assert (response.status_code, error["type"], error["param"]) == (400, "context_length_exceeded", "messages")
    assert "8192" in error["message"]
    assert "9" in error["message"].split()[3]


async def test_a_client_that_leaves_stops_the_engine_within_a_second(http: httpx.AsyncClient, url: str) -> None:
    async with http.stream("POST", f"{url}/v1/reasoning", json=ask("Count to 1000.", prompt_summary=False)) as running:
        chunks = running.aiter_bytes()
        while b"reasoning.delta" not in await anext(chunks):
            pass
        assert (await http.get(f"{url}/health")).json()["running"] == 1
    left = time.monotonic()
    while (await http.get(f"{url}/health")).json()["running"]:
        assert time.monotonic() - left < 1


def test_the_client_prints_the_four_sections_in_order(url: str) -> None:
    command = [sys.executable, "-m", "client", "--url", url, "--budget", "24", "--max-tokens", "60", QUESTION]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    headings = [line for line in done.stdout.splitlines() if line.startswith("[") and line.endswith("]")]
    assert headings == ["[PROMPT]", "[REASONING]", "[REASONING SUMMARY]", "[FINAL RESPONSE]"]


@pytest.mark.usefixtures("url")
def test_the_dashboard_shows_the_four_deployments(cluster: Cluster) -> None:
    token = {"Authorization": f"Bearer {os.environ['RAY_AUTH_TOKEN']}"}
    answer = httpx.get(f"{cluster.dashboard}/api/serve/applications/", headers=token, timeout=10)
    applications = answer.json()["applications"]
    gateway = applications["reasoning-gateway"]
    assert gateway["status"] == "RUNNING"
    assert sorted(gateway["deployments"]) == ["Ingress", "QwenUpstream", "StreamParser", "Summarizer"]
    nodes = {
        node["name"]: [to["name"] for to in node["outbound_deployments"]]
        for node in gateway["deployment_topology"]["nodes"].values()
    }
    assert sorted(nodes) == ["Ingress", "QwenUpstream", "StreamParser", "Summarizer"]

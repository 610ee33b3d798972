"""The real Qwen, deployed from serve_config.yaml with `serve deploy`, asked over real sockets."""

import asyncio
import os
import subprocess
import sys
from typing import Any

import httpx
import pytest

from bench.peers import ROOT
from tests.fakes.cluster import Cluster
from tests.fakes.gateway_calls import running, stream, stream_in_reasoning, until_running
from tests.fakes.native_events import assert_legal, joined, only

QUESTION = "How many days are there in three weeks and four days?"
OPENING = f'Let\'s see: "{QUESTION}"'
"""The first words of a thinking about it, by the harness."""


def request(question: str = QUESTION, **fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": question}], "temperature": 0, **fields}


async def test_it_thinks_and_answers(http: httpx.AsyncClient, url: str) -> None:
    events = await stream(http, url, request(max_tokens=64, reasoning={"budget": 40}))
    assert_legal(events)
    assert only(events, "prompt_summary.done") | {"sequence_number": 0} == {
        "type": "prompt_summary.done",
        "sequence_number": 0,
        "text": QUESTION,
        "written_by": "extract",
    }
    reasoning = joined(events, "reasoning.delta")
    assert reasoning.startswith(OPENING)
    assert joined(events, "response.delta")
    spans = [event["span"] for event in events if event["type"] == "reasoning_summary.part"]
    assert [span["start"] for span in spans] == [0, *(span["end"] for span in spans[:-1])]
    assert spans[-1]["end"] == len(reasoning)
    done = only(events, "reasoning.done")
    usage = only(events, "stream.completed")["usage"]
    assert done["tokens"] == usage["reasoning_tokens"] > 0
    assert usage["completion_tokens"] > usage["reasoning_tokens"]


async def test_a_long_prompt_gets_a_summary(http: httpx.AsyncClient, url: str) -> None:
    prompt = "I am away for three weeks and four days, and water my plants every day. How often is that?"
    quiet = {"budget": 0, "summary": "none"}
    events = await stream(http, url, request(prompt, max_tokens=1, reasoning=quiet, prompt_summary=True))
    summary = only(events, "prompt_summary.done")
    # The model's own words may fail the check, and then the prompt itself is the summary.
    assert (summary["written_by"], summary["text"].startswith("You ask")) in [("model", True), ("extract", False)]


async def test_ten_streams_at_once_all_complete_in_order(http: httpx.AsyncClient, url: str) -> None:
    requests = [request(f"What is {n} times {n}?", max_tokens=24, reasoning={"budget": 12}) for n in range(10)]
    streams = await asyncio.gather(*(stream(http, url, one) for one in requests))
    for events in streams:
        assert_legal(events)
        assert events[-1]["type"] == "stream.completed"


async def test_the_budget_closes_the_thinking(http: httpx.AsyncClient, url: str) -> None:
    # One token cannot be the whole end marker, whatever the model would say.
    quiet = {"budget": 1, "summary": "none"}
    events = await stream(http, url, request(max_tokens=30, reasoning=quiet, prompt_summary=False))
    done = only(events, "reasoning.done")
    assert (done["ended_by"], done["tokens"]) == ("budget", 1)
    assert only(events, "stream.completed")["usage"]["completion_tokens"] > 1


async def test_max_tokens_ends_it(http: httpx.AsyncClient, url: str) -> None:
    quiet = {"budget": 50, "summary": "none"}
    events = await stream(http, url, request(max_tokens=1, reasoning=quiet, prompt_summary=False))
    assert only(events, "reasoning.done")["ended_by"] == "truncated"
    assert only(events, "response.done")["text"] == ""
    completed = only(events, "stream.completed")
    assert (completed["finish_reason"], completed["usage"]["completion_tokens"]) == ("length", 1)


async def test_a_budget_of_0_turns_thinking_off_and_no_stop_string_is_in_the_answer(
    http: httpx.AsyncClient, url: str
) -> None:
    stop = ["e", "a", "1", ","]
    body = request("Count from 1 to 9, separated by commas.", max_tokens=40, reasoning={"budget": 0}, stop=stop)
    events = await stream(http, url, {**body, "prompt_summary": False})
    assert joined(events, "reasoning.delta") == ""
    assert only(events, "reasoning.done")["ended_by"] == "request"
    assert not set(stop) & set(only(events, "response.done")["text"])


async def test_an_answer_in_one_piece(http: httpx.AsyncClient, url: str) -> None:
    body = request(max_tokens=24, reasoning={"budget": 8, "summary": "none"}, prompt_summary=False, stream=False)
    response = await http.post(f"{url}/v1/reasoning", json=body)
    answer = response.json()
    assert response.status_code == 200
    assert answer["reasoning"]["text"].startswith(OPENING)
    assert answer["response"]


async def test_a_prompt_longer_than_the_context_is_refused_with_both_lengths(http: httpx.AsyncClient, url: str) -> None:
    response = await http.post(f"{url}/v1/reasoning", json=request("word " * 9000))
    error = response.json()["error"]
    assert (response.status_code, error["type"], error["param"]) == (400, "context_length_exceeded", "messages")
    assert "8192" in error["message"]
    assert "9" in error["message"].split()[3]


async def test_a_client_that_leaves_stops_the_engine(http: httpx.AsyncClient, url: str) -> None:
    thinking = {"budget": 2000, "summary": "none"}
    body = request("Count to 1000.", max_tokens=4000, reasoning=thinking, prompt_summary=False)
    async with stream_in_reasoning(http, url, body):
        assert await running(http, url) == 1
    await until_running(0, http, url)


def test_the_client_prints_the_four_sections_in_order(url: str) -> None:
    command = [sys.executable, "-m", "client", "--url", url, "--budget", "24", "--max-tokens", "64", QUESTION]
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

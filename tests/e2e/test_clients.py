"""Clients that people already have against the running gateway, unmodified; `make check-clients` installs them."""

import asyncio
import json
import os
import re
from collections.abc import Iterator
from typing import Any

import pytest
from openai import AsyncOpenAI

from bench.peers import ROOT, SMALL_NAME
from gateway.config import GatewaySettings
from gateway.upstream_settings import HttpUpstreamSettings
from tests.fakes.cluster import Cluster
from tests.fakes.deepseek_api import DeepSeekApi
from tests.fakes.scripted_api import ScriptedApi, in_thread

pytestmark = pytest.mark.clients

PYTHON = ROOT / ".peers" / "clients" / "bin" / "python"
NODE_HOME = ROOT / ".peers" / "npm"
CLIENTS = ROOT / "tests" / "e2e" / "clients"
TRACE = "Six times seven. That is 42."
ANSWER: list[Any] = [{"delta": {"reasoning_content": TRACE}}, "Forty", "-two."]
CALL = {
    "index": 0,
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
}
CALLING: list[Any] = [
    {"delta": {"reasoning_content": TRACE}},
    {"delta": {"tool_calls": [CALL]}},
    {"finish": "tool_calls"},
]
SUNNY = "It is sunny in Oslo."


@pytest.fixture(scope="module")
def deepseek() -> Iterator[DeepSeekApi]:
    api = DeepSeekApi()
    with in_thread(api):
        yield api


@pytest.fixture(scope="module")
def scripted(cluster: Cluster, deepseek: DeepSeekApi) -> Iterator[str]:
    """The gateway in front of APIs that do what their prompts say; one has DeepSeek's rule for tool loops."""
    from ray import serve

    import graph

    with in_thread(ScriptedApi()) as api:
        upstreams = (
            HttpUpstreamSettings(url=api.url, models=("scripted",)),
            HttpUpstreamSettings(url=deepseek.url, models=("deepseek-reasoner",)),
        )
        settings = GatewaySettings(upstream=None, http_upstreams=upstreams)
        serve.run(graph.build(settings), name="clients", route_prefix="/clients")
        yield cluster.url("/clients")
        serve.delete("clients", _blocking=False)


async def seen(*command: Any, url: str) -> dict[str, Any]:
    """Return the output of a client's program."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        url,
        json.dumps(ANSWER),
        json.dumps(CALLING),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NODE_HOME": str(NODE_HOME)},
    )
    said, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    printed: dict[str, Any] = json.loads(said.splitlines()[-1])
    return printed


@pytest.mark.parametrize(
    ("command", "routes", "chat_reasoning"),
    [
        ((PYTHON, CLIENTS / "openai_python.py"), ("responses", "chat"), TRACE),
        ((PYTHON, CLIENTS / "openai_agents.py"), ("responses", "chat"), TRACE),
        ((PYTHON, CLIENTS / "pydantic_ai_agent.py"), ("responses", "chat"), TRACE),
        ((PYTHON, CLIENTS / "langchain_chat.py"), ("responses", "chat"), ""),  # it does not read reasoning_content
        (("node", CLIENTS / "ai_sdk.mjs"), ("responses", "chat"), TRACE),
        (("node", CLIENTS / "openrouter.mjs"), ("chat",), None),  # it shows the summaries that come before the text
    ],
    ids=["openai-python", "openai-agents", "pydantic-ai", "langchain", "ai-sdk", "openrouter"],
)
async def test_a_client_shows_reasoning_and_ends_its_loops_with_tools(
    scripted: str, deepseek: DeepSeekApi, command: tuple[Any, ...], routes: tuple[str, ...], chat_reasoning: str | None
) -> None:
    deepseek.requests.clear()
    said = await seen(*command, url=scripted)
    if "responses" in routes:
        summaries = said["responses"].pop("reasoning")
        assert summaries.startswith("**Prompt**\n\n")
        assert summaries.count("**") == 4
        assert summaries.endswith("\n\n")
    if chat_reasoning is None:
        chat_reasoning = said["chat"]["reasoning"]
        assert re.fullmatch(r"(\*\*[^*]+\*\*\n\n[^*]+\n\n)*", chat_reasoning)
    expected: dict[str, Any] = {
        "responses": {"text": "Forty-two."},
        "chat": {"reasoning": chat_reasoning, "text": "Forty-two."},
        "responses_tool": [SUNNY, SUNNY],  # whole and streamed
        "chat_tool": [SUNNY, SUNNY],
    }
    assert said == {name: value for name, value in expected.items() if name.removesuffix("_tool") in routes}
    assert {turn["reasoning_content"] for turn in calling(deepseek)} == {TRACE}


def calling(api: DeepSeekApi) -> list[dict[str, Any]]:
    """Return the turns that called tools, of all conversations that the API got."""
    messages = [message for request in api.requests for message in request.body["messages"]]
    return [message for message in messages if message.get("tool_calls")]


async def test_openai_python_shows_live_summaries_and_then_the_answer_of_the_real_qwen(url: str) -> None:
    said: list[tuple[str, str]] = []
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        stream = await client.responses.create(
            model=SMALL_NAME,
            input="How many days are there in three weeks and four days?",
            reasoning={"summary": "auto", "effort": "low"},
            temperature=0,
            stream=True,
        )
        async for event in stream:
            if event.type in ("response.reasoning_summary_text.delta", "response.output_text.delta"):
                said.append((event.type, event.delta))
    kinds = [kind for kind, _ in said]
    assert kinds == sorted(kinds, key="response.output_text.delta".__eq__)
    assert "".join(text for _, text in said).startswith("**Prompt**\n\nHow many days are there")
    assert "".join(text for kind, text in said if kind == "response.output_text.delta")


async def test_the_real_qwen_begins_the_call_that_it_must_make(url: str) -> None:
    tools: Any = [
        {
            "type": "function",
            "name": "weather",
            "description": "The weather of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
            "strict": False,
        }
    ]
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        response = await client.responses.create(
            model=SMALL_NAME,
            input="What is the weather in Oslo?",
            tools=tools,
            tool_choice={"type": "function", "name": "weather"},
            reasoning={"effort": "minimal"},
            temperature=0,
        )
    call: Any = response.output[-1]
    assert (call.type, call.name) == ("function_call", "weather")

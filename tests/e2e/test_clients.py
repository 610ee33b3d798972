"""Clients that people already have against the running gateway, unmodified; `make check-clients` installs them."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from openai import AsyncOpenAI

from bench.peers import ROOT
from gateway.config import EMBEDDED_NAME, GatewaySettings, HttpUpstreamSettings
from tests.fakes.cluster import Cluster
from tests.fakes.scripted_api import ScriptedApi

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
CALLING: list[Any] = [{"delta": {"tool_calls": [CALL]}}, {"finish": "tool_calls"}]
SUNNY = "It is sunny in Oslo."


@pytest.fixture
async def scripted(cluster: Cluster) -> AsyncIterator[str]:
    """The gateway in front of an API that does what its prompt says."""
    from ray import serve

    import graph

    async with ScriptedApi() as api:
        upstream = HttpUpstreamSettings(url=api.url, models=("scripted",))
        settings = GatewaySettings(upstream=None, http_upstreams=(upstream,))
        await asyncio.to_thread(serve.run, graph.build(settings), name="clients", route_prefix="/clients")
        yield cluster.url("/clients")


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
    ("command", "chat_reasoning"),
    [
        ((PYTHON, CLIENTS / "langchain_chat.py"), ""),  # it does not read reasoning_content
        ((PYTHON, CLIENTS / "openai_agents.py"), TRACE),
        (("node", CLIENTS / "ai_sdk.mjs"), TRACE),
    ],
    ids=["langchain", "openai-agents", "ai-sdk"],
)
async def test_a_client_shows_reasoning_and_calls_tools(
    scripted: str, command: tuple[Any, ...], chat_reasoning: str
) -> None:
    said = await seen(*command, url=scripted)
    summaries = said["responses"]["reasoning"]
    assert summaries.startswith("**Prompt**\n\n")
    assert summaries.count("**") == 4
    assert summaries.endswith("\n\n")
    assert said == {
        "responses": {"reasoning": summaries, "text": "Forty-two."},
        "chat": {"reasoning": chat_reasoning, "text": "Forty-two."},
        "responses_tool": SUNNY,
        "chat_tool": SUNNY,
    }


async def test_openai_python_shows_live_summaries_and_then_the_answer_of_the_real_qwen(url: str) -> None:
    said: list[tuple[str, str]] = []
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        stream = await client.responses.create(
            model=EMBEDDED_NAME,
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
            model=EMBEDDED_NAME,
            input="What is the weather in Oslo?",
            tools=tools,
            tool_choice={"type": "function", "name": "weather"},
            reasoning={"effort": "minimal"},
            temperature=0,
        )
    call: Any = response.output[-1]
    assert (call.type, call.name) == ("function_call", "weather")

"""OpenAI's routes on Serve, asked with openai-python, in front of a scripted upstream."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI

from tests.fakes.gateway_calls import THOUGHT, running, until_running

CALL = ['<tool_call>\n{"name": "weather", "arg', 'uments": {"city": ', '"Oslo"}}\n</tool_call>']
TOOLS: Any = [{"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": False}]


@pytest.fixture
async def sdk(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        yield client


async def test_a_response_is_streamed_with_its_summaries(sdk: AsyncOpenAI) -> None:
    texts = {"summary": "", "text": ""}
    stream = await sdk.responses.create(
        model="qwen2.5-coder-1.5b-instruct",
        input=json.dumps(THOUGHT, indent=0),  # several lines: a prompt of one line would be its own summary
        reasoning={"summary": "auto"},
        stream=True,
    )
    async for event in stream:
        if event.type == "response.reasoning_summary_text.delta":
            texts["summary"] += event.delta
        if event.type == "response.output_text.delta":
            texts["text"] += event.delta
    assert texts == {
        "summary": "**Prompt**\n\nYou ask something.\n\n**A title**\n\nA text.\n\n",
        "text": "Forty-two.",
    }


async def test_a_chat_completion_is_streamed_with_its_reasoning(sdk: AsyncOpenAI) -> None:
    messages: Any = [{"role": "user", "content": json.dumps(THOUGHT)}]
    async with sdk.chat.completions.stream(model="qwen2.5-coder-1.5b-instruct", messages=messages) as stream:
        message: Any = (await stream.get_final_completion()).choices[0].message
    assert (message.reasoning_content, message.content) == ("Let me see.", "Forty-two.")


async def test_a_tool_call_in_the_models_text_is_an_item_of_the_response(sdk: AsyncOpenAI) -> None:
    asked = json.dumps(["<think>So.</think>", *CALL])
    response = await sdk.responses.create(model="qwen2.5-coder-1.5b-instruct", input=asked, tools=TOOLS)
    call: Any = response.output[-1]
    assert (call.type, call.name, call.arguments) == ("function_call", "weather", '{"city": "Oslo"}')
    assert [item.type for item in response.output] == ["reasoning", "function_call"]


async def test_a_client_that_disconnects_stops_the_generation(
    sdk: AsyncOpenAI, http: httpx.AsyncClient, url: str
) -> None:
    asked = json.dumps(["<think>So", {"hang": True}])
    stream = await sdk.responses.create(model="qwen2.5-coder-1.5b-instruct", input=asked, stream=True)
    async for event in stream:
        if event.type == "response.reasoning_text.delta":
            assert await running(http, url) == 1
            break
    await stream.close()
    await until_running(0, http, url)


async def test_without_keys_a_request_from_another_machine_is_refused(http: httpx.AsyncClient, url: str) -> None:
    answers = [
        await http.get(f"{url}/v1/models"),
        await http.get(f"{url}/v1/models", headers={"X-Forwarded-For": "10.0.0.1"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 401]

"""The OpenAI Agents SDK on both routes: `openai_agents.py URL SCRIPT TOOL_SCRIPT` prints what it saw as JSON."""

import asyncio
import json
import sys
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from openai import AsyncOpenAI
from openai.types.shared import Reasoning

url, script, tool_script = sys.argv[1:]


@function_tool
def weather(city: str) -> str:
    """The weather of a city."""
    return json.dumps([f"It is sunny in {city}."])


def agent(model: Any) -> Agent:
    settings = ModelSettings(reasoning=Reasoning(summary="auto")) if isinstance(model, OpenAIResponsesModel) else None
    return Agent(name="Agent", model=model, tools=[weather], model_settings=settings or ModelSettings())


async def streamed(model: Any) -> dict[str, str]:
    said = {"reasoning": "", "text": ""}
    run = Runner.run_streamed(agent(model), script)
    async for event in run.stream_events():
        match getattr(event.data, "type", "") if event.type == "raw_response_event" else "":
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                said["reasoning"] += event.data.delta
            case "response.output_text.delta":
                said["text"] += event.data.delta
    return said


async def tool_turns(model: Any) -> list[str]:
    whole = await Runner.run(agent(model), tool_script)
    run = Runner.run_streamed(agent(model), tool_script)
    async for _ in run.stream_events():
        pass
    return [whole.final_output, run.final_output]


async def main() -> None:
    set_tracing_disabled(True)
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        responses = OpenAIResponsesModel(model="scripted", openai_client=client)
        chat = OpenAIChatCompletionsModel(model="scripted", openai_client=client)
        seen = {
            "responses": await streamed(responses),
            "chat": await streamed(chat),
            "responses_tool": await tool_turns(OpenAIResponsesModel("deepseek-reasoner", client)),
            "chat_tool": await tool_turns(OpenAIChatCompletionsModel("deepseek-reasoner", client)),
        }
    print(json.dumps(seen))


asyncio.run(main())

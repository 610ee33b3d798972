"""pydantic-ai on both routes: `pydantic_ai_agent.py URL SCRIPT TOOL_SCRIPT` prints what it saw as JSON."""

import asyncio
import json
import sys
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import (
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
)
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

url, script, tool_script = sys.argv[1:]


def weather(city: str) -> str:
    """The weather of a city."""
    return json.dumps([f"It is sunny in {city}."])


def agent(route: type[Any], model: str, **settings: Any) -> Agent[None, str]:
    provider = OpenAIProvider(base_url=f"{url}/v1", api_key="any")
    return Agent(route(model, provider=provider, settings=settings), tools=[weather])


async def streamed(route: type[Any], **settings: Any) -> dict[str, str]:
    said = {"reasoning": "", "text": ""}
    async with agent(route, "scripted", **settings).run_stream_events(script) as events:
        async for event in events:
            match event:
                case (
                    PartStartEvent(part=ThinkingPart(content=text))
                    | PartDeltaEvent(delta=ThinkingPartDelta(content_delta=text))
                ):
                    said["reasoning"] += text or ""
                case (
                    PartStartEvent(part=TextPart(content=text))
                    | PartDeltaEvent(delta=TextPartDelta(content_delta=text))
                ):
                    said["text"] += text
    return said


async def tool_turns(route: type[Any]) -> list[str]:
    whole = await agent(route, "deepseek-reasoner").run(tool_script)
    async with agent(route, "deepseek-reasoner").run_stream(tool_script) as result:
        return [whole.output, await result.get_output()]


async def main() -> None:
    seen = {
        "responses": await streamed(OpenAIResponsesModel, openai_reasoning_summary="auto"),
        "chat": await streamed(OpenAIChatModel),
        "responses_tool": await tool_turns(OpenAIResponsesModel),
        "chat_tool": await tool_turns(OpenAIChatModel),
    }
    print(json.dumps(seen))


asyncio.run(main())

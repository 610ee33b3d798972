"""LangChain's ChatOpenAI on both routes: `langchain_chat.py URL SCRIPT TOOL_SCRIPT` prints what it saw as JSON."""

import json
import sys
from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

url, script, tool_script = sys.argv[1:]


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return json.dumps([f"It is sunny in {city}."])


def model(**options: Any) -> ChatOpenAI:
    return ChatOpenAI(model="scripted", base_url=f"{url}/v1", api_key="any", max_retries=0, **options)


def blocks(chat: ChatOpenAI) -> dict[str, str]:
    said = {"reasoning": "", "text": ""}
    for chunk in chat.stream(script):
        for block in chunk.content_blocks:
            if block["type"] in said:
                said[block["type"]] += block.get(block["type"], "")
    return said


def tool_turn(chat: ChatOpenAI) -> str:
    asked = HumanMessage(tool_script)
    called = chat.bind_tools([weather]).invoke([asked])
    results = [ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]) for call in called.tool_calls]
    return str(chat.bind_tools([weather]).invoke([asked, called, *results]).text)


responses = model(use_responses_api=True, reasoning={"summary": "auto"})
print(
    json.dumps(
        {
            "responses": blocks(responses),
            "chat": blocks(model()),
            "responses_tool": tool_turn(responses),
            "chat_tool": tool_turn(model()),
        }
    )
)

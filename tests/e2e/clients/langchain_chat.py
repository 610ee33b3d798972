"""LangChain's ChatOpenAI on both routes: `langchain_chat.py URL SCRIPT TOOL_SCRIPT` prints what it saw as JSON."""

import json
import sys
from functools import reduce
from operator import add
from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

url, script, tool_script = sys.argv[1:]


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return json.dumps([f"It is sunny in {city}."])


def model(name: str = "scripted", **options: Any) -> ChatOpenAI:
    return ChatOpenAI(model=name, base_url=f"{url}/v1", api_key="any", max_retries=0, **options)


def blocks(chat: ChatOpenAI) -> dict[str, str]:
    said = {"reasoning": "", "text": ""}
    for chunk in chat.stream(script):
        for block in chunk.content_blocks:
            if block["type"] in said:
                said[block["type"]] += block.get(block["type"], "")
    return said


def tool_turns(chat: ChatOpenAI) -> list[str]:
    bound = chat.bind_tools([weather])
    said = []
    for ask in (bound.invoke, lambda messages: reduce(add, bound.stream(messages))):
        asked = HumanMessage(tool_script)
        called: Any = ask([asked])
        results = [ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]) for call in called.tool_calls]
        said.append(str(ask([asked, called, *results]).text))
    return said


summaries: dict[str, Any] = {"use_responses_api": True, "reasoning": {"summary": "auto"}}
print(
    json.dumps(
        {
            "responses": blocks(model(**summaries)),
            "chat": blocks(model()),
            "responses_tool": tool_turns(model("deepseek-reasoner", **summaries)),
            # On chat it drops the reasoning, so that a model that needs it back cannot go on.
            "chat_tool": tool_turns(model()),
        }
    )
)

"""openai-python on both routes: `openai_python.py URL SCRIPT TOOL_SCRIPT` prints what it saw as JSON."""

import json
import sys
from typing import Any

from openai import OpenAI

url, script, tool_script = sys.argv[1:]
client = OpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0)
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "weather", "description": "The weather of a city.", "parameters": PARAMETERS}


def weather(arguments: str) -> str:
    return json.dumps([f"It is sunny in {json.loads(arguments)['city']}."])


def responses() -> dict[str, str]:
    said = {"reasoning": "", "text": ""}
    for event in client.responses.create(model="scripted", input=script, reasoning={"summary": "auto"}, stream=True):
        if event.type == "response.reasoning_summary_text.delta":
            said["reasoning"] += event.delta
        if event.type == "response.output_text.delta":
            said["text"] += event.delta
    return said


def chat() -> dict[str, str]:
    said = {"reasoning": "", "text": ""}
    messages: Any = [{"role": "user", "content": script}]
    for chunk in client.chat.completions.create(model="scripted", messages=messages, stream=True):
        for choice in chunk.choices:
            said["reasoning"] += getattr(choice.delta, "reasoning_content", "") or ""
            said["text"] += choice.delta.content or ""
    return said


def responses_tool(streamed: bool) -> str:
    """Send back the output as it came, as OpenAI's guide to function calls does."""
    conversation: list[Any] = [{"role": "user", "content": tool_script}]
    options: Any = {"tools": [{"type": "function", **TOOL}], "reasoning": {"summary": "auto"}, "store": False}
    while True:
        asked = {"model": "deepseek-reasoner", "input": conversation, **options}
        if streamed:
            with client.responses.stream(**asked) as stream:
                response: Any = stream.get_final_response()
        else:
            response = client.responses.create(**asked)
        conversation += response.output
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return str(response.output_text)
        for call in calls:
            output = weather(call.arguments)
            conversation.append({"type": "function_call_output", "call_id": call.call_id, "output": output})


def chat_tool(streamed: bool) -> str:
    """Send back the messages as they came."""
    conversation: list[Any] = [{"role": "user", "content": tool_script}]
    options: Any = {"tools": [{"type": "function", "function": TOOL}]}
    while True:
        asked = {"model": "deepseek-reasoner", "messages": conversation, **options}
        if streamed:
            with client.chat.completions.stream(**asked) as stream:
                message = stream.get_final_completion().choices[0].message
        else:
            message = client.chat.completions.create(**asked).choices[0].message
        conversation.append(message)
        if not message.tool_calls:
            return message.content or ""
        for call in message.tool_calls:
            result = weather(call.function.arguments)
            conversation.append({"role": "tool", "tool_call_id": call.id, "content": result})


print(
    json.dumps(
        {
            "responses": responses(),
            "chat": chat(),
            "responses_tool": [responses_tool(streamed) for streamed in (False, True)],
            "chat_tool": [chat_tool(streamed) for streamed in (False, True)],
        }
    )
)

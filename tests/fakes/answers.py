"""A gateway's answer, whole or streamed, in one form for its three routes, so that tests can compare them.

It reads what leaves over HTTP, and knows nothing of the gateway's own types.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import httpx
from httpx_sse import aconnect_sse

Route = Literal["native", "chat", "responses"]
PATHS: Mapping[Route, str] = {
    "native": "/v1/reasoning",
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
}


@dataclass(kw_only=True)
class Answer:
    """The answer that a client has got. `late` is reasoning behind the response; `calls` are [name, arguments].

    `error` is the error object of a refusal, whose `status` is not 200, or of a failure in mid-stream.
    """

    status: int = 200
    reasoning: str = ""
    response: str = ""
    calls: list[list[str]] = field(default_factory=list)
    late: str = ""
    error: dict[str, Any] = field(default_factory=dict)

    def reason(self, text: str) -> None:
        if self.response or self.calls:
            self.late += text
        else:
            self.reasoning += text


async def ask(http: httpx.AsyncClient, url: str, route: Route, body: Mapping[str, Any], **headers: str) -> Answer:
    """Send a request, and read its answer as `body["stream"]` says."""
    path = url + PATHS[route]
    if not body["stream"]:
        response = await http.post(path, json=body, headers=headers)
        if response.status_code != 200:
            return _refused(response)
        return _WHOLE[route](response.json())
    async with aconnect_sse(http, "POST", path, json=body, headers=headers) as source:
        if source.response.status_code != 200:
            await source.response.aread()
            return _refused(source.response)
        events = (json.loads(event.data) async for event in source.aiter_sse() if event.data != "[DONE]")
        return await _STREAMED[route](events)


def _refused(response: httpx.Response) -> Answer:
    return Answer(status=response.status_code, error=response.json()["error"])


async def _native(events: AsyncIterator[Any]) -> Answer:
    answer = Answer()
    async for event in events:
        match event["type"]:
            case "reasoning.delta":
                answer.reasoning += event["delta"]
            case "response.delta":
                answer.response += event["delta"]
            case "tool_call.done":
                answer.calls.append([event["name"], event["arguments"]])
            case "stream.completed":
                answer.late = event["late_reasoning"]
            case "stream.failed":
                answer.error = event["error"]
    return answer


def _native_whole(body: Any) -> Answer:
    calls = [[call["name"], call["arguments"]] for call in body.get("tool_calls", [])]
    return Answer(
        reasoning=body["reasoning"]["text"],
        response=body.get("response", ""),
        calls=calls,
        late=body.get("late_reasoning", ""),
        error=body.get("error") or {},
    )


async def _chat(events: AsyncIterator[Any]) -> Answer:
    answer = Answer()
    async for chunk in events:
        answer.error = chunk.get("error", answer.error)
        for delta in [choice["delta"] for choice in chunk.get("choices", [])]:
            answer.response += delta.get("content") or ""
            answer.reason(delta.get("reasoning_content") or "")
            for call in delta.get("tool_calls", []):
                if call["index"] == len(answer.calls):
                    answer.calls.append([call["function"]["name"], ""])
                answer.calls[call["index"]][1] += call["function"].get("arguments") or ""
    return answer


def _chat_whole(body: Any) -> Answer:
    """Return the message; late reasoning joins the rest, behind a blank line."""
    message = body["choices"][0]["message"]
    reasoning, _, late = (message.get("reasoning_content") or "").partition("\n\n")
    calls = [call["function"] for call in message.get("tool_calls") or []]
    return Answer(
        reasoning=reasoning,
        response=message["content"] or "",
        calls=[[call["name"], call["arguments"]] for call in calls],
        late=late,
    )


async def _responses(events: AsyncIterator[Any]) -> Answer:
    """Return what the deltas say. Asserts that the last event's response says the same."""
    answer = Answer()
    async for event in events:
        match event["type"]:
            case "response.reasoning_text.delta":
                answer.reason(event["delta"])
            case "response.output_text.delta":
                answer.response += event["delta"]
            case "response.output_item.done" if event["item"]["type"] == "function_call":
                answer.calls.append([event["item"]["name"], event["item"]["arguments"]])
            case "response.completed" | "response.incomplete" | "response.failed":
                answer.error = event["response"].get("error") or {}
                assert _responses_whole(event["response"]) == answer
    return answer


def _responses_whole(response: Any) -> Answer:
    answer = Answer(error=response.get("error") or {})
    for item in response["output"]:
        texts = "".join(part["text"] for part in item.get("content") or ())
        match item["type"]:
            case "reasoning":
                answer.reason(texts)
            case "message":
                answer.response += texts
            case "function_call":
                answer.calls.append([item["name"], item["arguments"]])
    return answer


_STREAMED: Mapping[Route, Callable[[AsyncIterator[Any]], Awaitable[Answer]]] = {
    "native": _native,
    "chat": _chat,
    "responses": _responses,
}
_WHOLE: Mapping[Route, Callable[[Any], Answer]] = {
    "native": _native_whole,
    "chat": _chat_whole,
    "responses": _responses_whole,
}

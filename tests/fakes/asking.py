"""One request to a gateway in front of an API or with the cluster's Qwen: the answer, and what its upstream is told."""

from functools import cache
from typing import Any, Literal

import httpx
from fastapi import FastAPI

from gateway.upstream import UpstreamRequest
from tests.fakes.scripted_gateway import GOOD, RecordingParser, scripted_gateway

Route = Literal["/v1/chat/completions", "/v1/reasoning", "/v1/responses"]
CHAT: Route = "/v1/chat/completions"
NATIVE: Route = "/v1/reasoning"
RESPONSES: Route = "/v1/responses"
HI = {"role": "user", "content": "Say hi."}
API = {"url": "http://127.0.0.1:1/v1", "models": ["m"]}
HEADER = "x-gateway-ignored"


@cache
def gateway(**api: tuple[str, ...]) -> tuple[RecordingParser, FastAPI]:
    """Return a gateway in front of an API, made once for all tests."""
    parser = RecordingParser(*GOOD)
    return parser, scripted_gateway(parser, upstream=None, http_upstreams=[{**API, **api}])


@cache
def gateway_with_the_qwen() -> tuple[RecordingParser, FastAPI]:
    parser = RecordingParser(*GOOD)
    return parser, scripted_gateway(parser)


async def ask(route: Route, body: dict[str, Any], **api: tuple[str, ...]) -> tuple[Any, Any]:
    """Return the answer of a gateway in front of an API, and what the API is told."""
    parser, app = gateway(**api)
    answer = await _post(app, route, body)
    return answer, parser.request.chat


async def ask_the_qwen(route: Route, body: dict[str, Any]) -> tuple[Any, UpstreamRequest]:
    parser, app = gateway_with_the_qwen()
    answer = await _post(app, route, body)
    return answer, parser.request


async def _post(app: FastAPI, route: Route, body: dict[str, Any]) -> httpx.Response:
    question = {"input": "Say hi."} if route == RESPONSES else {"messages": [HI], "stream": False}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        return await client.post(route, json={**question, **body})

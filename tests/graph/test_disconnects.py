"""Clients that disconnect before they have an answer that is not streamed: their generation is stopped."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.fakes.gateway_calls import until_running

HANGING = json.dumps(["<think>So", {"hang": True}])
CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": HANGING}]}


@pytest.mark.parametrize(
    ("route", "body"), [("reasoning", CHAT), ("chat/completions", CHAT), ("responses", {"input": HANGING})]
)
async def test_a_client_that_disconnects_from_an_answer_stops_the_generation(
    http: httpx.AsyncClient, url: str, route: str, body: dict[str, Any]
) -> None:
    request = asyncio.create_task(http.post(f"{url}/v1/{route}", json={**body, "stream": False}))
    await until_running(1, http, url)
    request.cancel()
    await until_running(0, http, url)

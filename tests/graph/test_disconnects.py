"""Clients that leave before they have an answer, on real Serve: the generation behind each of them stops."""

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

HANGING = json.dumps(["<think>So", {"hang": True}])
CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": HANGING}]}
ROUTES: list[tuple[str, dict[str, Any]]] = [
    ("reasoning", CHAT),
    ("chat/completions", CHAT),
    ("responses", {"input": HANGING}),
]


async def until_running(count: int, http: httpx.AsyncClient, url: str, seconds: float) -> None:
    begun = time.monotonic()
    while (await http.get(f"{url}/health")).json()["running"] != count:
        assert time.monotonic() - begun < seconds


@pytest.mark.parametrize(("route", "body"), ROUTES)
async def test_a_client_that_leaves_a_whole_answer_stops_the_generation_within_a_second(
    http: httpx.AsyncClient, url: str, route: str, body: dict[str, Any]
) -> None:
    asking = asyncio.create_task(http.post(f"{url}/v1/{route}", json={**body, "stream": False}))
    await until_running(1, http, url, seconds=10)
    asking.cancel()
    await until_running(0, http, url, seconds=1)

"""Requests to a gateway whose logs and traces the test reads."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.collector import Collector
from tests.fakes.gateway_calls import body

SECRET = "rosebud"
"""A word in every prompt, reasoning, summary and response of this gateway, which no log and no trace may contain."""


@dataclass(frozen=True)
class ObservedGateway:
    """Its URL, the folder of its logs, and the collector of its spans."""

    url: str
    logs: Path
    collector: Collector


async def ask(http: httpx.AsyncClient, url: str, *script: Any, id: str | None = None) -> str:
    """Read a stream to its end, or to its first reasoning if the script hangs. Return its request id."""
    headers = {"X-Request-Id": id} if id else {}
    request = body(f"<think>Say {SECRET}.", *script)
    async with http.stream("POST", f"{url}/v1/reasoning", json=request, headers=headers) as response:
        async for chunk in response.aiter_bytes():
            if {"hang": True} in script and b"reasoning.delta" in chunk:
                break
        (request_id,) = response.headers.get_list("x-request-id")
    return str(request_id)

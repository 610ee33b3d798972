"""A well-behaved client whose right answers are known: how late it gets them, and how long `/health` takes.

Its streams come from `bench.load.upstream`, which writes the time into each delta.
"""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from bench.hostile.clients import ROUTES, asked
from bench.load.figures import Recording
from bench.load.loads import MODEL, Script
from bench.load.stamps import Received, now
from bench.load.upstream import response_text

SCRIPT = Script(deltas=40, pace=20)
EVERY = 1.0
"""Seconds between two streams, and between two questions to /health."""
PATIENCE = 30.0
LAST = {ROUTES[0]: b'"stream.completed"', ROUTES[1]: b"[DONE]", ROUTES[2]: b'"response.completed"'}
_STAMP = re.compile("~[ra][0-9a-f]{8}")


@dataclass(slots=True)
class Watched:
    """Seconds by which each whole stream was late, and that `/health` took; failures of both, by reason."""

    late: list[float] = field(default_factory=list)
    failed: Counter[str] = field(default_factory=Counter)
    health: list[float] = field(default_factory=list)
    unhealthy: Counter[str] = field(default_factory=Counter)


async def watch(port: int, seconds: float, watched: Watched, tell: Callable[[], None] = lambda: None) -> None:
    """Begin a stream every second on one route after the other and ask for /health, and wait for all to end.

    `tell` is called every second.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with (
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, limits=limits, trust_env=False
        ) as client,
        asyncio.TaskGroup() as tasks,
    ):
        began = time.monotonic()
        for number in range(max(1, round(seconds / EVERY))):
            await asyncio.sleep(began + number * EVERY - time.monotonic())
            tasks.create_task(_stream(client, ROUTES[number % len(ROUTES)], watched))
            tasks.create_task(_health(client, watched))
            tell()


async def _stream(client: httpx.AsyncClient, route: str, watched: Watched) -> None:
    path, body = asked(route, MODEL, SCRIPT.prompt())
    recording = Recording(now())
    try:
        async with asyncio.timeout(PATIENCE), client.stream("POST", path, content=body) as response:
            async for chunk in response.aiter_raw():
                recording.arrived.append(now())
                recording.chunks.append(chunk)
    except (httpx.HTTPError, TimeoutError) as error:
        watched.failed[type(error).__name__] += 1
        return
    problem = f"status {response.status_code}" if response.status_code != 200 else problem_of(route, recording)
    if problem:
        watched.failed[problem] += 1
    else:
        watched.late.append(lateness(recording) / 1e6)


def problem_of(route: str, recording: Recording) -> str:
    """Return why an answer is not the right one; empty if it is."""
    received = Received(recording.arrived, recording.chunks)
    if LAST[route] not in received.body:
        return "no last event"
    if sum(1 for _ in received.deltas()) != SCRIPT.deltas:
        return "deltas are missing"
    return "" if answer(received.body).split() == response_text(SCRIPT).split() else "another answer"


def lateness(recording: Recording) -> int:
    """Return the microseconds by which a whole stream was late at most.

    That is the latency of a delta, the time before the upstream was asked, or the time of the end after its last delta.
    """
    deltas = list(Received(recording.arrived, recording.chunks).deltas())
    asked_after = deltas[0].arrived - deltas[0].latency - recording.began - round(1e6 / SCRIPT.pace)
    ended_after = recording.arrived[-1] - (deltas[-1].arrived - deltas[-1].latency)
    return max(asked_after, ended_after, *(delta.latency for delta in deltas))


def answer(body: bytes) -> str:
    """Return the response in the events of any route, without its stamps."""
    events = [line[6:] for line in body.decode().split("\n") if line.startswith("data: {")]
    return _STAMP.sub("", "".join(_response(json.loads(event)) for event in events))


def _response(event: Any) -> str:
    match event:
        case {"type": "response.delta" | "response.output_text.delta", "delta": str(text)}:
            return text
        case {"choices": [{"delta": {"content": str(text)}}]}:
            return text
    return ""


async def _health(client: httpx.AsyncClient, watched: Watched) -> None:
    began = time.monotonic()
    try:
        status = (await client.get("/health")).status_code
    except httpx.HTTPError as error:
        watched.unhealthy[type(error).__name__] += 1
    else:
        if status != 200:
            watched.unhealthy[f"status {status}"] += 1
    watched.health.append(time.monotonic() - began)

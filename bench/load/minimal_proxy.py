"""The simplest proxy that a user would write: FastAPI, httpx and a parser for <think> tags, in one process.

    UPSTREAM_URL=http://127.0.0.1:8010/v1 .venv/bin/python -m uvicorn bench.load.minimal_proxy:app

It streams the reasoning as `reasoning_content` and the response as `content`. It has no summaries, limits, deadlines or
keys, and does not handle an upstream that fails.
"""

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

START, END = "<think>", "</think>"


@asynccontextmanager
async def client(app: FastAPI) -> AsyncIterator[None]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=os.environ["UPSTREAM_URL"], timeout=None, limits=limits) as upstream:
        app.state.upstream = upstream
        yield


app = FastAPI(lifespan=client)


class TagParser:
    """Splits text into fields of a delta. Keeps back what may be the beginning of a tag, until it is known."""

    def __init__(self) -> None:
        self._waiting, self._field, self._tag = "", "content", START

    def feed(self, text: str) -> Iterator[tuple[str, str]]:
        self._waiting += text
        while self._tag in self._waiting:
            before, _, self._waiting = self._waiting.partition(self._tag)
            if before:
                yield self._field, before
            self._field, self._tag = ("reasoning_content", END) if self._tag == START else ("content", START)
        held = next((n for n in range(len(self._tag) - 1, 0, -1) if self._waiting.endswith(self._tag[:n])), 0)
        ready, self._waiting = self._waiting[: len(self._waiting) - held], self._waiting[len(self._waiting) - held :]
        if ready:
            yield self._field, ready


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1/chat/completions")
async def chat_completions(request: Request) -> StreamingResponse:
    return StreamingResponse(answer(await request.json()), media_type="text/event-stream")


async def answer(body: dict[str, Any]) -> AsyncIterator[str]:
    parser = TagParser()
    async with app.state.upstream.stream("POST", "/chat/completions", json=body) as response:
        async for line in response.aiter_lines():
            if not line.startswith("data: "):
                continue
            if line == "data: [DONE]":
                yield "data: [DONE]\n\n"
                return
            chunk = json.loads(line.removeprefix("data: "))
            choice = chunk["choices"][0]
            for field, text in parser.feed(choice["delta"].pop("content", "")):
                yield event(chunk, choice, {field: text})
            if choice["delta"] or choice["finish_reason"]:
                yield event(chunk, choice, choice["delta"])


def event(chunk: dict[str, Any], choice: dict[str, Any], delta: dict[str, str]) -> str:
    return f"data: {json.dumps({**chunk, 'choices': [{**choice, 'delta': delta}]})}\n\n"

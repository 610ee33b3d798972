"""What Serve's logs say of streams, as JSON, and the request id that leads to them; no text of a stream is there."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.graph.conftest import SECRET, Observed
from tests.graph.test_graph import body

LOOKS = 60


@pytest.fixture
def url(observed: Observed) -> str:
    return observed.url


@pytest.fixture
def logs(observed: Observed) -> Path:
    return observed.logs


async def ask(http: httpx.AsyncClient, url: str, *script: Any, id: str | None = None) -> str:
    """The request id of an answer that is read to its end, or to its first reasoning where the script hangs."""
    headers = {"X-Request-Id": id} if id else {}
    asked = body(f"<think>Say {SECRET}.", *script)
    async with http.stream("POST", f"{url}/v1/reasoning", json=asked, headers=headers) as response:
        async for chunk in response.aiter_bytes():
            if {"hang": True} in script and b"reasoning.delta" in chunk:
                break
        (answered,) = response.headers.get_list("x-request-id")
    return str(answered)


def texts(logs: Path) -> list[str]:
    return [file.read_text("utf-8") for file in logs.glob("*.log")]


async def stream_lines(logs: Path, ids: set[str]) -> dict[str, dict[str, Any]]:
    """The lines of these requests' streams, by request id, once they are all there."""
    for _ in range(LOOKS):
        lines = [json.loads(line) for text in texts(logs) for line in text.splitlines()]
        ended = [line for line in lines if "outcome" in line and line["request_id"] in ids]
        if len(ended) >= len(ids):
            break
        await asyncio.sleep(0.5)
    assert sorted(line["request_id"] for line in ended) == sorted(ids)
    return {line["request_id"]: line for line in ended}


async def test_one_line_a_stream_and_no_text_of_it(http: httpx.AsyncClient, url: str, logs: Path) -> None:
    whole = await ask(http, url, f"</think>{SECRET}", id="whole-1")
    failed = await ask(http, url, {"fail": "it broke"}, id="failed-1")
    cancelled = await ask(http, url, {"hang": True}, id="cancelled-1")
    assert (whole, failed, cancelled) == ("whole-1", "failed-1", "cancelled-1")
    lines = await stream_lines(logs, {whole, failed, cancelled})
    said = {id: (line["outcome"], line["stage"]) for id, line in lines.items()}
    assert said == {whole: ("completed", ""), failed: ("failed", "upstream"), cancelled: ("cancelled", "")}
    for line in lines.values():
        assert (line["model"], line["upstream"]) == ("qwen2.5-coder-0.5b-instruct", "qwen")
        assert line["stream"].startswith("rsn-")
        assert line["seconds"] > 0
    written = texts(logs)
    assert len(written) == 4  # the ingress, the parser, the summarizer and the upstream
    assert not [text for text in written if SECRET in text]


async def test_a_request_without_an_id_is_given_one(http: httpx.AsyncClient, url: str, logs: Path) -> None:
    ids = {await ask(http, url, f"</think>{SECRET}"), await ask(http, url, f"</think>{SECRET}")}
    assert len(ids) == 2
    await stream_lines(logs, ids)


async def test_a_refusal_carries_the_id_too(http: httpx.AsyncClient, url: str) -> None:
    refused = await http.post(f"{url}/v1/reasoning", json={"messages": SECRET}, headers={"X-Request-Id": "refused-1"})
    assert (refused.status_code, refused.headers["x-request-id"]) == (400, "refused-1")

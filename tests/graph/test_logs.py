"""Serve's logs of streams, as JSON: one line a stream, its request id, and no text of any stream."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.observed_gateway import SECRET, ObservedGateway, ask
from tests.fakes.polling import last_read


@pytest.fixture
def url(observed: ObservedGateway) -> str:
    return observed.url


@pytest.fixture
def logs(observed: ObservedGateway) -> Path:
    return observed.logs


def texts(logs: Path) -> list[str]:
    return [file.read_text("utf-8") for file in logs.glob("*.log")]


async def stream_lines(logs: Path, ids: set[str]) -> dict[str, dict[str, Any]]:
    """Return the lines of these requests' streams by request id, once there is one for each request."""

    async def ended() -> list[dict[str, Any]]:
        lines = [json.loads(line) for text in texts(logs) for line in text.splitlines()]
        return [line for line in lines if "outcome" in line and line["request_id"] in ids]

    lines = await last_read(ended, lambda found: len(found) >= len(ids))
    assert sorted(line["request_id"] for line in lines) == sorted(ids)
    return {line["request_id"]: line for line in lines}


async def test_a_stream_is_logged_in_one_line_without_its_text(http: httpx.AsyncClient, url: str, logs: Path) -> None:
    whole = await ask(http, url, f"</think>{SECRET}", id="whole-1")
    failed = await ask(http, url, {"fail": "it broke"}, id="failed-1")
    cancelled = await ask(http, url, {"hang": True}, id="cancelled-1")
    assert (whole, failed, cancelled) == ("whole-1", "failed-1", "cancelled-1")
    lines = await stream_lines(logs, {whole, failed, cancelled})
    outcomes = {id: (line["outcome"], line["stage"]) for id, line in lines.items()}
    assert outcomes == {whole: ("completed", ""), failed: ("failed", "upstream"), cancelled: ("cancelled", "")}
    for line in lines.values():
        assert (line["model"], line["upstream"]) == ("qwen2.5-coder-1.5b-instruct", "qwen")
        assert line["stream"].startswith("rsn-")
        assert line["seconds"] > 0
    written = texts(logs)
    assert len(written) == 4  # the ingress, the parser, the summarizer and the upstream
    assert not [text for text in written if SECRET in text]


async def test_a_request_without_an_id_is_given_one(http: httpx.AsyncClient, url: str, logs: Path) -> None:
    ids = {await ask(http, url, f"</think>{SECRET}"), await ask(http, url, f"</think>{SECRET}")}
    assert len(ids) == 2
    await stream_lines(logs, ids)


async def test_a_refusal_carries_the_request_id(http: httpx.AsyncClient, url: str) -> None:
    refused = await http.post(f"{url}/v1/reasoning", json={"messages": SECRET}, headers={"X-Request-Id": "refused-1"})
    assert (refused.status_code, refused.headers["x-request-id"]) == (400, "refused-1")

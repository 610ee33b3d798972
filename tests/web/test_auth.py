"""The door: keys, streams a key, and pages of other origins, in front of a real application."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.responses import Response

from gateway.config import AccessSettings
from web.application import EventStream, application
from web.auth import guard

HASH = hashlib.sha256(b"secret").hexdigest()
SECRET = {"Authorization": "Bearer secret"}
ELSEWHERE = ("10.0.0.1", 1)


class Stage:
    def __init__(self) -> None:
        self.asked, self.go = asyncio.Event(), asyncio.Event()

    async def answer(self) -> dict[str, str]:
        self.asked.set()
        await self.go.wait()
        return {"status": "ok"}

    async def stream(self) -> Response:
        return EventStream(self._pieces())

    async def _pieces(self) -> AsyncGenerator[bytes]:
        yield b"a"
        yield str(await self.answer()).encode()

    async def look(self) -> dict[str, str]:
        return {"status": "ok"}


@asynccontextmanager
async def http(
    stage: Stage | None = None, client: tuple[str, int] = ELSEWHERE, streams: int = 9, **access: Any
) -> AsyncIterator[httpx.AsyncClient]:
    app = application("Guarded")
    stage = stage or Stage()
    app.post("/v1/ask")(stage.answer)
    app.post("/v1/stream")(stage.stream)
    app.get("/v1/models")(stage.look)
    app.get("/health")(stage.look)
    guard(app, AccessSettings(**access), streams)
    transport = httpx.ASGITransport(app, client=client)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as asking:
        yield asking


@pytest.fixture
def keys_file(tmp_path: Path) -> str:
    path = tmp_path / "keys"
    path.write_text(f"{HASH}  laptop\n")
    return str(path)


async def test_a_key_from_a_file_opens_and_no_other(keys_file: str) -> None:
    async with http(keys_file=keys_file) as client:
        let_in = await client.get("/v1/models", headers=SECRET)
        refused = await client.get("/v1/models", headers={"Authorization": "Bearer guess"})
    assert (let_in.status_code, refused.status_code) == (200, 401)
    assert refused.headers["www-authenticate"] == "Bearer"
    error = refused.json()["error"]
    assert (sorted(error), error["code"]) == (["code", "message", "param", "type"], "invalid_api_key")
    assert "guess" not in refused.text


async def test_a_key_from_the_environment_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEYS", HASH)
    async with http(keys_env="GATEWAY_KEYS") as client:
        answers = [await client.get("/v1/models", headers=SECRET), await client.get("/v1/models")]
    assert [answer.status_code for answer in answers] == [200, 401]


async def test_keys_that_are_named_and_not_there_let_nobody_start() -> None:
    with pytest.raises(ValueError, match="no key in it"):
        async with http(keys_env="GATEWAY_KEYS_THAT_ARE_NOT_SET"):
            pass


@pytest.mark.parametrize(
    ("client", "headers", "anonymous", "status"),
    [
        (("127.0.0.1", 1), {}, False, 200),
        (ELSEWHERE, {}, False, 401),
        (ELSEWHERE, {}, True, 200),
        (("127.0.0.1", 1), {"X-Forwarded-For": "10.0.0.1"}, False, 401),
        (("127.0.0.1", 1), {"Forwarded": "for=10.0.0.1"}, False, 401),
    ],
)
async def test_without_keys_only_this_machine_asks(
    client: tuple[str, int], headers: dict[str, str], anonymous: bool, status: int
) -> None:
    async with http(client=client, allow_anonymous=anonymous) as asking:
        assert (await asking.get("/v1/models", headers=headers)).status_code == status


@pytest.mark.parametrize(
    ("listens", "client", "status"),
    [("127.0.0.1", "127.0.0.1", 200), ("127.0.0.1", "10.0.0.1", 401), ("0.0.0.0", "127.0.0.1", 401), ("", "::1", 401)],
)
async def test_behind_serves_own_haproxy_local_means_that_it_listens_here_alone(
    monkeypatch: pytest.MonkeyPatch, listens: str, client: str, status: int
) -> None:
    monkeypatch.setenv("RAY_SERVE_ENABLE_HA_PROXY", "1")
    monkeypatch.setattr("web.auth._http_host", lambda: listens)
    async with http(client=(client, 1)) as asking:
        assert (await asking.get("/v1/models")).status_code == status


async def test_health_needs_no_key(keys_file: str) -> None:
    async with http(keys_file=keys_file) as client:
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/stream"])
async def test_a_key_has_so_many_streams_and_others_have_theirs(path: str) -> None:
    stage = Stage()
    async with http(stage, allow_anonymous=True, streams=1) as client:
        running = asyncio.create_task(client.post(path))
        await stage.asked.wait()
        refused = await client.post(path)
        looked = await client.get("/v1/models")
        stage.go.set()
        answered = [await running, await client.post(path)]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert [answer.status_code for answer in (looked, *answered)] == [200, 200, 200]


PREFLIGHT = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}


async def test_pages_of_other_origins_may_not_ask_unless_configured(keys_file: str) -> None:
    async with http(keys_file=keys_file) as client:
        closed = await client.options("/v1/ask", headers=PREFLIGHT)
    async with http(keys_file=keys_file, cors_origins=("https://page.example",)) as client:
        opened = await client.options("/v1/ask", headers=PREFLIGHT)
        refused = await client.get("/v1/models", headers={"Origin": "https://page.example"})
    assert (closed.status_code, "access-control-allow-origin" in closed.headers) == (401, False)
    assert (opened.status_code, opened.headers["access-control-allow-origin"]) == (200, "https://page.example")
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://page.example")

"""Access control in front of an application: keys, concurrent streams of a key, and pages of other origins."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import Response

from gateway.config import AccessSettings
from gateway.keys import ConcurrencyLimiter
from tests.fakes.web_server import served
from web.application import EventStream, application
from web.auth import add_access_control

HASH = hashlib.sha256(b"secret").hexdigest()
SECRET = {"Authorization": "Bearer secret"}
HERE, ELSEWHERE = "127.0.0.1", "10.0.0.1"


class Routes:
    """Routes that set `begun` and wait for `rest`."""

    def __init__(self) -> None:
        self.begun, self.rest = asyncio.Event(), asyncio.Event()

    def app(self, streams: int = 9, in_all: int = 9, clients_are_hidden: bool = False, **access: Any) -> FastAPI:
        app = application("Guarded")
        app.post("/v1/ask")(self.ask)
        app.post("/v1/stream")(self.stream)
        app.get("/v1/models")(self.look)
        app.get("/health")(self.look)
        limiter = ConcurrencyLimiter(streams, in_all)
        add_access_control(app, AccessSettings(**access), limiter, clients_are_hidden=clients_are_hidden)
        return app

    async def ask(self) -> dict[str, str]:
        self.begun.set()
        await self.rest.wait()
        return {"status": "ok"}

    async def stream(self) -> Response:
        return EventStream(self._chunks())

    async def _chunks(self) -> AsyncGenerator[bytes]:
        yield b"a"
        yield str(await self.ask()).encode()

    async def look(self) -> dict[str, str]:
        return {"status": "ok"}


@asynccontextmanager
async def http(
    routes: Routes | None = None, address: str = ELSEWHERE, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client at `address` of an application with access control; `options` are those of `Routes.app`."""
    transport = httpx.ASGITransport((routes or Routes()).app(**options), client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def keys_file(tmp_path: Path) -> str:
    path = tmp_path / "keys"
    path.write_text(f"{HASH}  laptop\n")
    return str(path)


async def test_a_key_from_a_file_is_admitted_and_no_other(keys_file: str) -> None:
    async with http(keys_file=keys_file) as client:
        admitted = await client.get("/v1/models", headers=SECRET)
        refused = await client.get("/v1/models", headers={"Authorization": "Bearer guess"})
    assert (admitted.status_code, refused.status_code) == (200, 401)
    assert refused.headers["www-authenticate"] == "Bearer"
    error = refused.json()["error"]
    assert (sorted(error), error["code"]) == (["code", "message", "param", "type"], "invalid_api_key")
    assert "guess" not in refused.text


async def test_a_key_from_the_environment_is_admitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_KEYS", HASH)
    async with http(keys_env="GATEWAY_KEYS") as client:
        answers = [await client.get("/v1/models", headers=SECRET), await client.get("/v1/models")]
    assert [answer.status_code for answer in answers] == [200, 401]


async def test_configured_keys_that_are_missing_prevent_the_start() -> None:
    with pytest.raises(ValueError, match="no key in it"):
        async with http(keys_env="GATEWAY_KEYS_THAT_ARE_NOT_SET"):
            pass


@pytest.mark.parametrize(
    ("address", "headers", "anonymous", "status"),
    [
        (HERE, {}, False, 200),
        (ELSEWHERE, {}, False, 401),
        (ELSEWHERE, {}, True, 200),
        (HERE, {"X-Forwarded-For": "10.0.0.1"}, False, 401),
        (HERE, {"Forwarded": "for=10.0.0.1"}, False, 401),
    ],
)
async def test_without_keys_only_clients_on_this_machine_are_admitted(
    address: str, headers: dict[str, str], anonymous: bool, status: int
) -> None:
    async with http(address=address, allow_anonymous=anonymous) as client:
        assert (await client.get("/v1/models", headers=headers)).status_code == status


@pytest.mark.parametrize("address", [HERE, "::1", ELSEWHERE])
async def test_without_keys_no_client_is_admitted_if_clients_are_hidden(address: str) -> None:
    async with http(address=address, clients_are_hidden=True) as client:
        assert (await client.get("/v1/models")).status_code == 401


async def test_health_needs_no_key(keys_file: str) -> None:
    async with http(keys_file=keys_file) as client:
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/stream"])
async def test_a_client_has_no_more_streams_at_once_than_the_limit(path: str) -> None:
    routes = Routes()
    async with http(routes, allow_anonymous=True, streams=1) as client:
        running = asyncio.create_task(client.post(path))
        await routes.begun.wait()
        refused = await client.post(path)
        looked = await client.get("/v1/models")
        routes.rest.set()
        answered = [await running, await client.post(path)]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "2")
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert [answer.status_code for answer in (looked, *answered)] == [200, 200, 200]


async def test_a_full_replica_refuses_streams_at_once_and_answers_everything_else(keys_file: str) -> None:
    routes = Routes()
    async with http(routes, in_all=1, keys_file=keys_file) as client:
        running = asyncio.create_task(client.post("/v1/ask", headers=SECRET))
        await routes.begun.wait()
        refused = await client.post("/v1/ask", headers=SECRET)
        looked = [await client.get(path, headers=SECRET) for path in ("/v1/models", "/health")]
        unknown = await client.post("/v1/ask")
        routes.rest.set()
        answered = [await running, await client.post("/v1/ask", headers=SECRET)]
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    message = "the gateway has as many streams as it takes; try again shortly"
    assert refused.json()["error"] == {"message": message, "type": "overloaded", "param": None, "code": "overloaded"}
    assert [answer.status_code for answer in (*looked, unknown, *answered)] == [200, 200, 401, 200, 200]


async def test_a_stream_counts_until_it_ends_and_no_longer_once_its_client_has_disconnected() -> None:
    routes = Routes()
    app = routes.app(streams=1)
    ended = asyncio.Event()

    async def recording(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        ended.set()

    async with served(recording) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        async with client.stream("POST", "/v1/stream") as stream:
            await anext(stream.aiter_bytes())
            refused = await client.post("/v1/stream")
            ended.clear()
        await ended.wait()
        routes.rest.set()
        answered = await client.post("/v1/stream")
    assert [refused.status_code, answered.status_code] == [429, 200]


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

"""The page over HTTP: its files and their headers, who may have them, and the route that renders Markdown."""

import gzip
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from gateway.config import AccessSettings
from gateway.keys import ConcurrencyLimiter
from tests.fakes.scripted_gateway import GOOD, scripted_gateway
from tests.fakes.session import ScriptedParser
from web.application import application
from web.auth import add_access_control
from web.page.assets import SECURITY, STATIC, Assets
from web.page.renderer import RenderProcess
from web.page.routes import RENDER_BYTES, add_page

KEY = "secret"
KEYS = hashlib.sha256(KEY.encode()).hexdigest()
SIGNED_IN = {"Authorization": f"Bearer {KEY}"}
VERSION = Assets().version
STYLE = f"/page/{VERSION}/page.css"


@pytest.fixture(scope="module")
def renderer() -> Iterator[RenderProcess]:
    process = RenderProcess()
    yield process
    process.close()


@asynccontextmanager
async def page(renderer: RenderProcess, **access: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = application("Page")
    add_page(app, renderer)
    limiter = ConcurrencyLimiter(9, in_all=9)
    add_access_control(app, AccessSettings(**access), limiter, clients_are_hidden=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


async def test_the_page_names_its_version_and_is_asked_for_again(renderer: RenderProcess) -> None:
    async with page(renderer) as client:
        answer = await client.get("/")
        again = await client.get("/", headers={"If-None-Match": answer.headers["etag"]})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.headers["cache-control"] == "no-cache"
    assert f'"page/{VERSION}/page.css"' in answer.text
    assert (again.status_code, again.content) == (304, b"")


async def test_a_file_is_kept_for_ever_below_its_version_only(renderer: RenderProcess) -> None:
    async with page(renderer) as client:
        answers = [await client.get(f"/page/{version}/page.css") for version in (VERSION, "0123456789abcdef")]
    caching = ["public, max-age=31536000, immutable", "no-cache"]
    assert [(answer.status_code, answer.headers["cache-control"]) for answer in answers] == [(200, c) for c in caching]
    assert {answer.content for answer in answers} == {(STATIC / "page.css").read_bytes()}


async def test_files_are_compressed_for_those_who_take_it(renderer: RenderProcess) -> None:
    async with page(renderer) as client:
        plain = await client.get(STYLE, headers={"Accept-Encoding": "identity"})
        async with client.stream("GET", STYLE, headers={"Accept-Encoding": "br, gzip"}) as answer:
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert (plain.headers.get("content-encoding"), answer.headers["content-encoding"]) == (None, "gzip")
    assert plain.headers["vary"] == answer.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw) == plain.content
    assert len(raw) < len(plain.content)


@pytest.mark.parametrize("path", ["/", STYLE])
async def test_every_file_has_the_headers_of_security(renderer: RenderProcess, path: str) -> None:
    async with page(renderer) as client:
        answer = await client.get(path)
    assert {name: answer.headers[name] for name in SECURITY} == SECURITY
    assert "unsafe" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize("name", ["nothing.js", "..%2froutes.py", "%2e%2e/routes.py", ""])
async def test_nothing_else_is_a_file(renderer: RenderProcess, name: str) -> None:
    async with page(renderer) as client:
        answer = await client.get(f"/page/{VERSION}/{name}")
    assert answer.status_code == 404


def test_the_page_has_nothing_inline_and_nothing_from_elsewhere() -> None:
    for path in STATIC.rglob("*.*"):
        text = path.read_text("utf-8")
        assert re.findall(r"(?:src|href|url|import|from|fetch)[=(\s]+[\"']?(?:https?:)?//[^\"')\s]+", text) == []
        if path.suffix == ".html":
            assert re.findall(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", text) == []


async def test_with_keys_the_page_is_for_everybody_and_its_requests_are_not(
    renderer: RenderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGE_KEYS", KEYS)
    async with page(renderer, keys_env="PAGE_KEYS") as client:
        answers = [
            await client.get("/"),
            await client.get(STYLE),
            await client.head("/"),
            await client.get("/v1/models"),
            await client.post("/page/render", content="a"),
            await client.post("/page/render", content="a", headers=SIGNED_IN),
            await client.post("/", content="a"),
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 401, 401, 200, 401]


async def test_without_keys_the_page_is_for_this_machine(renderer: RenderProcess) -> None:
    async with page(renderer) as client:
        answers = [
            await client.get("/", headers=headers)
            for headers in ({}, {"Host": "page.example"}, {"X-Forwarded-For": "10.0.0.1"})
        ]
    assert [answer.status_code for answer in answers] == [200, 403, 401]


async def test_markdown_is_rendered(renderer: RenderProcess) -> None:
    async with page(renderer) as client:
        answer = await client.post("/page/render", content="# é\n\n<b>".encode())
        broken = await client.post("/page/render", content=b"\xff")
        large = await client.post("/page/render", content=b"a" * (RENDER_BYTES + 1))
    assert answer.json() == [{"start": 0, "html": "<h1>é</h1>\n"}, {"start": 2, "html": "<p>&lt;b&gt;</p>\n"}]
    assert broken.json() == [{"start": 0, "html": "<p>\ufffd</p>\n"}]
    assert large.status_code == 413


@pytest.mark.parametrize(("setting", "status"), [({}, 200), ({"page": True}, 200), ({"page": False}, 404)])
async def test_a_setting_leaves_the_page_out(setting: dict[str, bool], status: int) -> None:
    transport = httpx.ASGITransport(scripted_gateway(ScriptedParser(*GOOD), **setting))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        answers = [await client.get("/"), await client.get(STYLE)]
    assert [answer.status_code for answer in answers] == [status, status]

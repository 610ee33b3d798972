"""The models that are listed, a single one, and HEAD and wrong methods of all routes, over a real socket."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

from tests.fakes.scripted_gateway import MODEL, scripted_gateway, sdk
from tests.fakes.session import ScriptedParser
from tests.fakes.web_server import served

API: dict[str, Any] = {"url": "http://127.0.0.1:1/v1", "models": ["Qwen/Qwen3-8B", "accounts/a b/models/ü:free"]}
NAMES = [MODEL, *API["models"]]


pytestmark = pytest.mark.asyncio(loop_scope="module")  # one server for all tests: each takes 0.1 s to stop


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = scripted_gateway(ScriptedParser(), http_upstreams=[API])

    async def health() -> dict[str, str]:
        return {"status": "ok"}

    app.get("/health")(health)
    async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield client


async def test_the_sdk_lists_the_models_and_retrieves_each() -> None:
    async with sdk(http_upstreams=[API]) as client:
        listed = [model async for model in client.models.list()]
        assert [model.id for model in listed] == NAMES
        assert [await client.models.retrieve(name) for name in NAMES] == listed


@pytest.mark.parametrize("path", ["Qwen/Qwen3-8B", "Qwen%2FQwen3-8B", MODEL])
async def test_a_model_is_found_by_its_id(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/v1/models/{path}")
    assert (answer.status_code, answer.json()["object"]) == (200, "model")
    assert answer.json() in (await client.get("/v1/models")).json()["data"]


@pytest.mark.parametrize("name", ["gpt-9", "Qwen", "Qwen/Qwen3-8B/", "qwen/qwen3-8b", "a/b/c"])
async def test_an_unknown_model_is_not_found(name: str) -> None:
    async with sdk(http_upstreams=[API]) as client:
        with pytest.raises(openai.NotFoundError) as raised:
            await client.models.retrieve(name)
    assert raised.value.body == {
        "message": f"no model {name!r} here; GET /v1/models lists them",
        "type": "model_not_found",
        "param": "model",
        "code": "model_not_found",
    }


@pytest.mark.parametrize("path", ["/health", "/v1/models", "/v1/models/", "/v1/models/Qwen/Qwen3-8B", "/openapi.json"])
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    head, get = await client.head(path), await client.get(path)
    assert (head.status_code, head.content, get.status_code) == (200, b"", 200)
    assert [head.headers[name] for name in ("content-type", "content-length")] == [
        get.headers[name] for name in ("content-type", "content-length")
    ]


async def test_head_of_an_unknown_model_is_not_found(client: httpx.AsyncClient) -> None:
    head = await client.head("/v1/models/gpt-9")
    assert (head.status_code, head.content) == (404, b"")


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
ROUTES = {
    "/v1/reasoning": "POST",
    "/v1/chat/completions": "POST",
    "/v1/responses": "POST",
    "/v1/models": "GET",
    "/v1/models/Qwen/Qwen3-8B": "GET",
    "/health": "GET",
    "/": "GET",
    "/page/render": "POST",
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        *((method, path, 405) for path, allowed in ROUTES.items() for method in METHODS if method != allowed),
        *((method, path, 404) for path in ("/v1", "/v1/embeddings", "/v1/responses/resp_1") for method in METHODS),
    ],
)
async def test_a_wrong_method_or_path_has_openais_error_body(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, sorted(answer.json()["error"])) == (status, ["code", "message", "param", "type"])
    if status == 405:
        assert answer.headers["allow"] == ROUTES[path]

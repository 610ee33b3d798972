"""Bodies of requests over a real socket: encodings that are decoded, all others, and the limit after decoding."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi import Request

from gateway.errors import RequestTimeout, RequestTooLarge
from tests.fakes.scripted_gateway import CHAT, GOOD, RESPONSE, scripted_gateway
from tests.fakes.session import ScriptedParser
from tests.fakes.web_server import served
from web.body import read

LIMIT = 10_000
JSON = json.dumps({**CHAT, "stream": False}).encode()
GZIP, DEFLATE = gzip.compress(JSON), zlib.compress(JSON)
BOMB = gzip.compress(bytes(200 * LIMIT))


pytestmark = pytest.mark.asyncio(loop_scope="module")  # one server for all tests: each takes 0.1 s to stop


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = scripted_gateway(ScriptedParser(*GOOD), limits={"request_bytes": LIMIT})
    async with served(app) as url, httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield client


async def post(client: httpx.AsyncClient, content: Any, *encodings: str) -> httpx.Response:
    headers = [("Content-Encoding", encoding) for encoding in encodings]
    return await client.post("/v1/chat/completions", content=content, headers=headers)


@pytest.mark.parametrize(
    ("body", "encodings"),
    [
        (JSON, []),
        (JSON, [""]),
        (JSON, ["identity"]),
        (GZIP, ["gzip"]),
        (GZIP, ["GZip"]),
        (GZIP, ["x-gzip"]),
        (GZIP, ["identity, gzip"]),
        (GZIP, ["identity", "gzip"]),
        (DEFLATE, ["deflate"]),
        (gzip.compress(JSON, compresslevel=0), ["gzip"]),
    ],
)
async def test_an_encoded_body_is_decoded(client: httpx.AsyncClient, body: bytes, encodings: list[str]) -> None:
    answer = await post(client, body, *encodings)
    assert answer.json()["choices"][0]["message"]["content"] == RESPONSE


async def test_an_encoded_body_may_come_in_pieces(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for at in range(len(GZIP)):
            yield GZIP[at : at + 1]

    assert (await post(client, pieces(), "gzip")).status_code == 200


@pytest.mark.parametrize("encodings", [["br"], ["zstd"], ["compress"], ["gzip, gzip"], ["deflate", "gzip"], ["?"]])
async def test_another_encoding_is_refused_with_those_that_are_decoded(
    client: httpx.AsyncClient, encodings: list[str]
) -> None:
    answer = await post(client, JSON, *encodings)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (415, "unsupported_media_type")
    assert (answer.headers["accept-encoding"], "gzip, deflate" in error["message"]) == ("gzip, deflate", True)


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (JSON, "gzip", "is not gzip"),
        (GZIP, "deflate", "is not deflate"),
        (GZIP[:-9], "gzip", "ends before"),
        (GZIP[:-4] + b"oops", "gzip", "is not gzip"),
        (b"", "gzip", "ends before"),
        (GZIP + GZIP, "gzip", "goes on"),
    ],
)
async def test_a_body_that_is_not_what_its_encoding_says_is_refused(
    client: httpx.AsyncClient, body: bytes, encoding: str, reason: str
) -> None:
    answer = await post(client, body, encoding)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_request_error")
    assert reason in error["message"]


@pytest.mark.parametrize(
    ("body", "encodings"),
    [
        (b" " * (LIMIT + 1), []),
        (b" " * (2000 * LIMIT), []),  # more than the sockets hold while nobody reads
        (gzip.compress(b" " * (LIMIT + 1)), ["gzip"]),
        (zlib.compress(b" " * (LIMIT + 1)), ["deflate"]),
        (BOMB, ["gzip"]),
        (BOMB + BOMB, ["gzip"]),
    ],
    ids=["one byte", "much", "gzip", "deflate", "bomb", "bombs"],
)
async def test_a_body_over_the_limit_is_refused(client: httpx.AsyncClient, body: bytes, encodings: list[str]) -> None:
    answer = await post(client, body, *encodings)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["type"]) == (413, "request_too_large", "request_too_large")
    assert error["message"] == f"the request is larger than {LIMIT} bytes"


@pytest.mark.parametrize("pad", [LIMIT - len(JSON), LIMIT - len(JSON) + 1])
@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate"])
async def test_the_limit_is_of_the_decoded_body(client: httpx.AsyncClient, pad: int, encoding: str) -> None:
    body = JSON + b" " * pad
    encoded = {"identity": body, "gzip": gzip.compress(body), "deflate": zlib.compress(body)}
    answer = await post(client, encoded[encoding], encoding)
    assert answer.status_code == (200 if len(JSON) + pad <= LIMIT else 413)


def receiving(*pieces: bytes, drip: float | None) -> Request:
    """Return a request whose body goes on after `pieces`: by a byte every `drip` seconds, or never."""
    rest = list(pieces)

    async def receive() -> dict[str, Any]:
        if rest:
            return {"type": "http.request", "body": rest.pop(0), "more_body": True}
        await (asyncio.Event().wait() if drip is None else asyncio.sleep(drip))
        return {"type": "http.request", "body": b"x", "more_body": True}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


@pytest.mark.parametrize(
    ("pieces", "drip"), [((), None), ((b"{",), None), ((b" " * LIMIT,), None), ((), 0.01), ((b" " * 10,), 0.01)]
)
async def test_a_body_that_does_not_come_in_time_is_given_up(pieces: tuple[bytes, ...], drip: float | None) -> None:
    with pytest.raises(RequestTimeout) as caught:
        await read(receiving(*pieces, drip=drip), LIMIT, seconds=0.05)
    assert (caught.value.failure().status, caught.value.failure().retryable) == (408, True)


async def test_a_body_has_longer_while_it_comes() -> None:
    with pytest.raises(RequestTooLarge):
        await read(receiving(*[b" " * 100] * 3, drip=0.01), 302, seconds=0.2)

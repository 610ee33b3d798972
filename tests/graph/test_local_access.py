"""A gateway without keys by `reasoning-gateway up`, asked over real sockets as pages and as forgetful proxies ask.

The second address is one that this machine has on a network; a machine without any skips what needs it.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import psutil
import pytest

from bench.local_gateway import config_in_front_of, local_gateway, with_one_replica
from cluster.state import Run
from gateway.keys import is_loopback
from tests.fakes.scripted_api import ScriptedApi, in_thread

MODEL = "scripted"
BODY = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": "Say one thing."}], "stream": False})


@pytest.fixture(scope="module")
def scripted_api() -> Iterator[ScriptedApi]:
    with in_thread(ScriptedApi()) as api:
        yield api


@pytest.fixture(scope="module")
def gateway(scripted_api: ScriptedApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    config = with_one_replica(config_in_front_of({scripted_api.url: [MODEL]}, MODEL))
    with local_gateway(config, tmp_path_factory.mktemp("gateway")) as run:
        yield run


@pytest.fixture
def network_address() -> str:
    """An IPv4 address of this machine that is not its loopback interface's."""
    addresses = [one.address for ones in psutil.net_if_addrs().values() for one in ones if one.family == socket.AF_INET]
    outside = [address for address in addresses if not is_loopback(address)]
    if not outside:
        pytest.skip("this machine has no address but its loopback interface's")
    return outside[0]


async def ask(method: str, url: str, **headers: str) -> httpx.Response:
    named = {"Connection": "close"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        return await client.request(method, url, content=BODY if method == "POST" else None, headers=named)


async def post(url: str, **headers: str) -> httpx.Response:
    return await ask("POST", f"{url}/v1/chat/completions", **headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.page.example:8000"},
        {"Host": "rebound.page.example", "Origin": "http://rebound.page.example", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "https://page.example", "Content_Type": "text/plain", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "null", "Content_Type": "text/plain"},
    ],
)
async def test_no_page_reaches_the_api_behind_the_gateway(
    gateway: Run, scripted_api: ScriptedApi, headers: dict[str, str]
) -> None:
    before = len(scripted_api.requests)
    answer = await post(gateway.api, **headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_denied")
    assert len(scripted_api.requests) == before


async def test_a_program_of_this_machine_is_answered(gateway: Run) -> None:
    port = gateway.api.rpartition(":")[2]
    answers = [await post(gateway.api), await post(f"http://localhost:{port}", Origin="http://localhost:3000")]
    assert [answer.json()["choices"][0]["message"]["content"] for answer in answers] == ["Forty-two."] * 2


REQUESTS = 2
"""The number of requests that pass the forwarding proxy."""


async def test_a_proxy_that_adds_no_header_makes_nobody_a_program_of_this_machine(
    gateway: Run, network_address: str
) -> None:
    async with forwarded(network_address, gateway) as url:
        answer = await post(url)
        healthy = await ask("GET", f"{url}/health")
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "permission_denied")
    assert healthy.status_code == 200


@asynccontextmanager
async def forwarded(address: str, gateway: Run) -> AsyncIterator[str]:
    """Listen at an address of the network, and pass the bytes on to the gateway as they are."""
    port = int(gateway.api.rpartition(":")[2])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, forth = await asyncio.open_connection("127.0.0.1", port)
        asking = asyncio.create_task(copy(reader, forth))
        await copy(behind, writer)
        asking.cancel()
        for one in (forth, writer):
            one.close()
            await one.wait_closed()
        passed.release()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()

    passed = asyncio.Semaphore(0)
    async with await asyncio.start_server(serve, address, 0) as server:
        yield f"http://{address}:{server.sockets[0].getsockname()[1]}"
        for _ in range(REQUESTS):
            await passed.acquire()

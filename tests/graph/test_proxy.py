"""The proxy in front of a gateway by `reasoning-gateway up`, reached over real sockets, also from another network.

The other network is a namespace of the kernel's, for which a user needs to be root; elsewhere these tests are skipped.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from hashlib import sha256
from pathlib import Path

import httpx
import psutil
import pytest

from bench.local_gateway import config_in_front_of, local_gateway, part, with_one_replica
from cluster.haproxy import PER_ADDRESS
from cluster.state import Run
from tests.fakes.scripted_api import ScriptedApi, in_thread

MODEL, KEY = "scripted", "a key of the tests"
HERE, THERE = "10.203.77.1", "10.203.77.2"
"""The addresses of this machine and of the other network's, at the two ends of a virtual cable."""
CONNECTIONS = 20
"""Connections of one address, beyond which requests are refused; at twice as many, connections are."""
BACK_SECONDS = 15
"""Enough for a busy machine; without a stand-in Serve needs 34 s to replace a proxy that has ended."""

OPEN_PORTS = """
import json, socket, sys
found = []
for port in json.loads(sys.argv[2]):
    with socket.socket() as one:
        one.settimeout(2)
        found += [port] if one.connect_ex((sys.argv[1], port)) == 0 else []
print(json.dumps(found))
"""
HOLD = """
import socket, sys
held = [socket.create_connection((sys.argv[1], int(sys.argv[2]))) for _ in range(int(sys.argv[3]))]
print(flush=True)
sys.stdin.read()
"""
ASK = """
import http.client, json, sys
connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=20)
try:
    connection.request("GET", "/v1/models", headers={"Authorization": "Bearer " + sys.argv[3]})
    print(json.dumps(connection.getresponse().status))
except ConnectionError:
    print(json.dumps("refused"))
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A gateway with a key, open to all networks."""
    with ExitStack() as stack:
        api = stack.enter_context(in_thread(ScriptedApi()))
        config = with_one_replica(config_in_front_of({api.url: [MODEL]}, MODEL))
        config["http_options"]["host"] = "0.0.0.0"
        keys = sha256(KEY.encode()).hexdigest()
        config["applications"][0]["args"]["access"] = {"keys_env": "GATEWAY_KEYS"}
        environment = {PER_ADDRESS: str(CONNECTIONS), "GATEWAY_KEYS": keys}
        yield stack.enter_context(local_gateway(config, tmp_path_factory.mktemp("gateway"), **environment))


@pytest.fixture(scope="module")
def network() -> Iterator[str]:
    """The name of another network, whose machine has the address THERE and reaches HERE."""
    if os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("a network of one's own needs root and iproute2")
    name, ends = f"gateway-{os.getpid()}", (f"gw{os.getpid()}a", f"gw{os.getpid()}b")
    with ExitStack() as stack:
        if ip("netns", "add", name, check=False).returncode:
            pytest.skip("this machine allows no network of one's own")
        stack.callback(ip, "netns", "delete", name)
        ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", name)
        ip("address", "add", f"{HERE}/30", "dev", ends[0])
        ip("link", "set", ends[0], "up")
        ip("-n", name, "address", "add", f"{THERE}/30", "dev", ends[1])
        ip("-n", name, "link", "set", ends[1], "up")
        yield name


def ip(*arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["ip", *arguments], check=check, capture_output=True, text=True)


def command(network: str, program: str, *arguments: object) -> list[str]:
    """Return the command that runs a Python program in the other network."""
    return ["ip", "netns", "exec", network, sys.executable, "-c", program, HERE, *map(str, arguments)]


def there(network: str, program: str, *arguments: object) -> object:
    """Run a program in the other network, and return what it prints, as JSON."""
    ran = subprocess.run(command(network, program, *arguments), check=True, capture_output=True, text=True, timeout=60)
    return json.loads(ran.stdout)


@contextmanager
def held(network: str, port: int, connections: int) -> Iterator[None]:
    """Hold idle connections that come from the other network."""
    holding = command(network, HOLD, port, connections)
    with subprocess.Popen(holding, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin
        assert holder.stdout
        with closing(holder.stdin):
            holder.stdout.readline()
            yield


def port_of(gateway: Run) -> int:
    return int(gateway.api.rpartition(":")[2])


def proxy(gateway: Run) -> psutil.Process:
    """Return the HAProxy that has the gateway's port."""
    ours = [process for process in gateway.processes() if part(process) == "haproxy"]
    (one,) = (process for process in ours if port_of(gateway) in listening(process))
    return one


def listening(process: psutil.Process) -> set[int]:
    return {one.laddr.port for one in process.net_connections("tcp") if one.status == psutil.CONN_LISTEN}


async def test_of_the_proxys_ports_the_api_alone_is_open_to_another_network(gateway: Run, network: str) -> None:
    statistics = [8404, 9101]  # where Serve would have them
    assert there(network, OPEN_PORTS, sorted({*listening(proxy(gateway)), *statistics})) == [port_of(gateway)]


async def test_only_this_user_commands_the_proxy(gateway: Run) -> None:
    async with asyncio.timeout(BACK_SECONDS):  # a stand-in, if there is one yet, takes no commands
        while not (sockets := [Path(str(one.laddr)) for one in proxy(gateway).net_connections("unix") if one.laddr]):
            await asyncio.to_thread(answered, port_of(gateway))
    bound = [path.with_name(path.name.removesuffix(".tmp").rpartition(".")[0]) for path in sockets]  # admin.sock.1.tmp
    assert {path.stat().st_mode & 0o777 for path in bound} == {0o600}


async def test_connections_of_one_address_are_bounded_and_others_are_answered(gateway: Run, network: str) -> None:
    port = port_of(gateway)
    with held(network, port, CONNECTIONS):
        assert there(network, ASK, port, KEY) == 429
        with held(network, port, CONNECTIONS):
            assert there(network, ASK, port, KEY) == "refused"
            async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
                answer = await client.get(f"http://{HERE}:{port}/health")
            assert answer.status_code == 200


async def test_a_proxy_that_dies_is_back_soon(gateway: Run) -> None:
    port = port_of(gateway)
    proxy(gateway).kill()
    async with asyncio.timeout(BACK_SECONDS):
        while not await asyncio.to_thread(answered, port):
            pass
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        models = await client.get(f"http://127.0.0.1:{port}/v1/models", headers={"Authorization": f"Bearer {KEY}"})
    assert [one["id"] for one in models.json()["data"]] == [MODEL]


def answered(port: int) -> bool:
    """Return whether the gateway answers /health by 200."""
    try:
        with httpx.Client(trust_env=False, timeout=30) as client:
            return client.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.TransportError:
        return False

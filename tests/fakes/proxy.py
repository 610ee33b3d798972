"""Serve's HAProxy, started by the script of `cluster.haproxy` with Serve's own configuration, and servers behind it."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions

from cluster import haproxy
from cluster.local import free_port
from tests.fakes.polling import until

ANSWERS = {
    "text": b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nfull!",
    "json": b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "other": b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nours!",
    "closed": b"",
    "silent": None,
}
"""The answers of the applications behind the proxy, whose names are their paths; None is nothing at all."""


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
LATE = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlate!"
"""An answer that comes when the proxy's deadline for idle connections has passed twice."""


class Proxy:
    """HAProxy as Serve starts it: by the script, with Serve's own configuration, in front of `ANSWERS`."""

    def __init__(self, folder: Path, script: Path, apps: dict[str, ServerConfig], seconds: int) -> None:
        self.port, self.config, self.socket = free_port(), folder / "haproxy.cfg", folder / "admin.sock"
        self.processes: list[asyncio.subprocess.Process] = []
        self._script, self._latest = script, folder / "haproxy.cfg.pid"
        self.serve = HAProxyApi(
            HAProxyConfig(
                socket_path=str(self.socket),
                server_state_base=str(folder),
                server_state_file=str(folder / "state"),
                metrics_enabled=False,
                stats_port=free_port(),
                metrics_port=free_port(),
                timeout_server_s=seconds,
                http_options=HTTPOptions(host="127.0.0.1", port=self.port),
            ),
            {name: backend(name, [server]) for name, server in apps.items()} | {"none": backend("none", [])},
            str(self.config),
        )

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        self.serve._generate_config_file_internal()
        command = ["-db", "-f", str(self.config), "-dR", *arguments]
        process = await asyncio.create_subprocess_exec(self._script, *command)
        self.processes.append(process)
        await until(self.is_ready, pause=0.02)
        return process

    async def is_ready(self) -> bool:
        return await self.serve._get_running_pid() == self.processes[-1].pid

    def latest(self) -> int:
        """Return the pid of the HAProxy that was started last, a stand-in or not."""
        return int(self._latest.read_text() or 0)

    async def stop(self) -> None:
        last = self.latest()
        self._latest.unlink()  # the script starts no stand-in then
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if last not in [process.pid for process in self.processes]:
            with suppress(ProcessLookupError):
                os.kill(last, signal.SIGKILL)


@asynccontextmanager
async def started(folder: Path, connections_per_address: int = 1000, seconds: int = 30) -> AsyncIterator[Proxy]:
    """Start HAProxy and yield it. A replica has `seconds` for its answer."""
    async with AsyncExitStack() as stack:
        apps = {name: await stack.enter_async_context(answering(answer)) for name, answer in ANSWERS.items()}
        script = haproxy.write_script(haproxy.bundled_binary(), folder, connections_per_address)
        proxy = Proxy(folder, script, apps, seconds)
        stack.push_async_callback(proxy.stop)
        await proxy.start()
        yield proxy


@asynccontextmanager
async def proxied(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Start HAProxy and yield a client of it."""
    async with started(folder, seconds=1) as proxy, client_of(proxy) as client:
        yield client


def client_of(proxy: Proxy, address: str = "127.0.0.1") -> httpx.AsyncClient:
    """Return a client with a connection for each request, from `address`."""
    transport = httpx.AsyncHTTPTransport(local_address=address, limits=httpx.Limits(max_keepalive_connections=0))
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{proxy.port}", timeout=30, transport=transport)


def backend(name: str, servers: list[ServerConfig]) -> BackendConfig:
    return BackendConfig(name=name, path_prefix=f"/{name}", app_name=name, servers=servers)


@asynccontextmanager
async def answering(answer: bytes | None) -> AsyncIterator[ServerConfig]:
    """Serve `answer` to every request but health checks, which succeed."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            request = await reader.readuntil(b"\r\n\r\n")
            if request.startswith(b"GET /-/healthz"):
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            elif answer is None:
                await reader.read()
            else:
                await asyncio.sleep(2.5 if answer is LATE else 0)
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield ServerConfig(name="replica", host="127.0.0.1", port=server.sockets[0].getsockname()[1])


async def is_admitted(client: httpx.AsyncClient) -> bool:
    """Return whether the application "other" answers."""
    with suppress(httpx.TransportError):
        return (await client.get("/other")).status_code == 404
    return False


@asynccontextmanager
async def connections(
    proxy: Proxy, count: int
) -> AsyncIterator[list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]:
    """Open connections to the proxy on which nothing is asked yet."""
    opened = [await asyncio.open_connection("127.0.0.1", proxy.port) for _ in range(count)]
    try:
        yield opened
    finally:
        for _, writer in opened:
            writer.close()
        for _, writer in opened:
            with suppress(ConnectionError):
                await writer.wait_closed()

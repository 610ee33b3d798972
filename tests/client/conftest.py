"""A scripted gateway on a real socket, and real runs of `python -m client` against it."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gateway.wire import sse

ROOT = Path(__file__).parents[2]
INHERITED = ("PATH", "HOME", "SYSTEMROOT")
ENVIRONMENT = {"PYTHONUTF8": "1", "PYTHONWARNINGS": "error", "TERM": "xterm-256color"}
PATIENCE = 30.0


class ScriptedServer(ThreadingHTTPServer):
    """Answers every POST with `body`, then hangs up or, where it is `endless`, waits for the client to go."""

    daemon_threads = False

    def __init__(self, body: bytes, status: int, headers: dict[str, str], endless: bool) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.status, self.headers, self.endless = body, status, headers, endless
        self.requests: list[tuple[str, Any]] = []
        self.keys: list[str | None] = []
        self.gone = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: ScriptedServer
    timeout = PATIENCE

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((self.path, json.loads(asked)))
        self.server.keys.append(self.headers["Authorization"])
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)
        if self.server.endless:
            self._wait_for_the_client_to_go()

    def _wait_for_the_client_to_go(self) -> None:
        try:
            gone = self.connection.recv(1) == b""
        except ConnectionError:
            gone = True
        if gone:
            self.server.gone.set()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """serve(body, status=200, headers=SSE, endless=False, requests=None, gone=None, keys=None) -> the server's URL.

    `requests` gathers (path, JSON body) of what is asked, `keys` its authorization; `gone` is set when an endless
    answer's client left.
    """
    running: list[tuple[ScriptedServer, threading.Thread]] = []

    def start(
        body: bytes,
        status: int = 200,
        headers: dict[str, str] | None = None,
        endless: bool = False,
        requests: list[tuple[str, Any]] | None = None,
        gone: threading.Event | None = None,
        keys: list[str | None] | None = None,
    ) -> str:
        server = ScriptedServer(body, status, headers or {"Content-Type": sse.MEDIA_TYPE}, endless)
        server.requests = server.requests if requests is None else requests
        server.gone = gone or server.gone
        server.keys = server.keys if keys is None else keys
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def start(serve: object) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:  # noqa: ARG001
    """start(*arguments, env=…, **of Popen) -> a running `python -m client`, killed if it outlives the test.

    It needs `serve` so that it is torn down first: a server ends only when its clients have gone.
    """
    running: list[subprocess.Popen[bytes]] = []

    def popen(*arguments: str, env: dict[str, str] | None = None, **options: Any) -> "subprocess.Popen[bytes]":
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(
            [sys.executable, "-m", "client", *arguments],
            cwd=ROOT,
            env=inherited | ENVIRONMENT | (env or {}),
            preexec_fn=_heed_ctrl_c,
            **pipes | options,
        )
        running.append(process)
        return process

    yield popen
    for process in running:
        process.kill()
        with process:
            pass


@pytest.fixture
def run(start: Callable[..., "subprocess.Popen[bytes]"]) -> Callable[..., tuple[int, str, str]]:
    """run(*arguments, stdin=b"", env=…) -> (exit code, stdout, stderr) of `python -m client`."""

    def finish(*arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> tuple[int, str, str]:
        process = start(*arguments, env=env)
        out, err = process.communicate(stdin, timeout=PATIENCE)
        return process.returncode, out.decode(), err.decode()

    return finish


def _heed_ctrl_c() -> None:
    """Tests that run in a shell's background have it ignored, and programs inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

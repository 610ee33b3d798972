"""Scripted gateways, and real runs of `python -m client` against them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from gateway.wire import sse
from tests.fakes.canned_server import CannedServer

ROOT = Path(__file__).parents[2]
INHERITED = ("PATH", "HOME", "SYSTEMROOT")
ENVIRONMENT = {"PYTHONUTF8": "1", "PYTHONWARNINGS": "error", "TERM": "xterm-256color"}
RUN_SECONDS = 30.0


@pytest.fixture
def serve() -> Iterator[Callable[..., CannedServer]]:
    """Return serve(body, status=200, headers=SSE, endless=False), which starts a server with canned answers."""
    running: list[tuple[CannedServer, threading.Thread]] = []

    def start(
        body: bytes, status: int = 200, headers: Mapping[str, str] | None = None, endless: bool = False
    ) -> CannedServer:
        gateway = CannedServer(body, status, headers or {"Content-Type": sse.MEDIA_TYPE}, endless)
        thread = threading.Thread(target=gateway.serve_forever, args=(0.01,))
        thread.start()
        running.append((gateway, thread))
        return gateway

    yield start
    for gateway, thread in running:
        gateway.shutdown()
        gateway.server_close()
        thread.join()


@pytest.fixture
def start(serve: object) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:  # noqa: ARG001
    """Return start(*arguments, env=…, **of Popen), which starts a `python -m client`, killed if it outlives the test.

    It depends on `serve` to be torn down first: a server ends only when its clients have disconnected.
    """
    running: list[subprocess.Popen[bytes]] = []

    def popen(*arguments: str, env: dict[str, str] | None = None, **options: Any) -> "subprocess.Popen[bytes]":
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(
            [sys.executable, "-m", "client", *arguments],
            cwd=ROOT,
            env=inherited | ENVIRONMENT | (env or {}),
            preexec_fn=_restore_ctrl_c,
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
    """Return run(*arguments, stdin=b"", env=…), which gives exit code, stdout and stderr of `python -m client`."""

    def finish(*arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None) -> tuple[int, str, str]:
        process = start(*arguments, env=env)
        out, err = process.communicate(stdin, timeout=RUN_SECONDS)
        return process.returncode, out.decode(), err.decode()

    return finish


def _restore_ctrl_c() -> None:
    """Handle SIGINT again: a shell's background jobs ignore it, and child processes inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

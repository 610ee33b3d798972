"""Servers that other people use, each a process group of its own over an embedded model.

Tests put the gateway in front of them, and bench/engine.py measures beside them. Run as a program this is `make
check-vllm`: it starts vLLM, runs its test, and ends it.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from rich.console import Console

from cluster.local import free_port
from engine.embedded import LARGE, SMALL
from engine.model_files import model_folder
from gateway.upstream_settings import public_name

ROOT = Path(__file__).resolve().parent.parent
VLLM_PYTHON = ROOT / ".peers/vllm/bin/python"
SMALL_NAME = public_name(SMALL)
POLL_SECONDS, STOP_SECONDS = 0.3, 20
OFFLINE = {"HF_HUB_OFFLINE": "1"}


@contextmanager
def transformers_serve(log: Path, port: int | None = None, model: str = LARGE) -> Iterator[str]:
    """Yield the base URL, ending in /v1, of a `transformers serve`, at a free port by default. `log` has its output."""
    port = port or free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(model_folder(model))]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "bfloat16"]
    command += ["--continuous-batching", "--cb-num-blocks", "64", "--cb-max-batch-tokens", "512"]
    with _running(command, OFFLINE, port, log, seconds=120) as url:
        yield url


@contextmanager
def vllm(log: Path, on_progress: Callable[[str], None], model: str = LARGE) -> Iterator[str]:
    """Yield the base URL, ending in /v1, of a vLLM. While it starts, `on_progress` gets the last line of `log`.

    It computes in float32, since not every CPU has bfloat16 instructions.
    """
    port = free_port()
    command = [str(VLLM_PYTHON), "-m", "vllm.entrypoints.openai.api_server", "--model", str(model_folder(model))]
    command += ["--served-model-name", public_name(model), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--dtype", "float32", "--max-model-len", "2048", "--enforce-eager"]
    environment = {**OFFLINE, "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}
    with _running(command, environment, port, log, seconds=600, on_progress=on_progress) as url:
        yield url


@contextmanager
def _running(
    command: Sequence[str],
    environment: Mapping[str, str],
    port: int,
    log: Path,
    seconds: float,
    on_progress: Callable[[str], None] = lambda _: None,
) -> Iterator[str]:
    """Run `command` and yield its base URL once it is healthy. Raises RuntimeError if it ends or takes too long."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + seconds
        while not _healthy(port):
            with suppress(subprocess.TimeoutExpired):
                process.wait(POLL_SECONDS)
            if process.returncode is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not come up; its log:\n{log.read_text(errors='replace')}")
            on_progress(_last_line(log))
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        _end(process)


def _healthy(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health", timeout=5, trust_env=False).is_success
    except httpx.HTTPError:
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines() or [""]
    return lines[-1][:100]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole process group, since vLLM's engine is a process of its own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)


def main() -> int:
    console = Console(stderr=True)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        console.status("Starting vLLM, a minute or two …") as status,
    ):
        log = Path(folder) / "vllm.log"

        def show(line: str) -> None:
            status.update(f"Starting vLLM, {time.monotonic() - began:.0f} s: {line}")

        with vllm(log, show, SMALL) as url:
            status.stop()
            console.print(f"vLLM is ready after {time.monotonic() - began:.0f} s", highlight=False)
            command = [sys.executable, "-m", "pytest", "-m", "vllm", str(ROOT / "tests/e2e/test_peers.py")]
            tested = subprocess.run(command, env={**os.environ, "VLLM_URL": url}, cwd=ROOT, check=False)
        if tested.returncode:
            console.print(log.read_text(errors="replace"), markup=False, highlight=False)
    return tested.returncode


if __name__ == "__main__":
    sys.exit(main())

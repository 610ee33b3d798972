"""The graph of serve_config.yaml with the real Qwen, deployed when the first test asks for it."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bench.peers import ROOT
from tests.fakes.cluster import Cluster


@pytest.fixture(scope="session")
def url(cluster: Cluster) -> str:
    """The gateway of serve_config.yaml; the Qwen as a plain API is at `/upstream` below it. Both are healthy."""
    serve = Path(sys.executable).parent / "serve"
    command = [str(serve), "deploy", str(ROOT / "serve_config.yaml"), "--address", cluster.dashboard]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 200
    while not all(_healthy(f"{cluster.url()}/{path}") for path in ("health", "upstream/v1/models")):
        assert time.monotonic() < deadline, "the model was not ready in time"
    return cluster.url()


def _healthy(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=200) as client:
        yield client

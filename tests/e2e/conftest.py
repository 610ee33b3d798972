"""The graph of serve_config.yaml with the smaller embedded Qwen, deployed when the first test asks for it."""

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from bench.peers import ROOT
from cluster.configs import dumped, with_qwen
from engine.embedded import SMALL
from tests.fakes.cluster import Cluster


@pytest.fixture(scope="package")
def url(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Deploy the gateway of serve_config.yaml, and the Qwen as a plain API at `/upstream` below it; wait until both are
    healthy. They are deleted behind the last test here: an idle Qwen takes a third of a core from all others."""
    from ray import serve

    config = with_qwen(SMALL)
    config["applications"][0]["args"]["upstream"]["thinking_budget"] = 64
    file = tmp_path_factory.mktemp("e2e") / "serve_config.yaml"
    file.write_text(dumped(config), "utf-8")
    command = [str(Path(sys.executable).parent / "serve"), "deploy", str(file), "--address", cluster.dashboard]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 200
    while not all(_healthy(f"{cluster.url()}/{path}") for path in ("health", "upstream/v1/models")):
        assert time.monotonic() < deadline, "the model was not ready in time"
    yield cluster.url()
    for application in ("upstream-api", "reasoning-gateway"):
        serve.delete(application, _blocking=False)


def _healthy(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=200) as client:
        yield client

"""A cluster of two nodes with the graph over a tiny Qwen: a head without a GPU, and a node that declares one."""

import copy
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import yaml

from bench.peers import ROOT
from tests.fakes import tiny_model
from tests.fakes.nodes import Nodes, set_scaling
from tests.fakes.polling import until

ONE_REPLICA = {"min_replicas": 1, "max_replicas": 1, "target_ongoing_requests": 128}


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    folder = tempfile.mkdtemp(prefix="ray")  # a short path: Ray's sockets are in it
    environment = {
        **os.environ,
        "RAY_TMPDIR": folder,
        "PYTHONPATH": str(ROOT),
        "RAY_SERVE_ENABLE_DIRECT_INGRESS": "0",  # as in every file of cluster/ for several nodes
        "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
        "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
    }
    command = [sys.executable, "-m", "tests.fakes.ray_nodes"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        nodes = Nodes(process)
        yield nodes
        nodes.close()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The settings `upstream` of a tiny Qwen2 with random weights."""
    return {
        "model": str(tiny_model.build(tmp_path_factory.mktemp("tiny-qwen2"))),
        "threads": 1,
        "context_tokens": tiny_model.POSITIONS,
        "kv_cache_tokens": 65536,
    }


@pytest.fixture(scope="session")
def config(nodes: Nodes, tiny: dict[str, Any]) -> dict[str, Any]:
    """serve_config.yaml with the tiny model and one replica a deployment.

    Two replicas of the model fit on a GPU, as a redeploy needs.
    """
    config: dict[str, Any] = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    config["http_options"]["port"] = nodes.http_port
    config["applications"] = config["applications"][:1]
    config["applications"][0]["args"]["upstream"] |= {**tiny, "num_gpus": 0.5}
    for deployment in config["applications"][0]["deployments"]:
        deployment["max_surge_percent"] = 100
    set_scaling(config, ONE_REPLICA)
    return config


@pytest.fixture
async def deployed(nodes: Nodes, config: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Deploy the graph with one healthy replica a deployment. The value is a copy of its config, to be changed."""
    nodes.deploy(config)
    await until(lambda: nodes.status() == "RUNNING" and set(nodes.count().values()) == {1})
    await until(lambda: httpx.get(f"{nodes.url}/health").status_code == 200)
    yield copy.deepcopy(config)

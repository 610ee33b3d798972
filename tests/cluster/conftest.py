"""A cluster of two nodes with the graph over a tiny Qwen: a head without a GPU, and a node that declares one."""

import asyncio
import copy
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
import yaml

from bench.peers import ROOT
from cluster.local import free_port
from tests.fakes import tiny_model

APPLICATION = "reasoning-gateway"
ONE_REPLICA = {"min_replicas": 1, "max_replicas": 1, "target_ongoing_requests": 128}
PATIENCE_SECONDS = 120


class Nodes:
    """`head` and `gpu` are the ids of the nodes that are always there; `url` is where the head serves the graph.

    `urls` is where another node does, by its id, once it has a replica.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._dashboard_port, self.http_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http_port}"
        self.urls: dict[str, str] = {}
        self._dashboard = httpx.Client(
            base_url=f"http://127.0.0.1:{self._dashboard_port}",
            headers={"Authorization": f"Bearer {os.environ['RAY_AUTH_TOKEN']}"},
            timeout=60,
        )
        self.head = self.add(num_cpus=4, include_dashboard=True, dashboard_port=self._dashboard_port)
        self.gpu = self.add(num_cpus=4, num_gpus=1)

    def add(self, **parameters: Any) -> str:
        """The id of a new node; each has a port of its own for Serve's proxy, since all share an address."""
        port = free_port()
        node = self._tell(add={"env_vars": {"RAY_SERVE_WORKER_PROXY_HTTP_PORT": str(port)}, **parameters})
        self.urls[node] = f"http://127.0.0.1:{port}"
        return node

    def remove(self, node: str) -> None:
        self._tell(remove=node)

    def deploy(self, config: dict[str, Any]) -> None:
        self._dashboard.put("/api/serve/applications/", json=config).raise_for_status()

    def status(self) -> str:
        return str(self._application()["status"])

    def replicas(self, deployment: str) -> set[tuple[str, str]]:
        """Those that run, each with its node."""
        replicas = self._application()["deployments"].get(deployment, {"replicas": []})["replicas"]
        return {(one["replica_id"], one["node_id"]) for one in replicas if one["state"] == "RUNNING"}

    def count(self) -> dict[str, int]:
        """How many replicas each deployment has, those that start or stop among them."""
        return {name: len(one["replicas"]) for name, one in self._application()["deployments"].items()}

    def close(self) -> None:
        self._dashboard.close()

    def _application(self) -> dict[str, Any]:
        answer = self._dashboard.get("/api/serve/applications/").raise_for_status()
        application: dict[str, Any] = answer.json()["applications"][APPLICATION]
        assert application["status"] != "DEPLOY_FAILED", application["message"]
        return application

    def _tell(self, **command: Any) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer: str = json.loads(self._process.stdout.readline())
        return answer


@pytest.fixture(scope="session")
def nodes() -> Iterator[Nodes]:
    folder = tempfile.mkdtemp(prefix="ray")  # short: Ray's sockets stand in it
    environment = {
        **os.environ,
        "RAY_TMPDIR": folder,
        "PYTHONPATH": str(ROOT),
        "RAY_SERVE_ENABLE_DIRECT_INGRESS": "0",  # as every file for several nodes says
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
    """The `upstream` of a tiny Qwen2 of random weights."""
    return {
        "model": str(tiny_model.build(tmp_path_factory.mktemp("tiny-qwen2"))),
        "threads": 1,
        "context_tokens": tiny_model.POSITIONS,
        "kv_cache_tokens": 65536,
    }


@pytest.fixture(scope="session")
def config(nodes: Nodes, tiny: dict[str, Any]) -> dict[str, Any]:
    """serve_config.yaml with the tiny model, one replica a deployment; two Qwens fit on a GPU, as in a redeploy."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "serve_config.yaml").read_text())
    config["http_options"]["port"] = nodes.http_port
    config["applications"] = config["applications"][:1]
    config["applications"][0]["args"]["upstream"] |= {**tiny, "num_gpus": 0.5}
    for deployment in config["applications"][0]["deployments"]:
        deployment["max_surge_percent"] = 100
    scaled(config, ONE_REPLICA)
    return config


def scaled(config: dict[str, Any], scaling: Mapping[str, float], deployment: str | None = None) -> None:
    """Give one deployment, or each, that `autoscaling_config`."""
    for one in config["applications"][0]["deployments"]:
        if deployment in (None, one["name"]):
            policy = one["autoscaling_config"].get("policy")
            one["autoscaling_config"] = {**scaling, **({"policy": policy} if policy else {})}


@pytest.fixture
async def deployed(nodes: Nodes, config: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """The graph runs, one replica a deployment, healthy; a copy of its config, to be changed and deployed again."""
    nodes.deploy(config)
    await until(lambda: nodes.status() == "RUNNING" and set(nodes.count().values()) == {1})
    await until(lambda: httpx.get(f"{nodes.url}/health").status_code == 200)
    yield copy.deepcopy(config)


async def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)

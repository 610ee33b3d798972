"""A Ray cluster of several nodes on this machine, and the gateway on it."""

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any

import httpx

from cluster.local import free_port

APPLICATION = "reasoning-gateway"


class Nodes:
    """Nodes started by `tests.fakes.ray_nodes`, and the gateway that is deployed on them.

    `head` and `gpu` are the ids of the first two nodes; the second declares a GPU. `url` is the gateway at the head,
    `urls` the gateway at each other node by its id: a node serves it once it has a replica.
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
        """Start a node with Ray's `parameters` and return its id.

        Each node has its own port for Serve's proxy, since all share one address.
        """
        port = free_port()
        node = self._command(add={"env_vars": {"RAY_SERVE_WORKER_PROXY_HTTP_PORT": str(port)}, **parameters})
        self.urls[node] = f"http://127.0.0.1:{port}"
        return node

    def remove(self, node: str) -> None:
        """Kill a node without a warning."""
        self._command(remove=node)

    def deploy(self, config: dict[str, Any]) -> None:
        """Deploy a Serve config. Raise `httpx.HTTPStatusError` if Serve refuses it."""
        self._dashboard.put("/api/serve/applications/", json=config).raise_for_status()

    def status(self) -> str:
        """Return the status of the gateway's application."""
        return str(self._application()["status"])

    def replicas(self, deployment: str) -> set[tuple[str, str]]:
        """Return the ids of a deployment's running replicas, each with the id of its node."""
        replicas = self._application()["deployments"].get(deployment, {"replicas": []})["replicas"]
        return {(one["replica_id"], one["node_id"]) for one in replicas if one["state"] == "RUNNING"}

    def count(self) -> dict[str, int]:
        """Return the number of replicas of each deployment, including those that start or stop."""
        return {name: len(one["replicas"]) for name, one in self._application()["deployments"].items()}

    def close(self) -> None:
        """Close the connection to the dashboard."""
        self._dashboard.close()

    def _application(self) -> dict[str, Any]:
        answer = self._dashboard.get("/api/serve/applications/").raise_for_status()
        application: dict[str, Any] = answer.json()["applications"][APPLICATION]
        assert application["status"] != "DEPLOY_FAILED", application["message"]
        return application

    def _command(self, **command: Any) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer: str = json.loads(self._process.stdout.readline())
        return answer


def set_scaling(config: dict[str, Any], scaling: Mapping[str, float], deployment: str | None = None) -> None:
    """Set the `autoscaling_config` of one deployment, or of all; each keeps its policy."""
    for one in config["applications"][0]["deployments"]:
        if deployment in (None, one["name"]):
            policy = one["autoscaling_config"].get("policy")
            one["autoscaling_config"] = {**scaling, **({"policy": policy} if policy else {})}

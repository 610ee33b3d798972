"""A gateway by `reasoning-gateway up` in a home of its own at free ports, beside whatever else runs on the machine."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import psutil

from bench.load.processes import ROOT, tail
from cluster import configs
from cluster.local import free_port
from cluster.state import Home, Run

DEPLOYMENTS = ("Ingress", "StreamParser", "Summarizer")
PROXIES = ("HAProxy", "haproxy", "ProxyActor")
RAY = ("raylet", "gcs_server", "ServeController", "DashboardAgent", "dashboard")


def config_in_front_of(apis: Mapping[str, Sequence[str]], summarizer: str) -> dict[str, Any]:
    """Return the Serve config that is delivered, in front of APIs.

    `apis` are the models of each API by its URL; `summarizer` is one of the models.
    """
    config = configs.in_front_of("", [])
    config["http_options"]["host"] = "127.0.0.1"
    (application,) = config["applications"]
    application["args"] |= {
        "http_upstreams": [{"url": url, "models": list(models)} for url, models in apis.items()],
        "summarizer": {"model": summarizer},
    }
    return config


def with_one_replica(config: dict[str, Any]) -> dict[str, Any]:
    """Return a Serve config with one replica of each deployment, so that its memory can be compared over time."""
    config = deepcopy(config)
    for application in config["applications"]:
        for deployment in application["deployments"]:
            deployment["autoscaling_config"] |= {"min_replicas": 1, "max_replicas": 1}
    return config


@contextmanager
def local_gateway(config: dict[str, Any], folder: Path, **environment: str) -> Iterator[Run]:
    """Deploy a Serve config, yield the run once it answers, and stop it. `folder` is the home, and has the log.

    Raises RuntimeError with the end of the log if it does not start.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = deepcopy(config)
    config["http_options"] = {**(config.get("http_options") or {}), "port": free_port()}
    file = folder / "config.yaml"
    file.write_text(configs.dumped(config), "utf-8")
    variables = {**os.environ, **environment, "REASONING_GATEWAY_HOME": str(folder)}
    try:
        _command("up", "--config", str(file), "--dashboard-port", str(free_port()), folder=folder, variables=variables)
        run = Home(folder).current()
        assert run
        yield run
    finally:
        _command("down", folder=folder, variables=variables)


def part(process: psutil.Process) -> str:
    """Return the part of the gateway that a process belongs to: a deployment, the proxy, or Ray's own."""
    with suppress(psutil.Error):
        title = " ".join(process.cmdline()[:3])  # what follows names other processes
        for name in (*DEPLOYMENTS, *PROXIES, *RAY):
            if name in title:
                return name
    return "Ray"


def _command(*arguments: str, folder: Path, variables: dict[str, str]) -> None:
    log = folder / "command.log"
    with log.open("ab") as output:
        command = [sys.executable, "-m", "cluster.cli", *arguments]
        ended = subprocess.run(
            command, cwd=ROOT, env=variables, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if ended.returncode:
        raise RuntimeError(f"reasoning-gateway {arguments[0]} failed; its log ends:\n{tail(log)}")

"""The servers that are measured. Each is started for its turn and ended after it, so that none is idle beside another.

direct     the scripted upstream itself
litellm    LiteLLM's proxy from .peers/litellm (litellm.lock), litellm.yaml: one worker, a master key
proxy      minimal_proxy.py on uvicorn: one process
gateway    the graph on its Ray, as `reasoning-gateway up` starts it: serve_config.yaml with the http overlay,
           one replica of each deployment, and room for more streams than the ladder has

The gateway has three rows. `gateway chat` is OpenAI's route, by which the other targets are asked too; it always
includes summaries. `gateway` is the gateway's own route without summaries, which the other targets do not have either;
`gateway summaries` is that route with all summaries. The summarizer is the scripted upstream, which answers at once.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench.load.loads import MODEL, SUMMARIZER, Route
from bench.load.processes import ROOT, Processes, family, listens, server, tail
from cluster import configs, state
from cluster.local import GCS_PORT, free_port
from cluster.up import DASHBOARD_PORT

HERE = Path(__file__).parent
RUN = ROOT / ".run" / "load"
LITELLM = ROOT / ".peers/litellm/bin/litellm"
LITELLM_ENVIRONMENT = {
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOG": "ERROR",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
}
KEY = "sk-scripted"
STREAMS = 512
"""Maximum number of concurrent streams of the gateway."""
PLAIN = {"reasoning": {"summary": "none"}, "prompt_summary": False}
SERVING = ("ray::ServeReplica", "ray::ProxyActor", "ray::HAProxy", "bin/haproxy ")
"""Parts of the titles of the processes that a stream passes through, among all of Ray's."""
DEPLOYMENTS = ("Ingress", "StreamParser", "Summarizer")


@dataclass(frozen=True)
class Target:
    """A running server: its routes by the name of their row, and its processes.

    Streams pass through the processes `serving`; `parts` are some of these by name.
    """

    rows: Mapping[str, Route]
    processes: Processes = list
    serving: Processes = list
    parts: Mapping[str, Processes] = field(default_factory=dict)


Start = Callable[[int], AbstractContextManager[Target]]
"""Starts a target in front of the upstream at a port. Raises RuntimeError if it does not start."""


@contextmanager
def direct(upstream: int) -> Iterator[Target]:
    yield Target({"direct": Route(upstream)})


@contextmanager
def litellm(upstream: int) -> Iterator[Target]:
    if not LITELLM.exists():
        raise RuntimeError("LiteLLM is not installed in .peers/litellm; `make bench` installs it")
    port = free_port()
    command = [str(LITELLM), "--config", str(HERE / "litellm.yaml"), "--host", "127.0.0.1", "--port", str(port)]
    environment = {**LITELLM_ENVIRONMENT, "LITELLM_MASTER_KEY": KEY, "UPSTREAM_URL": _url(upstream)}
    with server(
        [*command, "--num_workers", "1"], _health(port, "/liveliness"), RUN / "litellm.log", environment
    ) as pid:
        processes = _family(pid)
        yield Target({"litellm": Route(port, key=KEY)}, processes, processes)


@contextmanager
def proxy(upstream: int) -> Iterator[Target]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.load.minimal_proxy:app", "--app-dir", str(ROOT)]
    command += ["--host", "127.0.0.1", "--port", str(port), "--log-level", "warning"]
    with server(command, _health(port), RUN / "proxy.log", {"UPSTREAM_URL": _url(upstream)}) as pid:
        processes = _family(pid)
        yield Target({"proxy": Route(port)}, processes, processes)


@contextmanager
def gateway(upstream: int) -> Iterator[Target]:
    config = gateway_config(upstream)
    port = config["http_options"]["port"]
    _assert_ports_are_free(port)
    RUN.mkdir(parents=True, exist_ok=True)
    file = RUN / "serve_config.yaml"
    file.write_text(configs.dumped(config), "utf-8")
    try:
        _local("up", "--config", str(file))
        yield Target(gateway_rows(port), _session, _serving, {name: partial(_replicas, name) for name in DEPLOYMENTS})
    finally:
        _local("down")


TARGETS: Mapping[str, Start] = {"direct": direct, "litellm": litellm, "proxy": proxy, "gateway": gateway}


def gateway_rows(port: int) -> dict[str, Route]:
    """Return the three routes of the gateway by the name of their row."""
    native = {"model": MODEL}
    return {
        "gateway": Route(port, "/v1/reasoning", {**native, **PLAIN}, last="stream.completed"),
        "gateway chat": Route(port),
        "gateway summaries": Route(port, "/v1/reasoning", native, last="stream.completed"),
    }


def gateway_config(upstream: int) -> dict[str, Any]:
    """Return a Serve config of the gateway with the scripted upstream as its model and its summarizer."""
    config = configs.with_overlay("http")
    config["http_options"]["host"] = "127.0.0.1"
    (application,) = config["applications"]
    arguments = application["args"]
    arguments["http_upstreams"] = [{"url": _url(upstream), "models": [MODEL, SUMMARIZER]}]
    arguments |= {"summarizer": {"model": SUMMARIZER}, "access": {}}
    arguments["limits"] |= {"streams_per_replica": STREAMS, "streams_per_client": STREAMS}
    for deployment in application["deployments"]:
        deployment["autoscaling_config"] |= {"min_replicas": 1, "max_replicas": 1}
    return config


def _assert_ports_are_free(port: int) -> None:
    if state.home().current():
        raise RuntimeError("the gateway is already running; `make stop` ends it")
    if busy := [number for number in (port, DASHBOARD_PORT, GCS_PORT) if listens(number)]:
        raise RuntimeError(f"port {', '.join(map(str, busy))} is in use by another program, and the gateway needs it")


def _local(*arguments: str) -> None:
    log = RUN / "gateway.log"
    with log.open("ab") as output:
        command = [sys.executable, "-m", "cluster.cli", *arguments]
        ended = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
    if ended.returncode:
        raise RuntimeError(f"reasoning-gateway {arguments[0]} failed; its log ends:\n{tail(log)}")


def _session() -> list[psutil.Process]:
    """Return all processes of the gateway's Ray: raylet, GCS, dashboard and agents as well."""
    run = state.home().current()
    return run.processes() if run else []


def _serving() -> list[psutil.Process]:
    return _titled(SERVING)


def _replicas(deployment: str) -> list[psutil.Process]:
    return _titled((f"ray::ServeReplica:reasoning-gateway:{deployment}",))


def _titled(titles: tuple[str, ...]) -> list[psutil.Process]:
    return [process for process in _session() if any(title in " ".join(process.cmdline()) for title in titles)]


def _family(pid: int) -> Processes:
    return lambda: family(pid)


def _health(port: int, path: str = "") -> str:
    return f"http://127.0.0.1:{port}/health{path}"


def _url(upstream: int) -> str:
    return f"http://127.0.0.1:{upstream}/v1"

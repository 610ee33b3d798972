"""`reasoning-gateway down` under load: each stream ends with its last event, and nothing of it runs on."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Semaphore
from typing import Any

import httpx
import pytest

from bench.peers import ROOT
from cluster.down import INGRESSES, STOPPING, stopping_config
from cluster.local import free_port
from cluster.state import Home
from deployments import stopping
from tests.fakes.scripted_api import ScriptedApi, in_thread

SILENT = json.dumps([{"delta": {"reasoning_content": "Hm."}}, {"stall": True}])
MESSAGES = [{"role": "user", "content": SILENT}]
ROUTES: dict[str, tuple[dict[str, Any], str]] = {
    "reasoning": ({"messages": MESSAGES}, '"reasoning.delta"'),
    "chat/completions": ({"messages": MESSAGES}, '"reasoning_content":"Hm."'),
    "responses": ({"input": SILENT}, '"response.reasoning_text.delta"'),
}
"""A request of each route, and what its first event with reasoning contains."""
STOPPED = "the gateway is being stopped; ask again once it is back"


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of commands with a record and a Ray of their own; what they have started is ended."""
    with tempfile.TemporaryDirectory(prefix="rg-", ignore_cleanup_errors=True) as ray:  # a short path, for sockets
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "REASONING_"))}
        environment = inherited | {
            "REASONING_GATEWAY_HOME": str(tmp_path / "home"),
            "RAY_AUTH_TOKEN": os.environ["RAY_AUTH_TOKEN"],  # of tests/conftest.py; else Ray writes one into the home
            "RAY_TMPDIR": ray,
        }
        yield environment
        command("down", environment=environment)


def command(*arguments: str, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-m", "cluster.cli", *arguments], cwd=ROOT, env=environment, check=True)


def data_of(url: str, route: str, began: Semaphore) -> list[str]:
    """Return the data of all events of a stream; `began` is released once its reasoning has begun."""
    fields, reasoning = ROUTES[route]
    data = []
    with httpx.stream("POST", f"{url}/v1/{route}", json={**fields, "stream": True}, timeout=60) as response:
        for line in response.iter_lines():
            if line.startswith("data: "):
                data.append(line.removeprefix("data: "))
                if reasoning in line:
                    began.release()
    return data


@pytest.mark.slow
def test_streams_end_with_their_last_event_at_down(environment: dict[str, str]) -> None:
    port = free_port()
    url, began = f"http://127.0.0.1:{port}", Semaphore(0)
    with in_thread(ScriptedApi()) as api, ThreadPoolExecutor() as threads:
        api_options = ["--api", api.url, "--model", "scripted"]
        ports = ["--port", str(port), "--dashboard-port", str(free_port())]
        command("up", *api_options, *ports, environment=environment)
        run = Home(Path(environment["REASONING_GATEWAY_HOME"])).current()
        assert run is not None
        streams = [threads.submit(data_of, url, route, began) for route in ROUTES]
        assert all(began.acquire(timeout=30) for _ in streams)
        command("down", environment=environment)
        native, chat, responses = [stream.result(timeout=10) for stream in streams]
        assert run.processes() == []
        assert api.closed_by_client.is_set()
    failed = json.loads(native[-1])
    assert (failed["type"], failed["error"]) == (
        "stream.failed",
        {"type": "stopping", "message": STOPPED, "stage": "delivery", "retryable": True, "code": "stopping"},
    )
    assert json.loads(chat[-1])["error"]["code"] == "stopping"
    last = json.loads(responses[-2])
    assert (last["type"], last["response"]["error"]["message"]) == ("response.failed", STOPPED)


def application(name: str, import_path: str, state: str, **fields: Any) -> dict[str, Any]:
    """Return an application as Serve's API shows it, with one replica of its ingress in `state`."""
    replicas = {"replicas": [{"state": state}]}
    return {
        "status": "RUNNING",
        "deployed_app_config": {"name": name, "import_path": import_path, **fields},
        "deployments": {INGRESSES.get(import_path, "Other"): replicas},
    }


def test_the_config_of_the_end_keeps_what_is_deployed() -> None:
    applications = {
        "a": application(
            "a", "graph:build", "RUNNING", deployments=[{"name": "Ingress", "x": 1}, {"name": "Summarizer"}]
        ),
        "b": application("b", "graph:build_upstream_api", "STARTING"),
        "c": application("c", "other:app", "RUNNING", args={"y": 2}),
    }
    told = {"user_config": STOPPING}
    assert stopping_config(applications) == {
        "applications": [
            {
                "name": "a",
                "import_path": "graph:build",
                "deployments": [{"name": "Ingress", "x": 1, **told}, {"name": "Summarizer"}],
            },
            {"name": "b", "import_path": "graph:build_upstream_api", "deployments": [{"name": "PlainApi", **told}]},
            {"name": "c", "import_path": "other:app", "args": {"y": 2}},
        ]
    }


@pytest.mark.parametrize(("import_path", "state"), [("graph:build", "STARTING"), ("other:app", "RUNNING")])
def test_a_gateway_that_does_not_run_yet_is_told_nothing(import_path: str, state: str) -> None:
    assert stopping_config({"a": application("a", import_path, state)}) is None


def test_the_ingress_and_the_command_mean_the_same() -> None:
    assert stopping.STOPPING == STOPPING

"""`reasoning-gateway down`: have the gateway end its streams, then end its processes.

Knows nothing of arguments. Whatever does not answer in time is ended all the same.
"""

import time
from contextlib import suppress
from typing import Any

from rich.console import Console

from cluster import local
from cluster.serve_api import ServeApi
from cluster.state import CommandError, Home, Run

INGRESSES = {"graph:build": "Ingress", "graph:build_upstream_api": "PlainApi"}
"""The deployment that has the streams of an application, by the application's `import_path`."""
STOPPING = {"stopping": True}
"""The `user_config` at which such a deployment ends its streams (`deployments.stopping`)."""
ASK_SECONDS = 5
LAST_EVENTS_SECONDS, POLL_SECONDS = 10, 0.1
"""Seconds until all replicas have ended their streams: Serve tells them within one, they take up to five."""


def down(home: Home, run: Run, token: str, console: Console) -> None:
    """End the streams of `run` as failed, each with its last event, then its processes; at once after Ctrl-C."""
    try:
        with console.status("ending the streams …"), suppress(CommandError):
            _end_streams(ServeApi(run.dashboard, token))
    finally:
        with console.status("stopping …"):
            local.stop(home, run)


def stopping_config(applications: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    """Return the config of what is deployed with STOPPING in it; None if nothing of ours runs.

    `applications` are Serve's, as its API shows them. Serve replaces no replica for a new `user_config`.
    """
    configs = [one["deployed_app_config"] for one in applications.values() if one["deployed_app_config"]]
    ours = [config for config in configs if config["import_path"] in INGRESSES]
    if not any(_serves(applications[config["name"]], INGRESSES[config["import_path"]]) for config in ours):
        return None
    for config in ours:
        # In their order: Serve (2.60) takes another one for other code, and would replace all replicas.
        deployments = {one["name"]: one for one in config.get("deployments", [])}
        ingress = INGRESSES[config["import_path"]]
        deployments[ingress] = {"name": ingress, **deployments.get(ingress, {}), "user_config": STOPPING}
        config["deployments"] = list(deployments.values())
    return {"applications": configs}


def _serves(application: dict[str, Any], ingress: str) -> bool:
    replicas = application["deployments"].get(ingress, {}).get("replicas", [])
    return any(replica["state"] == "RUNNING" for replica in replicas)


def _end_streams(serve: ServeApi) -> None:
    """Return once all streams have ended, or are late. Raises CommandError if Serve does not answer."""
    config = stopping_config(serve.applications() or {})
    if config is None:
        return
    serve.deploy(config, ASK_SECONDS)
    deadline = time.monotonic() + LAST_EVENTS_SECONDS
    while time.monotonic() < deadline:
        applications = serve.applications()
        if applications is None or all(one["status"] != "DEPLOYING" for one in applications.values()):
            return
        time.sleep(POLL_SECONDS)

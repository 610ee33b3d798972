"""The state of the gateway on this machine, read from Serve and from Ray's metrics.

Knows nothing of the terminal but lines of text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from cluster.serve_api import ServeApi, healthy
from cluster.serve_config import ServeConfig
from cluster.state import CommandError, Home, Run

TIMEOUT_SECONDS = 5
STARTED, ENDED = "ray_gateway_streams_started_total{", "ray_gateway_streams_ended_total{"
"""Counters of deployments/telemetry/metrics.py, as Ray exports them every ten seconds."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """`applications` are Serve's own details by name, None if it does not answer; `streams` is None if unknown."""

    run: Run
    models: list[str]
    healthy: bool
    applications: dict[str, dict[str, Any]] | None
    streams: int | None

    def lines(self) -> Iterator[str]:
        yield f"API          {self.run.api}  {'healthy' if self.healthy else 'NOT healthy'}"
        yield f"dashboard    {self.run.dashboard}/#/serve"
        yield f"deployed     {self.run.deployed}"
        yield f"models       {', '.join(self.models) or 'none'}"
        yield f"streams      {'unknown' if self.streams is None else self.streams} running (within the last 10 s)"
        yield f"code         {self.run.code}, Python {self.run.python}, process {self.run.pid}"
        if self.applications is None:
            yield "Serve        does not answer"
        for name, application in (self.applications or {}).items():
            yield f"application  {name}: {application['status']}{_replicas(application)}"
            if application["message"]:
                yield f"             {application['message']}"


def read_status(home: Home, run: Run, token: str) -> Status:
    config = read_deployed(home)
    return Status(
        run=run,
        models=config.models if config else [],
        healthy=config is not None and all(healthy(url) for url in config.health_urls),
        applications=ServeApi(run.dashboard, token).applications(),
        streams=running_streams(_metrics(run.metrics_port)),
    )


def running_streams(metrics: str | None) -> int | None:
    """Return how many streams have started and not ended, by the text of Ray's metrics; None without metrics."""
    if metrics is None:
        return None
    return _total(metrics, STARTED) - _total(metrics, ENDED)


def _total(metrics: str, counter: str) -> int:
    return sum(int(float(line.rpartition(" ")[2])) for line in metrics.splitlines() if line.startswith(counter))


def _metrics(port: int) -> str | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=TIMEOUT_SECONDS, trust_env=False).text
    except httpx.HTTPError:
        return None


def read_deployed(home: Home) -> ServeConfig | None:
    """Return the Serve config as it was deployed last, or None if none was."""
    try:
        return ServeConfig.from_file(home.config)
    except CommandError:
        return None


def _replicas(application: dict[str, Any]) -> str:
    deployments = application["deployments"].values()
    counts = [f"{one['name']} {len(one['replicas'])} {one['status'].lower()}" for one in deployments]
    return f" ({', '.join(counts)})" if counts else ""

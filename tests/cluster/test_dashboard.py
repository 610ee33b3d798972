"""The Grafana dashboard: every metric in it is exported, and Prometheus answers every query with a number.

`make check-cluster` runs the second test; it needs a `prometheus` on the PATH, such as Debian's.
"""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import ray.serve
import yaml

from cluster.configs import CLUSTER
from cluster.local import free_port
from tests.fakes.cluster import Cluster
from tests.fakes.metered_gateway import METRICS, metered_gateway, some_streams
from tests.fakes.polling import last_read

DASHBOARD = json.loads((CLUSTER / "grafana/reasoning-gateway.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
METRIC = re.compile(r"\bray_(\w+)")
SUFFIX = re.compile(r"_(total|bucket|count|sum)$")
ANSWER_SECONDS = 90


def serve_metrics() -> set[str]:
    """Return the names of Serve's own metrics, read from its source; a name with a placeholder is taken for HTTP."""
    files = Path(ray.serve.__path__[0]).rglob("*.py")
    names = (name for file in files for name in re.findall(r'"(serve_[a-z_{}.()]+)"', file.read_text("utf-8")))
    return {re.sub(r"\{.*?\}", "http", name) for name in names}


@pytest.mark.parametrize("query", QUERIES)
def test_every_metric_in_a_query_is_exported(query: str) -> None:
    ours = {f"gateway_{SUFFIX.sub('', name)}" for name in METRICS}
    asked = {SUFFIX.sub("", name) for name in METRIC.findall(query)}
    assert asked
    assert asked <= ours | serve_metrics()


def test_every_metric_of_the_gateway_is_on_the_dashboard() -> None:
    shown = {SUFFIX.sub("", name) for query in QUERIES for name in METRIC.findall(query)}
    assert {f"gateway_{SUFFIX.sub('', name)}" for name in METRICS} <= shown


def test_panels_neither_overlap_nor_share_a_title() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    taken = [cell for panel in DASHBOARD["panels"] for cell in cells(**panel["gridPos"])]
    assert len(set(taken)) == len(taken)
    assert max(column for column, _ in taken) < 24


def cells(x: int, y: int, w: int, h: int) -> list[tuple[int, int]]:
    return [(column, row) for column in range(x, x + w) for row in range(y, y + h)]


def test_compose_provisions_the_dashboard() -> None:
    compose = yaml.safe_load((CLUSTER / "compose.yaml").read_text("utf-8"))
    sources = {config["target"]: config["source"] for config in compose["services"]["grafana"]["configs"]}
    provider = yaml.safe_load(compose["configs"]["dashboards.yaml"]["content"])["providers"][0]
    provided = sources[f"{provider['options']['path']}/reasoning-gateway.json"]
    assert (CLUSTER / compose["configs"][provided]["file"]).samefile(CLUSTER / "grafana/reasoning-gateway.json")
    assert sources["/etc/grafana/provisioning/dashboards/reasoning-gateway.yaml"] == "dashboards.yaml"


@pytest.fixture
def prometheus(cluster: Cluster, tmp_path: Path) -> Iterator[str]:
    """Start a Prometheus that scrapes the cluster every second, and return its URL."""
    if (program := shutil.which("prometheus")) is None:
        pytest.skip("no prometheus on the PATH: apt-get install --no-install-recommends prometheus")
    scraped = {"job_name": "ray", "static_configs": [{"targets": [str(httpx.URL(cluster.metrics).netloc, "ascii")]}]}
    config = tmp_path / "prometheus.yml"
    config.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [scraped]}))
    address = f"127.0.0.1:{free_port()}"
    options = {"config.file": config, "storage.tsdb.path": tmp_path / "data", "web.listen-address": address}
    command = [program, *(f"--{name}={value}" for name, value in options.items())]
    with (tmp_path / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        yield f"http://{address}"
        process.terminate()


@pytest.mark.cluster
async def test_prometheus_answers_every_query_with_a_number(cluster: Cluster, prometheus: str) -> None:
    unanswered = QUERIES
    async with httpx.AsyncClient(timeout=30) as http, metered_gateway(cluster, "watched") as url:

        async def ask_again() -> list[str]:
            nonlocal unanswered
            await some_streams(http, url)
            unanswered = [query for query in unanswered if not await answered(http, prometheus, query)]
            return unanswered

        assert await last_read(ask_again, lambda queries: not queries, seconds=ANSWER_SECONDS) == []


async def answered(http: httpx.AsyncClient, prometheus: str, query: str) -> bool:
    """Return True if Prometheus is up and answers with a number. Fail if it refuses the query."""
    asked = {"query": query.replace("$__rate_interval", "20s")}
    try:
        answer = await http.get(f"{prometheus}/api/v1/query", params=asked)
    except httpx.ConnectError:
        return False
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        return False
    assert answer.is_success, answer.text
    result: list[dict[str, Any]] = answer.json()["data"]["result"]
    return any(math.isfinite(float(sample["value"][1])) for sample in result)

"""The graph over a scripted upstream, over HTTP APIs, and with its logs and spans collected."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from bench.peers import ROOT
from gateway.config import DeadlineSettings, GatewaySettings, LimitSettings
from gateway.upstream_settings import HttpUpstreamSettings
from tests.fakes.cluster import Cluster
from tests.fakes.collector import Collector
from tests.fakes.gateway_calls import PLAIN_MODEL
from tests.fakes.observed_gateway import SECRET, ObservedGateway
from tests.fakes.scripted_upstream import scripted_upstream


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


@pytest.fixture(scope="package")
def scripted(cluster: Cluster) -> Iterator[str]:
    """Deploy the application "scripted", the graph over a scripted upstream, and return its URL."""
    from ray import serve

    import graph

    settings = GatewaySettings(
        limits=LimitSettings(request_bytes=5000), deadlines=DeadlineSettings(prompt_summary=3, reasoning_summary=20)
    )
    serve.run(graph.connect(settings, {"qwen": scripted_upstream()}), name="scripted", route_prefix="/scripted")
    yield cluster.url("/scripted")
    serve.delete("scripted", _blocking=False)


@pytest.fixture
def url(scripted: str) -> str:
    return scripted


@pytest.fixture(scope="session")
def api() -> Iterator[str]:
    """Start the scripted API in a process of its own, and return its URL."""
    command = [sys.executable, "-m", "tests.fakes.scripted_api", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture(scope="package")
def over_http(cluster: Cluster, api: str) -> Iterator[str]:
    """Deploy the graph over HTTP APIs, and return its URL: over the scripted one, and over the plain API of a test."""
    from ray import serve

    import graph

    upstreams = (
        HttpUpstreamSettings(url=api, models=("deepseek-r1", "gpt-4o"), silence_seconds=0.5),
        HttpUpstreamSettings(url=api, models=("deepseek-promoted",), promote_truncated=True),
        HttpUpstreamSettings(url=cluster.url("/plain/v1"), models=(PLAIN_MODEL,)),
    )
    deadlines = DeadlineSettings(prompt_summary=1, reasoning_summary=1)
    settings = GatewaySettings(upstream=None, http_upstreams=upstreams, deadlines=deadlines)
    serve.run(graph.build(settings), name="http", route_prefix="/http")
    yield cluster.url("/http")
    serve.delete("http", _blocking=False)


@pytest.fixture(scope="package")
def observed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservedGateway]:
    """Deploy the graph with its logs as JSON in a folder of their own, and its spans sent to a collector."""
    from ray import serve
    from ray.serve.schema import LoggingConfig

    import graph

    logs = tmp_path_factory.mktemp("logs")
    with Collector() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}

        def deploy(cls: type) -> Any:
            # The ingress keeps Serve's default, 1,000 lines: the gateway flushes the lines of its streams itself.
            size = {"RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": "1000"} if cls.__name__ == "Ingress" else {}
            resources = {"num_cpus": 0.1, "runtime_env": {"env_vars": {**variables, **size}}}
            return serve.deployment(cls, ray_actor_options=resources, **graph.STREAMS)

        settings = GatewaySettings(deadlines=DeadlineSettings(prompt_summary=20, reasoning_summary=20))
        upstream = scripted_upstream(f"It says {SECRET} in 1999.", env_vars=variables)
        serve.run(
            graph.connect(settings, {"qwen": upstream}, deploy),
            name="observed",
            route_prefix="/observed",
            logging_config=LoggingConfig(encoding="JSON", logs_dir=str(logs)),
        )
        yield ObservedGateway(cluster.url("/observed"), logs, collector)
        serve.delete("observed", _blocking=False)

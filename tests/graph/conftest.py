"""What the tests of the graph share."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from gateway.config import DeadlineSettings, GatewaySettings, LimitSettings
from tests.conftest import Cluster
from tests.fakes.collector import Collector
from tests.fakes.scripted_upstream import ScriptedUpstream

SECRET = "rosebud"
"""Said in every prompt, reasoning, summary and response of the graph that is observed."""


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def scripted(cluster: Cluster) -> str:
    """The application "scripted": the graph over an upstream that says what its prompt says."""
    from ray import serve

    import graph

    settings = GatewaySettings(
        limits=LimitSettings(request_bytes=5000), deadlines=DeadlineSettings(prompt_summary=3, reasoning_summary=20)
    )
    upstream = graph._deploy(ScriptedUpstream).bind()
    serve.run(graph.connect(settings, {"qwen": upstream}), name="scripted", route_prefix="/scripted")
    return cluster.url("/scripted")


@pytest.fixture
def url(scripted: str) -> str:
    return scripted


@dataclass(frozen=True)
class Observed:
    url: str
    logs: Path
    collector: Collector


@pytest.fixture(scope="session")
def observed(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """The graph with logs as JSON in a folder of their own, and a collector that its spans are sent to."""
    from ray import serve
    from ray.serve.schema import LoggingConfig

    import graph

    logs, deploy = tmp_path_factory.mktemp("logs"), graph._deploy
    with Collector() as collector:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}

        def deploy_with_variables(cls: type) -> object:
            size = "1000" if cls.__name__ == "Ingress" else "1"
            environment = {**variables, "RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE": size}
            return deploy(cls).options(ray_actor_options={"num_cpus": 0.1, "runtime_env": {"env_vars": environment}})

        settings = GatewaySettings(deadlines=DeadlineSettings(prompt_summary=20, reasoning_summary=20))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(graph, "_deploy", deploy_with_variables)
            upstream = graph._deploy(ScriptedUpstream).bind(f"It says {SECRET} in 1999.")
            application = graph.connect(settings, {"qwen": upstream})
        serve.run(
            application,
            name="observed",
            route_prefix="/observed",
            logging_config=LoggingConfig(encoding="JSON", logs_dir=str(logs)),
        )
        yield Observed(cluster.url("/observed"), logs, collector)
        serve.delete("observed", _blocking=False)

"""One Ray cluster with Serve for all tests that need it, started for the first of them and ended with the session."""

import os
import secrets

os.environ.setdefault("RAY_SERVE_THROUGHPUT_OPTIMIZED", "1")  # as `make demo` runs it; Ray reads it on import
os.environ["RAY_SERVE_REQUEST_PATH_LOG_BUFFER_SIZE"] = "1"  # else a log is written 1,000 lines at a time
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}  # else Ray writes one into the home

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fakes.cluster import Cluster

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("default", deadline=None)  # a busy machine is no failure
settings.register_profile("fast", settings.get_profile("default"), max_examples=5)  # of `make test-fast`
settings.load_profile("default")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    import ray
    from ray import serve

    from cluster.configs import with_overlay
    from cluster.local import free_port

    # For the replicas. In a `runtime_env` of Ray's it would cost them the workers that Ray starts in advance.
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    port, metrics_port = free_port(), free_port()
    context = ray.init(
        address="local",  # never somebody's running cluster
        num_cpus=8,  # the replicas' reservations; the machine may have fewer
        num_gpus=0,
        include_dashboard=True,
        dashboard_port=free_port(),
        log_to_driver=False,
        _metrics_export_port=metrics_port,
        _system_config={"metrics_report_interval_ms": 1000},
    )
    tracing = with_overlay("gpu")["tracing_config"]
    serve.start(http_options={"host": "127.0.0.1", "port": port}, tracing_config=tracing)
    yield Cluster(
        http_port=port,
        dashboard=f"http://{context.dashboard_url}",
        metrics=f"http://127.0.0.1:{metrics_port}/metrics",
    )
    ray.shutdown()  # ends its own processes, and Serve's replicas with them

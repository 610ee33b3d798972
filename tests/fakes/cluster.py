"""The addresses of the Ray cluster that the tests start."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cluster:
    """The port of Serve's HTTP proxy, the URL of Ray's dashboard, and the URL of its Prometheus metrics."""

    http_port: int
    dashboard: str
    metrics: str

    def url(self, route_prefix: str = "") -> str:
        """Return the URL of the application at `route_prefix`."""
        return f"http://127.0.0.1:{self.http_port}{route_prefix}"

"""The whole graph on one screen: `serve deploy serve_config.yaml`, or `serve run graph:build`.

client -> Ingress -> StreamParser -> QwenUpstream, or an API elsewhere
                 `-> Summarizer   ->'  the same, or a SummaryModel of its own
"""

from collections.abc import Callable
from typing import Any

import ray
from ray import serve
from ray.serve import Application

from deployments.autoscaling import by_calls
from deployments.ingress import Ingress
from deployments.plain_api import PlainApi
from deployments.rpc.server import RpcServer
from deployments.stream_parser import StreamParser
from deployments.summarizer import Summarizer
from gateway.config import GatewaySettings, PlainApiSettings, UpstreamSettings

STREAMS: dict[str, Any] = {
    "max_ongoing_requests": 256,
    "max_queued_requests": 256,
    "graceful_shutdown_timeout_s": 600,
    "autoscaling_config": {"min_replicas": 1, "max_replicas": 4, "target_ongoing_requests": 48},
}
"""What suits streams of minutes: Serve's own defaults take 5 requests a replica and cut them off after 20 s."""
CALLED: dict[str, Any] = {
    **STREAMS,
    "autoscaling_config": {**STREAMS["autoscaling_config"], "policy": {"policy_function": by_calls}},
}
"""The same of a deployment that others call over links."""


def build(config: GatewaySettings) -> Application:
    """The gateway over its own Qwen, APIs elsewhere, or both. Numbers stand in serve_config.yaml, over `STREAMS`."""
    upstreams = {}
    if config.upstream:
        upstreams["qwen"] = _qwen("QwenUpstream", config.upstream)
    if config.summarizer.own:
        upstreams["own"] = _qwen("SummaryModel", config.summarizer.own)
    return connect(config, upstreams)


def build_upstream_api(config: PlainApiSettings) -> Application:
    """The Qwen of the application above as a plain API, to compare with, or to point a gateway at."""
    api: Application = _deploy(serve.ingress()(PlainApi)).bind(config)
    return api


def connect(
    config: GatewaySettings, upstreams: dict[str, Application], deploy: Callable[[type], Any] | None = None
) -> Application:
    """The gateway over upstreams that are bound. `deploy` makes a deployment of a class, instead of `STREAMS`."""
    deploy = deploy or _deploy
    summarizer = deploy(Summarizer).bind(upstreams, config)
    answering = {name: upstream for name, upstream in upstreams.items() if name != "own"}
    parser = deploy(StreamParser).bind(answering, config)
    graph: Application = deploy(serve.ingress()(Ingress)).bind(config, parser, summarizer)
    return graph


def _qwen(name: str, settings: UpstreamSettings) -> Application:
    from deployments.qwen_upstream import QwenUpstream  # torch is for those alone who have a Qwen

    qwen: Application = _deploy(QwenUpstream, name, _resources(settings)).bind(settings)
    return qwen


def _deploy(cls: type, name: str | None = None, ray_actor_options: dict[str, float] | None = None) -> Any:
    options = ray_actor_options or {"num_cpus": 0.1}
    rest = CALLED if issubclass(cls, RpcServer) else STREAMS
    return serve.deployment(cls, name=name or cls.__name__, ray_actor_options=options, **rest)


def _resources(upstream: UpstreamSettings) -> dict[str, float]:
    """A GPU where one is asked for or the cluster has one; with `serve run` nobody has started Ray yet."""
    if not ray.is_initialized():
        ray.init()
    has_gpu = ray.cluster_resources().get("GPU", 0) > 0  # type: ignore[no-untyped-call]
    if upstream.device == "cuda" or (upstream.device == "auto" and has_gpu):
        return {"num_cpus": 1, "num_gpus": upstream.num_gpus}
    return {"num_cpus": 1}

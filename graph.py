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
from deployments.qwen_deployment import QwenUpstream
from deployments.rpc.server import RpcServer
from deployments.stream_parser import StreamParser
from deployments.summarizer import Summarizer
from engine import HUGE_PAGES
from gateway.config import GatewaySettings, PlainApiSettings
from gateway.upstream_settings import UpstreamSettings

STREAMS: dict[str, Any] = {
    "max_ongoing_requests": 1000,
    "max_queued_requests": 256,
    "graceful_shutdown_timeout_s": 600,
    "autoscaling_config": {"min_replicas": 1, "max_replicas": 4, "target_ongoing_requests": 48},
}
"""Options for streams of minutes: by default Serve takes 5 requests per replica and cuts them off after 20 s.

Of its limits none is to be reached: the gateway's own are below, and answer at once. Serve counts all requests that
arrive in one iteration of the event loop as queued, so its queue bounds bursts, not waiting.
"""
CALLED: dict[str, Any] = {
    **STREAMS,
    "autoscaling_config": {**STREAMS["autoscaling_config"], "policy": {"policy_function": by_calls}},
}
"""Options for deployments that others call by RPC: they scale by calls, since Serve sees connections only."""


def build(config: GatewaySettings) -> Application:
    """Return the gateway over a Qwen of its own, APIs elsewhere, or both. serve_config.yaml overrides `STREAMS`."""
    upstreams = {}
    if config.upstream:
        upstreams["qwen"] = _qwen("QwenUpstream", config.upstream, _summary_language(config, "qwen"))
    if config.summarizer.own:
        upstreams["own"] = _qwen("SummaryModel", config.summarizer.own, _summary_language(config, "own"))
    return connect(config, upstreams)


def build_upstream_api(config: PlainApiSettings) -> Application:
    """Return the Qwen of another application as a plain API, to compare the gateway with, or to put behind one."""
    api: Application = _deploy(serve.ingress()(PlainApi)).bind(config)
    return api


def connect(
    config: GatewaySettings, upstreams: dict[str, Application], deploy: Callable[[type], Any] | None = None
) -> Application:
    """Return the gateway over bound `upstreams`. `deploy` makes a deployment of a class; by default with `STREAMS`."""
    deploy = deploy or _deploy
    summarizer = deploy(Summarizer).bind(upstreams, config)
    answering = {name: upstream for name, upstream in upstreams.items() if name != "own"}
    parser = deploy(StreamParser).bind(answering, config)
    graph: Application = deploy(serve.ingress()(Ingress)).bind(config, parser, summarizer)
    return graph


def _qwen(name: str, settings: UpstreamSettings, summary_language: str | None) -> Application:
    qwen: Application = _deploy(QwenUpstream, name, _resources(settings)).bind(settings, summary_language)
    return qwen


def _summary_language(config: GatewaySettings, upstream: str) -> str | None:
    """Return the language of summaries if the upstream writes them."""
    _, route = config.summary_model
    return config.summarizer.language if route.upstream == upstream else None


def _deploy(cls: type, name: str | None = None, ray_actor_options: dict[str, Any] | None = None) -> Any:
    options = ray_actor_options or {"num_cpus": 0.1}
    rest = CALLED if issubclass(cls, RpcServer) else STREAMS
    return serve.deployment(cls, name=name or cls.__name__, ray_actor_options=options, **rest)


def _resources(upstream: UpstreamSettings) -> dict[str, Any]:
    """Reserve a GPU if the settings want one or the cluster has one; with `serve run`, Ray has not started yet.

    A processor reads the weights from huge pages, in which glibc allocates large blocks if it is told before it starts.
    """
    if not ray.is_initialized():
        ray.init()
    has_gpu = ray.cluster_resources().get("GPU", 0) > 0  # type: ignore[no-untyped-call]
    if upstream.device == "cuda" or (upstream.device == "auto" and has_gpu):
        return {"num_cpus": 1, "num_gpus": upstream.num_gpus}
    return {"num_cpus": 1, "runtime_env": {"env_vars": HUGE_PAGES}}

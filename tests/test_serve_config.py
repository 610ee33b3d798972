"""The Serve configs: every key is one that Serve and the gateway know, because Serve ignores others silently.

Checked for serve_config.yaml, for each overlay of cluster/ merged into it, and for a gateway in front of an API.
"""

import copy
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import ray
from pydantic import BaseModel, ValidationError
from ray.serve import Application
from ray.serve.schema import ServeDeploySchema

import graph
from cluster.configs import base, in_front_of, overlays, with_overlay, with_qwen
from gateway.config import GatewaySettings, LimitSettings, PlainApiSettings

ARGS: dict[str, type[BaseModel]] = {"graph:build": GatewaySettings, "graph:build_upstream_api": PlainApiSettings}
NEEDED = {"autoscaling_config", "max_ongoing_requests", "max_queued_requests", "graceful_shutdown_timeout_s"}
BASE, API, QWEN = "base", "api", "qwen"
in_each = pytest.mark.parametrize("name", [BASE, API, QWEN, *overlays()])


def load(name: str = BASE) -> dict[str, Any]:
    match name:
        case "base":
            return base()
        case "api":
            return in_front_of("https://api.example.com/v1", ["big", "small"], "EXAMPLE_KEY")
        case "qwen":
            return with_qwen("embedded-0.5b")
    return with_overlay(name)


def ours(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the applications that graph.py builds; ray.serve.llm, which builds another, need not be installed."""
    return [application for application in config["applications"] if application["import_path"] in ARGS]


def models(annotation: Any) -> list[type[BaseModel]]:
    """Return the pydantic models in a type such as `Optional[Union[Dict, AutoscalingConfig]]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models(inner)]


def unknown(value: Any, known: list[type[BaseModel]], path: str = "") -> Iterator[str]:
    """Yield the paths of all keys that no model in that place has; a place without a model takes any key."""
    if isinstance(value, list):
        for n, item in enumerate(value):
            yield from unknown(item, known, f"{path}.{n}")
    if not isinstance(value, dict) or not known:
        return
    fields = {name: field for model in known for name, field in model.model_fields.items()}
    for key, inner in value.items():
        here = f"{path}.{key}".removeprefix(".")
        if key not in fields:
            yield here
        elif key == "args":
            yield from unknown(inner, [model for path, model in ARGS.items() if path == value["import_path"]], here)
        else:
            yield from unknown(inner, models(fields[key].annotation), here)


def unknown_keys(config: dict[str, Any]) -> list[str]:
    return list(unknown(config, [ServeDeploySchema]))


@in_each
def test_every_key_is_known(name: str) -> None:
    assert unknown_keys(load(name)) == []


@in_each
def test_serve_and_the_gateway_accept_the_values(name: str) -> None:
    config = load(name)
    ServeDeploySchema.model_validate(config)
    for application in ours(config):
        ARGS[application["import_path"]].model_validate(application["args"])


@pytest.mark.parametrize("name", [BASE, QWEN, "gpu"])
def test_the_plain_api_asks_the_model_of_the_gateway(name: str) -> None:
    gateway, plain = load(name)["applications"]
    assert {BASE: "embedded", QWEN: "embedded-0.5b", "gpu": "Qwen/Qwen3-4B"}[name] == plain["args"]["model"]
    assert plain["args"]["application"] == gateway["name"]
    assert plain["args"]["deployment"] in [deployment["name"] for deployment in gateway["deployments"]]
    assert plain["args"]["model"] == gateway["args"]["upstream"]["model"]


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ((), "http_option"),
        ((), "deployments"),
        (("http_options",), "hosts"),
        (("logging_config",), "level"),
        (("applications", 0), "routeprefix"),
        (("applications", 0, "args"), "upstreams"),
        (("applications", 0, "args", "upstream"), "num_gpu"),
        (("applications", 0, "args", "deadlines"), "prompt_sumary"),
        (("applications", 0, "args", "deadlines"), "prompt"),
        (("applications", 0, "args", "limits"), "requests_bytes"),
        (("applications", 0, "deployments", 0), "num_replica"),
        (("applications", 0, "deployments", 3), "max_concurrent_queries"),
        (("applications", 0, "deployments", 1, "autoscaling_config"), "min_replica"),
        (("applications", 0, "deployments", 1, "autoscaling_config"), "target_num_ongoing_requests_per_replica"),
    ],
    ids=str,
)
def test_a_misspelled_key_is_found(place: tuple[str | int, ...], key: str) -> None:
    config = copy.deepcopy(load())
    inner: Any = config
    for step in place:
        inner = inner[step]
    inner[key] = 1
    assert unknown_keys(config) == [".".join(map(str, (*place, key)))]


@pytest.mark.parametrize("key", ["num_gpu", "num_cpu", "max_restart"])
def test_a_misspelled_resource_is_found(key: str) -> None:
    config = load()
    config["applications"][0]["deployments"][3]["ray_actor_options"] = {"num_gpus": 1, key: 1}
    assert unknown_keys(config) == [f"applications.0.deployments.3.ray_actor_options.{key}"]


def test_keys_of_free_form_places_are_accepted() -> None:
    config = load()
    config["applications"][0]["runtime_env"] = {"env_vars": {"ANYTHING": "1"}}
    config["applications"][0]["deployments"][3]["ray_actor_options"] = {"resources": {"my_gpu": 1}}
    assert unknown_keys(config) == []


def test_serve_itself_ignores_an_unknown_key() -> None:
    """The reason to compare keys here: once Serve refuses unknown ones, validating is enough."""
    config = load()
    config["applications"][0]["deployments"][0]["num_replica"] = 1
    deployment = ServeDeploySchema.model_validate(config).applications[0].deployments[0]
    assert not hasattr(deployment, "num_replica")


def test_the_gateway_refuses_an_unknown_key_by_name() -> None:
    args = load()["applications"][0]["args"]
    args["upstream"]["num_gpu"] = 1
    with pytest.raises(ValidationError, match=r"upstream\.num_gpu"):
        GatewaySettings.model_validate(args)


def deployed(application: Application) -> Iterator[Any]:
    """Yield the deployments in an application, each after those that it calls."""
    deployment: Any = application._bound_deployment
    for argument in (*deployment.init_args, *deployment.init_kwargs.values()):
        for one in argument.values() if isinstance(argument, dict) else [argument]:
            if isinstance(one, Application):
                yield from deployed(one)
    yield deployment


@in_each
@pytest.mark.parametrize("gpus", [0, 1])
def test_every_deployment_of_the_graph_has_its_numbers(name: str, gpus: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 4, "GPU": gpus})
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    for application in ours(load(name)):
        build = getattr(graph, application["import_path"].removeprefix("graph:"))
        built = {
            one.name for one in deployed(build(ARGS[application["import_path"]].model_validate(application["args"])))
        }
        listed = {deployment["name"]: set(deployment) for deployment in application["deployments"]}
        assert set(listed) == built
        assert len(listed) == len(application["deployments"])
        assert {name: NEEDED - keys for name, keys in listed.items()} == {name: set() for name in built}


@pytest.mark.parametrize(
    ("gpus", "options"),
    [
        (0, {"num_cpus": 1, "runtime_env": {"env_vars": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}}}),
        (1, {"num_cpus": 1, "num_gpus": 0.5}),
    ],
)
def test_a_qwen_has_a_gpu_or_huge_pages(gpus: int, options: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 4, "GPU": gpus})
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    graph_of_one = graph.build(GatewaySettings.model_validate({"upstream": {"model": "embedded", "num_gpus": 0.5}}))
    qwen = next(one for one in deployed(graph_of_one) if one.name == "QwenUpstream")
    assert qwen.ray_actor_options == options


@pytest.mark.parametrize(
    ("settings", "languages"),
    [
        ({}, {"QwenUpstream": "auto"}),
        ({"summarizer": {"language": "ja"}}, {"QwenUpstream": "ja"}),
        (
            {"http_upstreams": [{"url": "http://127.0.0.1:1/v1", "models": ["api"]}], "summarizer": {"model": "api"}},
            {"QwenUpstream": None},
        ),
        (
            {"summarizer": {"own": {"model": "embedded-0.5b"}}},
            {"QwenUpstream": None, "SummaryModel": "auto"},
        ),
    ],
)
def test_a_qwen_knows_the_language_of_the_summaries_that_it_writes(
    settings: dict[str, Any], languages: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 4})
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    built = graph.build(GatewaySettings.model_validate({"upstream": {"model": "embedded"}, **settings}))
    qwens = [one for one in deployed(built) if one.name in ("QwenUpstream", "SummaryModel")]
    assert {one.name: one.init_args[1] for one in qwens} == languages


@in_each
def test_a_redeploy_starts_new_replicas_first_except_a_qwen_that_needs_a_gpu(name: str) -> None:
    deployments = [one for application in ours(load(name)) for one in application["deployments"]]
    assert {one["name"] for one in deployments if not one.get("max_surge_percent")} <= {"QwenUpstream"}


@in_each
def test_every_deployment_scales_by_its_streams_within_bounds(name: str) -> None:
    for deployment in [one for application in ours(load(name)) for one in application["deployments"]]:
        scaling = deployment["autoscaling_config"]
        assert 1 <= scaling["min_replicas"] <= scaling["max_replicas"]
        assert 0 < scaling["target_ongoing_requests"] <= deployment["max_ongoing_requests"]
        assert deployment["max_queued_requests"] > 0


@in_each
def test_replicas_are_added_before_streams_are_refused_and_the_gateway_refuses_before_serve(name: str) -> None:
    for application in ours(load(name)):
        limits = LimitSettings.model_validate(application["args"].get("limits", {}))
        ingress = next(one for one in application["deployments"] if one["name"] in ("Ingress", "PlainApi"))
        for cores in (2, 64):
            per_client, in_all = limits.places(cores)
            assert ingress["autoscaling_config"]["target_ongoing_requests"] <= in_all
            assert per_client < in_all < ingress["max_ongoing_requests"] / 2


def test_in_front_of_an_api_there_is_no_qwen() -> None:
    (application,) = load(API)["applications"]
    settings = GatewaySettings.model_validate(application["args"])
    assert settings.upstream is None
    assert list(settings.models) == ["big", "small"]
    assert [(api.url, api.api_key_env) for api in settings.http_upstreams] == [
        ("https://api.example.com/v1", "EXAMPLE_KEY")
    ]
    assert [deployment["name"] for deployment in application["deployments"]] == [
        "Ingress",
        "StreamParser",
        "Summarizer",
    ]

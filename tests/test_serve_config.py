"""Every key of serve_config.yaml, and of each overlay in cluster/ over it, is one that Serve and the gateway know.

Serve drops the others without a word.
"""

import copy
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import ray
import yaml
from pydantic import BaseModel, ValidationError
from ray.serve import Application
from ray.serve.schema import ServeDeploySchema

import graph
from cluster.configs import BASE, laid_over, overlays
from gateway.config import GatewaySettings, PlainApiSettings

ARGS: dict[str, type[BaseModel]] = {"graph:build": GatewaySettings, "graph:build_upstream_api": PlainApiSettings}
NEEDED = {"autoscaling_config", "max_ongoing_requests", "max_queued_requests", "graceful_shutdown_timeout_s"}
in_each = pytest.mark.parametrize("overlay", [None, *overlays()])


def load(overlay: str | None = None) -> dict[str, Any]:
    config: dict[str, Any] = laid_over(overlay) if overlay else yaml.safe_load(BASE.read_text("utf-8"))
    return config


def ours(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The applications that graph.py builds: ray.serve.llm, which builds another, need not be installed."""
    return [application for application in config["applications"] if application["import_path"] in ARGS]


def models(annotation: Any) -> list[type[BaseModel]]:
    """The pydantic models in a type such as `Optional[Union[Dict, AutoscalingConfig]]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in models(inner)]


def unknown(value: Any, known: list[type[BaseModel]], path: str = "") -> Iterator[str]:
    """The paths of all keys that none of the models in that place has; a place without a model takes any key."""
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


def strangers(config: dict[str, Any]) -> list[str]:
    return list(unknown(config, [ServeDeploySchema]))


@in_each
def test_every_key_is_known(overlay: str | None) -> None:
    assert strangers(load(overlay)) == []


@in_each
def test_serve_and_the_gateway_take_the_values(overlay: str | None) -> None:
    config = load(overlay)
    ServeDeploySchema.model_validate(config)
    for application in ours(config):
        ARGS[application["import_path"]].model_validate(application["args"])


@pytest.mark.parametrize("overlay", [None, "gpu"])
def test_the_plain_api_asks_the_model_of_the_gateway(overlay: str | None) -> None:
    gateway, plain = load(overlay)["applications"]
    assert plain["args"]["application"] == gateway["name"]
    assert plain["args"]["deployment"] in [deployment["name"] for deployment in gateway["deployments"]]
    assert plain["args"]["model"] == GatewaySettings.model_validate(gateway["args"]).upstream.name  # type: ignore[union-attr]


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
    assert strangers(config) == [".".join(map(str, (*place, key)))]


@pytest.mark.parametrize("key", ["num_gpu", "num_cpu", "max_restart"])
def test_a_misspelled_resource_is_found(key: str) -> None:
    config = load()
    config["applications"][0]["deployments"][3]["ray_actor_options"] = {"num_gpus": 1, key: 1}
    assert strangers(config) == [f"applications.0.deployments.3.ray_actor_options.{key}"]


def test_keys_that_are_free_are_let_through() -> None:
    config = load()
    config["applications"][0]["runtime_env"] = {"env_vars": {"ANYTHING": "1"}}
    config["applications"][0]["deployments"][3]["ray_actor_options"] = {"resources": {"my_gpu": 1}}
    assert strangers(config) == []


def test_serve_itself_would_not_have_said_anything() -> None:
    """Why this file compares keys: once Serve refuses unknown ones, validating is enough."""
    config = load()
    config["applications"][0]["deployments"][0]["num_replica"] = 1
    deployment = ServeDeploySchema.model_validate(config).applications[0].deployments[0]
    assert not hasattr(deployment, "num_replica")


def test_the_gateway_refuses_an_unknown_key_by_name() -> None:
    args = load()["applications"][0]["args"]
    args["upstream"]["num_gpu"] = 1
    with pytest.raises(ValidationError, match=r"upstream\.num_gpu"):
        GatewaySettings.model_validate(args)


def deployed(application: Application) -> Iterator[str]:
    """The names of the deployments in an application, each behind those it calls."""
    deployment: Any = application._bound_deployment
    for argument in (*deployment.init_args, *deployment.init_kwargs.values()):
        for one in argument.values() if isinstance(argument, dict) else [argument]:
            if isinstance(one, Application):
                yield from deployed(one)
    yield deployment.name


@in_each
@pytest.mark.parametrize("gpus", [0, 1])
def test_every_deployment_of_the_graph_has_its_numbers(
    overlay: str | None, gpus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 4, "GPU": gpus})
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    for application in ours(load(overlay)):
        build = getattr(graph, application["import_path"].removeprefix("graph:"))
        built = set(deployed(build(ARGS[application["import_path"]].model_validate(application["args"]))))
        listed = {deployment["name"]: set(deployment) for deployment in application["deployments"]}
        assert set(listed) == built
        assert len(listed) == len(application["deployments"])
        assert {name: NEEDED - keys for name, keys in listed.items()} == {name: set() for name in built}


@in_each
def test_a_redeploy_starts_new_replicas_first_but_for_a_qwen_that_may_have_no_gpu_to_spare(overlay: str | None) -> None:
    deployments = [one for application in ours(load(overlay)) for one in application["deployments"]]
    assert {one["name"] for one in deployments if not one.get("max_surge_percent")} <= {"QwenUpstream"}


@in_each
def test_every_deployment_scales_between_two_numbers_by_its_streams(overlay: str | None) -> None:
    for deployment in [one for application in ours(load(overlay)) for one in application["deployments"]]:
        scaling = deployment["autoscaling_config"]
        assert 1 <= scaling["min_replicas"] <= scaling["max_replicas"]
        assert 0 < scaling["target_ongoing_requests"] <= deployment["max_ongoing_requests"]
        assert deployment["max_queued_requests"] > 0

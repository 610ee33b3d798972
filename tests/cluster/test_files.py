"""The files of cluster/ match the schemas of the programs that read them, and each other."""

import re
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import ray
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from ray.autoscaler._private.util import prepare_config, validate_config

from bench.peers import ROOT
from cluster.configs import CARRIERS, CLUSTER, with_embedded_config

KUBERNETES = "1.34"
LONGEST_STREAM_SECONDS = 600
"""`graceful_shutdown_timeout_s` of serve_config.yaml."""


def load(path: str) -> Any:
    return yaml.safe_load((CLUSTER / path).read_text("utf-8"))


def resources() -> dict[str, dict[str, Any]]:
    """Return the documents of kuberay/rayservice.yaml by kind."""
    documents = yaml.safe_load_all((CLUSTER / "kuberay/rayservice.yaml").read_text("utf-8"))
    return {document["kind"]: document for document in documents}


def groups() -> dict[str, dict[str, Any]]:
    """Return the pod templates of the RayService by the name of their group."""
    ray_cluster = resources()["RayService"]["spec"]["rayClusterConfig"]
    workers = {group["groupName"]: group["template"] for group in ray_cluster["workerGroupSpecs"]}
    return {"head": ray_cluster["headGroupSpec"]["template"], **workers}


@pytest.mark.parametrize("carrier", CARRIERS, ids=lambda path: path.parent.name)
def test_the_embedded_serve_config_is_up_to_date(carrier: Path) -> None:
    assert carrier.read_text("utf-8") == with_embedded_config(carrier), "run `make cluster-configs`"


@pytest.mark.parametrize("kind", ["PodDisruptionBudget", "StatefulSet", "Service"])
def test_kubernetes_accepts_the_resource(kind: str) -> None:
    kubernetes_validate.validate(resources()[kind], KUBERNETES, strict=True)


@pytest.mark.parametrize("group", ["head", "cpu", "gpu"])
def test_kubernetes_accepts_the_pods(group: str) -> None:
    metadata = {"name": group, **groups()[group].get("metadata", {})}
    pod = {"apiVersion": "v1", "kind": "Pod", **groups()[group], "metadata": metadata}
    kubernetes_validate.validate(pod, KUBERNETES, strict=True)


def test_the_ray_version_is_the_installed_one() -> None:
    assert resources()["RayService"]["spec"]["rayClusterConfig"]["rayVersion"] == ray.__version__


def test_every_grace_period_is_longer_than_the_longest_stream() -> None:
    gateway = yaml.safe_load((ROOT / "serve_config.yaml").read_text("utf-8"))["applications"][0]
    assert {one["graceful_shutdown_timeout_s"] for one in gateway["deployments"]} == {LONGEST_STREAM_SECONDS}
    assert resources()["RayService"]["spec"]["rayClusterDeletionDelaySeconds"] > LONGEST_STREAM_SECONDS
    for name in ("cpu", "gpu"):
        pod = groups()[name]["spec"]
        environment = {one["name"]: one["value"] for one in pod["containers"][0]["env"]}
        drain = float(environment["RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S"])
        assert LONGEST_STREAM_SECONDS < drain < pod["terminationGracePeriodSeconds"]


def test_the_head_runs_no_replica_and_keeps_its_state_in_the_redis_of_the_file() -> None:
    ray_cluster = resources()["RayService"]["spec"]["rayClusterConfig"]
    assert ray_cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    service, redis = resources()["Service"], resources()["StatefulSet"]
    name, port = ray_cluster["gcsFaultToleranceOptions"]["redisAddress"].split(":")
    assert (name, int(port)) == (service["metadata"]["name"], service["spec"]["ports"][0]["port"])
    assert service["spec"]["selector"] == redis["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("path", ["Dockerfile", "ray-cluster.yaml", "ray-cluster.aws.yaml", "kuberay/rayservice.yaml"])
def test_every_node_serves_the_api_and_has_normal_priority(path: str) -> None:
    text = (CLUSTER / path).read_text("utf-8")
    optimized = re.findall(r"RAY_SERVE_THROUGHPUT_OPTIMIZED(?:=|, value: \")1", text)
    assert optimized
    for name in ("RAY_SERVE_ENABLE_DIRECT_INGRESS", "RAY_worker_niceness"):
        assert len(re.findall(rf"{name}(?:=|, value: \")0", text)) == len(optimized)


def test_the_disruption_budget_selects_the_workers() -> None:
    labels = resources()["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]
    assert [name for name, pod in groups().items() if pod.get("metadata", {}).get("labels") == labels] == ["cpu", "gpu"]


def test_without_gpus_the_group_with_gpus_is_removed() -> None:
    replace, test, remove = load("kuberay-http/patch.yaml")
    assert (replace["path"], replace["op"]) == ("/spec/serveConfigV2", "replace")
    assert (remove["path"], remove["op"]) == ("/spec/rayClusterConfig/workerGroupSpecs/1", "remove")
    assert (test["path"], test["op"], test["value"]) == (f"{remove['path']}/groupName", "test", "gpu")
    assert list(groups()).index("gpu") == 2


@pytest.mark.parametrize("path", ["ray-cluster.yaml", "ray-cluster.aws.yaml"])
def test_ray_up_accepts_the_file(path: str) -> None:
    validate_config(prepare_config(load(path)))


def test_compose_accepts_its_file() -> None:
    compose = load("compose.yaml")
    jsonschema.validate(compose, get_builtin_schema("vendor.compose-spec"))
    for config in compose["configs"].values():
        yaml.safe_load(config["content"] if "content" in config else (CLUSTER / config["file"]).read_text("utf-8"))


def test_the_image_contains_every_package() -> None:
    lines = (CLUSTER / "Dockerfile").read_text("utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert packages >= {"client", "cluster", "deployments", "engine", "gateway", "upstreams", "web"}
    assert all((ROOT / name).exists() for names in copied for name in names)
    assert packages <= {name for names in copied for name in names}

"""The contract with Ray Serve's private API: after an upgrade of Ray, each test says in a sentence what has changed."""

import inspect
from contextvars import copy_context
from types import SimpleNamespace

import pytest
from ray.experimental import internal_kv
from ray.serve import context
from ray.serve._private.client import ServeControllerClient
from ray.serve.config import HTTPOptions
from ray.serve.handle import DeploymentHandle

from deployments.telemetry import serve_internals
from deployments.telemetry.serve_internals import request_id, set_request_id

MODULE = "deployments/telemetry/serve_internals.py"


def require(holds: bool, change: str) -> None:
    assert holds, f"Ray Serve has changed: {change}. Adapt {MODULE}."


@pytest.mark.parametrize("name", ["_get_serve_request_context", "_set_request_context", "_get_global_client"])
def test_serve_still_has_the_function(name: str) -> None:
    require(callable(getattr(context, name, None)), f"ray.serve.context has no function {name}")


def test_serve_still_keeps_the_id_of_a_request_in_its_context() -> None:
    fields = inspect.signature(context._set_request_context).parameters
    require("request_id" in fields, "_set_request_context takes no request_id")
    ids = copy_context().run(ids_around, "request-1")
    require(ids == ("", "request-1"), "the context does not keep the request's id")


def ids_around(id: str) -> tuple[str, str]:
    """The request's id before and after it is set."""
    before = request_id()
    set_request_id(id)
    return before, request_id()


def test_serve_still_lets_a_handle_choose_the_object_store() -> None:
    options = inspect.signature(DeploymentHandle.options).parameters
    require({"method_name", "stream", "_by_reference"} <= set(options), "DeploymentHandle.options has other parameters")


def test_serve_still_keeps_its_http_options_in_its_client() -> None:
    client = inspect.getattr_static(ServeControllerClient, "http_config", None)
    require(isinstance(client, property), "ServeControllerClient has no property http_config")
    require("host" in HTTPOptions.model_fields, "HTTPOptions has no field host")


def test_ray_still_has_a_key_value_store_that_keeps_the_first_value() -> None:
    parameters = inspect.signature(internal_kv._internal_kv_put).parameters
    require(list(parameters)[:3] == ["key", "value", "overwrite"], "_internal_kv_put has other parameters")
    for function in (internal_kv._internal_kv_put, internal_kv._internal_kv_get):
        require("namespace" in inspect.signature(function).parameters, f"{function.__name__} takes no namespace")


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], bytes]:
    """Ray's key-value store, as a dict."""
    store: dict[tuple[str, str], bytes] = {}

    def put(key: str, value: bytes, overwrite: bool = True, *, namespace: str) -> bool:
        known = (namespace, key) in store
        if overwrite or not known:
            store[namespace, key] = value
        return known

    monkeypatch.setattr(serve_internals, "_internal_kv_put", put)
    monkeypatch.setattr(serve_internals, "_internal_kv_get", lambda key, *, namespace: store.get((namespace, key)))
    return store


def test_a_secret_of_the_cluster_is_made_once_for_each_name(store: dict[tuple[str, str], bytes]) -> None:
    first, again, other = (serve_internals.cluster_secret(name) for name in ("a", "a", "b"))
    assert (first, len(first)) == (again, 32)
    assert other != first
    assert sorted(store) == [("reasoning-gateway", "a"), ("reasoning-gateway", "b")]


@pytest.mark.parametrize(
    ("haproxy", "host", "hidden"),
    [("1", "0.0.0.0", True), ("1", "10.0.0.9", True), ("1", "127.0.0.1", False), ("0", "0.0.0.0", False)],
)
def test_clients_are_hidden_behind_a_haproxy_that_others_reach(
    monkeypatch: pytest.MonkeyPatch, haproxy: str, host: str, hidden: bool
) -> None:
    client = SimpleNamespace(http_config=HTTPOptions(host=host))
    monkeypatch.setenv(serve_internals.HAPROXY, haproxy)
    monkeypatch.setattr(serve_internals, "_get_global_client", lambda: client)
    assert serve_internals.clients_are_hidden() is hidden

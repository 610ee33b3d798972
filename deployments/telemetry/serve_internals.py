"""The one module that uses private API of Ray Serve (2.60), where Serve has no public way.

What Ray adds here: the id of a request, which it carries from the client to the first deployment and writes into each
line of the log, its HTTP options, and its key-value store. If an upgrade of Ray changes what is used here, then
`tests/deployments/telemetry/test_serve_internals.py` fails with a plain sentence.
"""

import os
import secrets
from typing import Any

from ray.experimental.internal_kv import _internal_kv_get, _internal_kv_put
from ray.serve.context import _get_global_client, _get_serve_request_context, _set_request_context

from gateway.keys import is_loopback

HAPROXY = "RAY_SERVE_ENABLE_HA_PROXY"
"""Set to 1, Serve puts a HAProxy in front of its replicas. It adds no header that names the client."""

KV_NAMESPACE = "reasoning-gateway"
SECRET_BYTES = 32


def request_id() -> str:
    """Return the id of the request that this task works for, or an empty string outside of a request."""
    id: str = _get_serve_request_context().request_id
    return id


def set_request_id(id: str) -> None:
    """Make `id` the request that this task works for; its log lines carry it. An empty id changes nothing."""
    _set_request_context(request_id=id)


def streaming_call(handle: Any, method: str) -> Any:
    """Call `method` of the deployment, without arguments, and return Serve's response generator.

    Its items go by reference, through Ray's object store instead of gRPC: if the machine of the replica is lost, Ray
    tells the caller sooner than a socket does.
    """
    return handle.options(method_name=method, stream=True, _by_reference=True).remote()


def clients_are_hidden() -> bool:
    """Return whether every request seems to come from this node because Serve's HAProxy passes it on.

    HAProxy connects from its node's own address. Only if Serve listens on the loopback address are all clients local.
    """
    return os.environ.get(HAPROXY) == "1" and not is_loopback(_http_host())


def cluster_secret(name: str) -> bytes:
    """Return random bytes that are the same in all processes of the cluster; the first that asks for `name` makes them.

    They are in the store of Ray's head node, and go with the cluster.
    """
    _internal_kv_put(name, secrets.token_bytes(SECRET_BYTES), overwrite=False, namespace=KV_NAMESPACE)
    secret = _internal_kv_get(name, namespace=KV_NAMESPACE)
    if not isinstance(secret, bytes) or len(secret) != SECRET_BYTES:
        raise RuntimeError(f"Ray's key-value store has not kept the secret {name!r}")
    return secret


def _http_host() -> str:
    """Return the address that Serve listens on, as `http_options` configures it."""
    client = _get_global_client()
    return (client and client.http_config.host) or ""

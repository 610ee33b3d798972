"""The door of an HTTP application: keys and streams a key, as plain ASGI middleware; `gateway.keys` decides.

What Ray adds here: its HAProxy, which hides who asks. `BaseHTTPMiddleware` would hide a client that goes away.
"""

import os
from pathlib import Path

from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.config import AccessSettings
from gateway.errors import ClientError
from gateway.keys import Keys, Streams, is_loopback, key_hashes
from web.application import CLIENT, Application, refusal

OPEN_PATHS = ("/health",)
"""What a load balancer asks without a key."""
FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
"""Headers that a proxy adds: the client is not who connects."""
HAPROXY = "RAY_SERVE_ENABLE_HA_PROXY"
"""Set to 1, Serve (2.60) stands behind a HAProxy of its own, which adds no such header. It connects from its node's own
address, while the replicas listen to everybody."""


def guard(app: Application, settings: AccessSettings, streams: int) -> None:
    """Let in who may ask, and pages of the configured origins. Raises ValueError where the keys cannot be read."""
    keys = Keys(_hashes(settings), settings.allow_anonymous)
    app.add_middleware(Door, keys=keys, streams=Streams(streams), hidden=_clients_are_hidden())
    if settings.cors_origins:
        origins = list(settings.cors_origins)
        app.add_middleware(CORSMiddleware, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["*"])


class Door:
    """Refuses with OpenAI's error body; a POST is a stream for as long as it is answered.

    No client has an address where all are `hidden`.
    """

    def __init__(self, app: ASGIApp, keys: Keys, streams: Streams, hidden: bool) -> None:
        self._app, self._keys, self._streams, self._hidden = app, keys, streams, hidden

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _path(scope) in OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        address = "" if self._hidden else _address(scope, headers)
        try:
            holder = self._keys.holder(headers.get("authorization", ""), address)
            if scope["method"] == "POST":
                scope[CLIENT].hold(self._streams.one(holder))
            await self._app(scope, receive, send)
        except ClientError as error:  # of the door's own: the application answers those within it
            await refusal(error)(scope, receive, send)


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _address(scope: Scope, headers: Headers) -> str:
    if any(name in headers for name in FORWARDED):
        return ""
    client = scope.get("client")
    return client[0] if client else ""


def _clients_are_hidden() -> bool:
    """Behind HAProxy all look local, and all are only where it listens to its own machine alone."""
    return os.environ.get(HAPROXY) == "1" and not is_loopback(_http_host())


def _http_host() -> str:
    """Where Serve listens, as its configuration says."""
    from ray.serve.context import _get_global_client

    client = _get_global_client()
    return (client and client.http_config.host) or ""


def _hashes(settings: AccessSettings) -> tuple[str, ...]:
    texts = []
    if settings.keys_file:
        texts.append(Path(settings.keys_file).read_text("utf-8"))
    if settings.keys_env:
        texts.append(os.environ.get(settings.keys_env, ""))
    hashes = key_hashes("\n".join(texts))
    if texts and not hashes:
        raise ValueError("access.keys_file or access.keys_env is set, and there is no key in it on this node")
    return hashes

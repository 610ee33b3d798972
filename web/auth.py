"""Access control of an HTTP application, as plain ASGI middleware: keys, and how many streams there may be at once.

`gateway.keys` decides. `BaseHTTPMiddleware` is not used: it would hide that a client disconnects.
"""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.config import AccessSettings
from gateway.errors import GatewayError
from gateway.keys import ConcurrencyLimiter, Keys, key_hashes
from web.application import refusal
from web.local_access import check_local, is_proxied

OPEN_PATHS = ("/health",)
"""Paths that need no key: load balancers ask them."""
PAGE, PAGE_FILES = "/", "/page/"
"""The page and the beginning of its files: where keys are required, they need none, since the page asks for one."""


def add_access_control(
    app: FastAPI, settings: AccessSettings, limiter: ConcurrencyLimiter, *, clients_are_hidden: bool
) -> None:
    """Admit clients with a key, as many streams at once as `limiter` has slots, and pages of the configured origins.

    With `clients_are_hidden` no request's address is taken for its client's: a proxy without headers is in front.
    Raises ValueError if the configured keys cannot be read, or there are none.
    """
    app.add_middleware(
        AuthMiddleware,
        keys=Keys(_hashes(settings), settings.allow_anonymous),
        limiter=limiter,
        clients_are_hidden=clients_are_hidden,
        origins=settings.cors_origins,
    )
    if settings.cors_origins:
        origins = list(settings.cors_origins)
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=["GET", "HEAD", "POST"], allow_headers=["*"]
        )


class AuthMiddleware:
    """ASGI middleware that identifies the client of each request, and limits how many POSTs there are at once.

    A POST counts until the application has returned, at the end of its stream. Other requests are always answered.
    Refusals have OpenAI's error body, and come before the body of the request is read.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Keys,
        limiter: ConcurrencyLimiter,
        clients_are_hidden: bool,
        origins: Sequence[str],
    ) -> None:
        self._app, self._keys, self._limiter = app, keys, limiter
        self._clients_are_hidden, self._origins = clients_are_hidden, origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_open(scope):
            await self._app(scope, receive, send)
            return
        with ExitStack() as slot:
            try:
                client = self._identify(scope)
                if scope["method"] == "POST":
                    slot.enter_context(self._limiter.slot(client))
            except GatewayError as error:
                await refusal(error)(scope, receive, send)
            else:
                await self._app(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        path = _path(scope)
        of_page = path == PAGE or path.startswith(PAGE_FILES)
        return path in OPEN_PATHS or (of_page and self._keys.required and scope["method"] != "POST")

    def _identify(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        hidden = self._clients_are_hidden or is_proxied(headers)
        address = "" if hidden or not scope.get("client") else scope["client"][0]
        client = self._keys.identify(headers.get("authorization", ""), address)
        if self._keys.local_only:
            check_local(headers, self._origins)
        return client


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def _hashes(settings: AccessSettings) -> tuple[str, ...]:
    texts = []
    if settings.keys_file:
        texts.append(Path(settings.keys_file).read_text("utf-8"))
    if settings.keys_env:
        texts.append(os.environ.get(settings.keys_env, ""))
    hashes = key_hashes("\n".join(texts))
    if texts and not hashes:
        raise ValueError("access.keys_file or access.keys_env is set, but there is no key in it on this node")
    return hashes

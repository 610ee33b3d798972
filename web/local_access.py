"""Without keys only programs of this machine are answered: the headers that tell them from pages and from proxies.

The address that connects is not enough. A browser on this machine connects from it for every page that it shows, also
for one that has its own name resolve to this machine (DNS rebinding), and a proxy connects from it for its clients.
Knows nothing of keys and addresses.
"""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers

from gateway.errors import PermissionDenied
from gateway.keys import is_loopback

PROXY_HEADERS = (
    *("forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-envoy-external-address"),
    *("true-client-ip", "cf-connecting-ip", "cf-ray", "cdn-loop", "fastly-client-ip", "fly-client-ip"),
)
PROXY_PREFIXES = ("x-forwarded-", "x-original-", "tailscale-", "ngrok-")
"""The beginnings of other headers that proxies and tunnels add."""
ANY_INTERFACE = ("0.0.0.0", "::")
"""Addresses at which a program reaches its own machine, and no other."""
_AUTHORITY = r"(\[[0-9a-f:.]+\]|[^\s:/?#@\[\]]+)(?::\d*)?"
_HOST, _ORIGIN = re.compile(_AUTHORITY), re.compile(rf"https?://{_AUTHORITY}")
_NEXT = "configure keys (access.keys_file or access.keys_env), or access.allow_anonymous to answer everybody"


def is_proxied(headers: Headers) -> bool:
    """Return whether a proxy has added a header: the address that connects is then not the client's."""
    return any(name in PROXY_HEADERS or name.startswith(PROXY_PREFIXES) for name in headers)


def check_local(headers: Headers, origins: Sequence[str]) -> None:
    """Raise PermissionDenied unless the request names this machine, and no page but those of `origins` has sent it.

    A request without `Host` is let through: every browser and every proxy that matters here sends one.
    """
    if not all(_is_local(_HOST, host) for host in headers.getlist("host")):
        raise PermissionDenied(
            "this gateway has no keys, so it answers requests for localhost and 127.0.0.1 only, and the Host of this "
            f"one is another: {_NEXT}"
        )
    if "*" in origins:
        return
    senders = headers.getlist("origin")
    # A page need not have an `Origin` in what it only links to; then the browser says in another header whose it is.
    foreign = not senders and headers.get("sec-fetch-site") == "cross-site"
    if foreign or not all(sender in origins or _is_local(_ORIGIN, sender) for sender in senders):
        raise PermissionDenied(
            f"this gateway has no keys, so it answers no pages of other origins: {_NEXT}, or name the origin in "
            "access.cors_origins"
        )


def _is_local(pattern: re.Pattern[str], value: str) -> bool:
    """Return whether a host or an origin is this machine's. Only it resolves `localhost`, whatever comes before."""
    if not (found := pattern.fullmatch(value.lower())):
        return False
    name = found[1].strip("[]").removesuffix(".")
    return name == "localhost" or name.endswith(".localhost") or name in ANY_INTERFACE or is_loopback(name)

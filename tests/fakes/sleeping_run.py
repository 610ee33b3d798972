"""A `cluster.state.Run` whose only process waits, in place of Ray."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from cluster import local
from cluster.state import Run


@contextmanager
def sleeping_run() -> Iterator[Run]:
    """Yield a run that this Python has started from this checkout, at addresses where nothing listens."""
    program = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, start_new_session=True) as process:
        yield Run(
            pid=process.pid,
            started=psutil.Process(process.pid).create_time(),
            code=str(local.CODE),
            python=sys.executable,
            deployed="serve_config.yaml",
            api="http://127.0.0.1:8000",
            dashboard="http://127.0.0.1:1",
            gcs_port=1,
            metrics_port=1,
        )
        process.kill()

"""The count of the processes that bear a replica's title."""

import subprocess
import sys
from contextlib import ExitStack

from deployments.node_share import count_processes

TITLE = "ray::ServeReplica:app:Counted"
PROGRAM = "print(flush=True); input()"


def test_idle_and_busy_replicas_of_the_deployment_are_counted_and_no_others() -> None:
    titles = [TITLE, f"{TITLE}.handle_request", f"{TITLE}Other", "ray::ServeReplica:other:Counted"]
    assert count_processes(TITLE) == 0
    with ExitStack() as stack:
        for title in titles:
            process = stack.enter_context(
                subprocess.Popen(
                    [title, "-c", PROGRAM], executable=sys.executable, stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            )
            stack.callback(process.kill)
            assert process.stdout
            process.stdout.readline()
        assert count_processes(TITLE) == 2

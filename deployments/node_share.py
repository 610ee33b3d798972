"""The cores of a node for each replica of a deployment on it: what a replica may take follows from them.

What Ray adds here: replicas come and go by autoscaling, and several may be on one node. Ray names their processes after
the deployment, so they are counted by name; Serve tells how many there are, but not where.
"""

import asyncio
import os
from collections.abc import Callable

import psutil
from ray import serve
from ray.serve.exceptions import RayServeException

PERIOD_SECONDS = 5.0
"""Seconds between counts, each of which takes some milliseconds in a thread."""

_watches = set[asyncio.Task[None]]()


def follow_node_share(use: Callable[[float], object]) -> None:
    """Call `use` with the cores for each replica of this deployment on this node, soon and then every few seconds.

    Outside a replica there is nothing to share.
    """
    try:
        context = serve.get_replica_context()
    except RayServeException:
        return
    title = f"ray::ServeReplica:{context.app_name}:{context.deployment}"
    _watches.add(asyncio.get_running_loop().create_task(_follow(title, use)))


async def _follow(title: str, use: Callable[[float], object]) -> None:
    while True:
        use(usable_cores() / max(1, await asyncio.to_thread(count_processes, title)))
        await asyncio.sleep(PERIOD_SECONDS)


def usable_cores() -> int:
    """Return the number of cores that this process may run on; a quota of CPU time does not count."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count_processes(title: str) -> int:
    """Return the number of processes with this title, or with it and the method that they run."""
    titles = ((process.info["cmdline"] or [""])[0] for process in psutil.process_iter(["cmdline"]))
    return sum(one == title or one.startswith(f"{title}.") for one in titles)

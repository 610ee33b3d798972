"""The embedded model that `up` deploys: the larger one if this machine has the memory and the disk for it.

Knows nothing of Serve configs.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from engine.embedded import LARGE, MODELS, SMALL

MEMORY = 6_000_000_000
"""Free bytes that the larger model takes on a CPU, beside the gateway; converting it takes as much."""
PROC_CGROUP, CGROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def choose(deployed: str | None) -> tuple[str, str]:
    """Return the source of an embedded model, and one line with its name and why it was chosen.

    `deployed` is the source of the model that runs already and takes memory that is not free: it is kept.
    """
    from engine.model_files import default_cache, is_prepared  # needs what a gateway in front of an API does not

    if deployed in MODELS:
        return deployed, f"{MODELS[deployed].name}, which runs already"
    large, small, cache = MODELS[LARGE], MODELS[SMALL], default_cache()
    memory, disk = free_memory(), free_disk(cache)
    if memory < MEMORY:
        return SMALL, f"{small.name}, since {large.name} needs {_gb(MEMORY)} of memory and {_gb(memory)} are free"
    if is_prepared(large, cache):
        return LARGE, f"{large.name}, for which {_gb(memory)} of memory are free"
    if disk < large.disk:
        return SMALL, (
            f"{small.name}, since {large.name} needs {_gb(large.disk)} of disk and {cache} has {_gb(disk)} free"
        )
    return LARGE, f"{large.name}, for which {_gb(memory)} of memory and {_gb(disk)} of disk are free"


def free_disk(folder: Path) -> int:
    """Return the free bytes on the disk of `folder`, which need not exist yet."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return shutil.disk_usage(existing).free


def free_memory() -> int:
    """Return the bytes that new processes can use: the machine's, or less inside a container with a limit."""
    return min([psutil.virtual_memory().available, *_left_in_cgroups()])


def _left_in_cgroups() -> Iterator[int]:
    """Yield what each control group of this process has left. Files that it has only cached count as free."""
    for group, (limit, usage, inactive) in _cgroups():
        try:
            statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
            used = int((group / usage).read_text()) - int(statistics[inactive])
            yield max(0, int((group / limit).read_text()) - used)
        except (OSError, ValueError, KeyError):  # no limit is "max", and the root has no such files
            continue


def _cgroups() -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """Yield the folders of this process' control groups with the names of their files, of either version of cgroups.

    In a container the path may be that of the host, while its own group is mounted as the root.
    """
    try:
        lines = PROC_CGROUP.read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            root, names = CGROUPS, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = CGROUPS / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        group = root / path.lstrip("/")
        while group.is_relative_to(root):
            yield group, names
            group = group.parent


def _gb(size: int) -> str:
    return f"{size / 1e9:.1f} GB".replace(".0 GB", " GB")

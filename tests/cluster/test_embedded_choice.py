"""The embedded model that `up` takes: the larger one where memory and disk allow, with the reason."""

from pathlib import Path

import psutil
import pytest

from cluster import embedded_choice
from cluster.embedded_choice import choose, free_disk, free_memory

GB = 10**9
LARGE, SMALL = "qwen2.5-coder-1.5b-instruct", "qwen2.5-coder-0.5b-instruct"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REASONING_GATEWAY_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def choice(monkeypatch: pytest.MonkeyPatch, memory: int, disk: int, deployed: str | None = None) -> tuple[str, str]:
    monkeypatch.setattr(embedded_choice, "free_memory", lambda: memory)
    monkeypatch.setattr(embedded_choice, "free_disk", lambda _: disk)
    return choose(deployed)


def test_the_larger_is_taken_where_memory_and_disk_allow(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    why = f"{LARGE}, for which 6 GB of memory and 8.2 GB of disk are free"
    assert choice(monkeypatch, 6 * GB, 8 * GB + 200_000_000) == ("embedded", why)


def test_with_little_memory_the_smaller_is_taken(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache / "models" / LARGE).mkdir(parents=True)
    why = f"{SMALL}, since {LARGE} needs 6 GB of memory and 5.9 GB are free"
    assert choice(monkeypatch, 5_900_000_000, 80 * GB) == ("embedded-0.5b", why)


def test_with_little_disk_the_smaller_is_taken(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    why = f"{SMALL}, since {LARGE} needs 8 GB of disk and {cache} has 7.9 GB free"
    assert choice(monkeypatch, 60 * GB, 7_900_000_000) == ("embedded-0.5b", why)


def test_a_model_that_is_prepared_needs_no_disk(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cache / "models" / LARGE).mkdir(parents=True)
    assert choice(monkeypatch, 20 * GB, 0) == ("embedded", f"{LARGE}, for which 20 GB of memory are free")


@pytest.mark.parametrize(("deployed", "name"), [("embedded", LARGE), ("embedded-0.5b", SMALL)])
def test_the_model_that_runs_is_kept(
    cache: Path,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    deployed: str,
    name: str,
) -> None:
    assert choice(monkeypatch, 0, 0, deployed) == (deployed, f"{name}, which runs already")


def test_another_model_that_runs_is_no_reason(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    assert choice(monkeypatch, 60 * GB, 80 * GB, "Qwen/Qwen3-0.6B")[0] == "embedded"


def test_the_disk_is_that_of_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    assert free_disk(tmp_path / "no" / "folder") > 0


FILES = {
    "memory.max": "3000",
    "memory.current": "2000",
    "memory.limit_in_bytes": "3000",
    "memory.usage_in_bytes": "2000",
    "memory.stat": "anon 1500\ninactive_file 500\ntotal_inactive_file 500\n",
}


@pytest.mark.parametrize(
    ("groups", "folder", "files", "free"),
    [
        ("0::/", ".", {}, 1500),  # in a container
        ("0::/user/one", "user", {}, 1500),  # the limit of a group above
        ("1:cpu:/a\n4:memory:/docker/f7", "memory/docker/f7", {}, 1500),
        ("4:memory:/docker/f7", "memory", {}, 1500),  # in a container, whose path is the host's
        ("0::/", ".", {"memory.current": "3600"}, 0),
        ("0::/", ".", {"memory.max": "max"}, None),
        ("2:cpu:/", ".", {}, None),
    ],
)
def test_free_memory_is_what_a_control_group_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: str, folder: str, files: dict[str, str], free: int | None
) -> None:
    (tmp_path / "self").write_text(groups + "\n")
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    for name, text in (FILES | files).items():
        (tmp_path / folder / name).write_text(text)
    monkeypatch.setattr(embedded_choice, "PROC_CGROUP", tmp_path / "self")
    monkeypatch.setattr(embedded_choice, "CGROUPS", tmp_path)
    machine = psutil.virtual_memory()._replace(available=10 * GB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)
    assert free_memory() == (10 * GB if free is None else free)


def test_without_control_groups_free_memory_is_the_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_choice, "PROC_CGROUP", tmp_path / "none")
    assert free_memory() > 0

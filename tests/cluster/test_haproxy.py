"""The variables and the script by which Serve starts its HAProxy."""

import subprocess
import sys
from pathlib import Path

import pytest

from cluster import haproxy


def test_the_script_runs_the_binary_without_splicing(tmp_path: Path) -> None:
    binary = tmp_path / "a binary"
    binary.symlink_to("/bin/echo")
    script = haproxy.without_splicing(str(binary), tmp_path)
    shown = subprocess.run([script, "-f", "a file"], capture_output=True, text=True, check=True)
    assert shown.stdout == "-dS -f a file\n"


@pytest.mark.skipif(sys.platform != "linux", reason="Serve's HAProxy runs on Linux only")
def test_the_bundled_binary_starts_by_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(haproxy.BINARY, raising=False)
    variables = haproxy.environment(tmp_path, lambda: 1)
    assert variables["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
    shown = subprocess.run([variables[haproxy.BINARY], "-v"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("HAProxy version")


@pytest.mark.skipif(sys.platform != "linux", reason="Serve's HAProxy runs on Linux only")
def test_a_binary_of_the_operator_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(haproxy.BINARY, "/opt/haproxy")
    assert haproxy.BINARY not in haproxy.environment(tmp_path, lambda: 1)
    assert list(tmp_path.iterdir()) == []

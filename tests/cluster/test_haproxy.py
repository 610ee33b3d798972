"""The variables and the script by which Serve starts its HAProxy."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from cluster import haproxy
from cluster.state import CommandError
from tests.fakes.polling import until
from tests.fakes.proxy import client_of, is_admitted, started

linux = pytest.mark.skipif(sys.platform != "linux", reason="Serve's HAProxy runs on Linux only")


def test_the_script_runs_the_binary_without_splicing(tmp_path: Path) -> None:
    binary = tmp_path / "a binary"
    binary.symlink_to("/bin/echo")
    script = haproxy.write_script(str(binary), tmp_path)
    shown = subprocess.run([script, "-f", "a file"], capture_output=True, text=True, check=True)
    assert shown.stdout == "-dS -f a file\n"


@linux
def test_the_bundled_binary_starts_by_the_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(haproxy.BINARY, raising=False)
    variables = haproxy.environment(tmp_path)
    assert variables["RAY_SERVE_ENABLE_HA_PROXY"] == "1"
    shown = subprocess.run([variables[haproxy.BINARY], "-v"], capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("HAProxy version")


@linux
def test_what_the_operator_has_set_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = {haproxy.BINARY: "/opt/haproxy", "RAY_SERVE_HAPROXY_SOCKET_PATH": "/run/admin.sock"}
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    assert set(named) & set(haproxy.environment(tmp_path)) == set()
    assert list(tmp_path.iterdir()) == []


@linux
def test_a_bound_that_is_no_number_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(haproxy.BINARY, raising=False)
    monkeypatch.setenv(haproxy.PER_ADDRESS, "many")
    with pytest.raises(CommandError, match="is 'many', and should be a number"):
        haproxy.environment(tmp_path)


@linux
def test_the_folder_of_the_sockets_is_this_users_alone(tmp_path: Path) -> None:
    folder = haproxy.private_folder(tmp_path)
    assert (folder.stat().st_mode & 0o777, haproxy.private_folder(tmp_path)) == (0o700, folder)
    folder.chmod(0o755)
    with pytest.raises(CommandError, match="not a folder that only you can enter"):
        haproxy.private_folder(tmp_path)


@linux
def test_the_script_is_written_for_those_who_start_ray_themselves(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_SERVE_")}
    command = [sys.executable, "-m", "cluster.haproxy", str(tmp_path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    lines = shown.stdout.splitlines()
    assert f"export {haproxy.BINARY}={tmp_path}/haproxy" in lines
    assert len(lines) == len(haproxy.FILES) + len(haproxy.SETTINGS) + 1


@linux
async def test_a_stand_in_has_the_port_until_serve_starts_haproxy_anew(tmp_path: Path) -> None:
    async with started(tmp_path) as proxy, client_of(proxy) as client:
        lost = proxy.processes[0]
        lost.kill()
        await until(lambda: is_admitted(client), seconds=10, pause=0.02)
        stand_in = proxy.latest()
        found_by_serve = await proxy.serve.is_running()
        await proxy.start()
        await until(lambda: not psutil.pid_exists(stand_in), seconds=20)
        assert await is_admitted(client)
    assert (stand_in != lost.pid, found_by_serve) == (True, False)


@linux
async def test_a_reload_takes_over_from_the_one_before_without_a_stand_in(tmp_path: Path) -> None:
    async with started(tmp_path) as proxy, client_of(proxy) as client:
        before = proxy.processes[0]
        after = await proxy.start("-sf", str(before.pid), "-x", str(proxy.socket))
        await asyncio.wait_for(before.wait(), 30)
        assert await is_admitted(client)
        assert (proxy.latest(), await proxy.is_ready()) == (after.pid, True)


@linux
async def test_haproxy_takes_over_from_one_that_serve_has_forgotten(tmp_path: Path) -> None:
    async with started(tmp_path) as proxy, client_of(proxy) as client:
        forgotten = proxy.processes[0]
        await proxy.start()
        await asyncio.wait_for(forgotten.wait(), 30)
        assert await is_admitted(client)

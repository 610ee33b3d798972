"""The package: a wheel, installed into a folder and run outside the checkout, in front of a scripted API."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen

import httpx
import pytest

from cluster.local import free_port, port_is_free, wait_until
from cluster.state import Home

ROOT = Path(__file__).parent.parent
NOT_PACKAGED = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "bench", "docs", "tests", "build", "dist")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
PACKAGES = ["client", "cluster", "deployments", "engine", "gateway", "upstreams", "web", "graph"]
COMMAND_SECONDS = 240


@dataclass(frozen=True)
class Installation:
    """The wheel's files in `target`, and an empty folder to run its commands in, with a record of its own."""

    target: Path
    folder: Path
    environment: dict[str, str]

    def start(self, name: str, *arguments: str) -> "Popen[str]":
        program = [sys.executable, str(self.target / "bin" / name), *arguments]
        return Popen(
            program,
            cwd=self.folder,
            env=self.environment,
            preexec_fn=_restore_ctrl_c,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            text=True,
        )

    def run(self, name: str, *arguments: str) -> tuple[int, str, str]:
        """Run a command to its end; return its exit code, stdout and stderr."""
        with self.start(name, *arguments) as process:
            out, err = process.communicate(timeout=COMMAND_SECONDS)
        return process.returncode, out, err

    @property
    def home(self) -> Home:
        return Home(Path(self.environment["REASONING_GATEWAY_HOME"]))


def _restore_ctrl_c() -> None:
    """Handle SIGINT again: a shell's background jobs ignore it, and child processes inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the wheel is installed into.

    Nothing is fetched, and the wheel is built from a copy, so that the checkout gets no build files.
    """
    folder = tmp_path_factory.mktemp("package")
    sources, built, target = folder / "sources", folder / "built", folder / "target"
    shutil.copytree(ROOT, sources, ignore=NOT_PACKAGED)
    offline = ["--no-deps", "--no-index"]
    subprocess.run([*PIP, "wheel", *offline, "--no-build-isolation", "--wheel-dir", built, sources], check=True)
    subprocess.run([*PIP, "install", *offline, "--target", target, *built.iterdir()], check=True)
    return target


@pytest.fixture
def installation(target: Path, tmp_path: Path) -> Iterator[Installation]:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    # Ray's sockets are in its folder, and their paths may have 107 characters: pytest's own folders are too long.
    with tempfile.TemporaryDirectory(prefix="rg-", ignore_cleanup_errors=True) as ray:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "REASONING_"))}
        environment = inherited | {
            "PYTHONPATH": str(target),
            "PYTHONUTF8": "1",
            "REASONING_GATEWAY_HOME": str(tmp_path / "home"),
            "RAY_AUTH_TOKEN": os.environ["RAY_AUTH_TOKEN"],  # of tests/conftest.py; else Ray writes one into the home
            "RAY_TMPDIR": ray,
        }
        installation = Installation(target, folder, environment)
        yield installation
        if installation.home.current():
            installation.run("reasoning-gateway", "down")


@pytest.fixture
def scripted_api() -> Iterator[str]:
    """Return the address of a scripted API in a process of its own."""
    with Popen([sys.executable, "-m", "tests.fakes.scripted_api"], cwd=ROOT, stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.terminate()


def test_every_module_comes_from_the_package(installation: Installation) -> None:
    program = f"from importlib.util import find_spec\nfor name in {PACKAGES}: print(find_spec(name).origin)"
    found = subprocess.run(
        [sys.executable, "-c", program],
        cwd=installation.folder,
        env=installation.environment,
        stdout=PIPE,
        text=True,
        check=True,
    )
    paths = [Path(line).relative_to(installation.target) for line in found.stdout.split()]
    assert [path.parts[0].removesuffix(".py") for path in paths] == PACKAGES


def test_a_gateway_in_front_of_an_api_from_up_to_down(installation: Installation, scripted_api: str) -> None:
    port, dashboard_port = free_port(), free_port()
    api = ["--api", scripted_api, "--model", "scripted"]
    url = f"http://127.0.0.1:{port}"

    ports = ["--port", str(port), "--dashboard-port", str(dashboard_port)]
    code, _, errors = installation.run("reasoning-gateway", "up", *api, *ports)
    assert code == 0, errors
    assert f"page       {url}/\n" in errors
    assert f"API        {url}/v1/reasoning\n" in errors
    page = httpx.get(f"{url}/").text
    script = re.search(r'src="(page/[0-9a-f]+/app.js)"', page)
    assert script and httpx.get(f"{url}/{script[1]}").status_code == 200
    rendered = httpx.post(f"{url}/page/render", content="*a*").json()
    assert rendered == [{"start": 0, "html": "<p><em>a</em></p>\n"}]
    run = installation.home.current()
    assert run is not None
    assert (run.code, run.deployed) == (str(installation.target), scripted_api)

    code, out, errors = installation.run("reasoning-ask", "--url", url, "How much is six times seven?")
    assert (code, errors) == (0, "")
    assert "[REASONING]\nLet me see.\n" in out
    assert "[FINAL RESPONSE]\nForty-two.\n" in out

    code, out, errors = installation.run("reasoning-gateway", "status")
    assert code == 0, errors
    assert f"API          {url}  healthy\n" in out
    assert "models       scripted\n" in out

    code, _, errors = installation.run("reasoning-gateway", "up", *api, "--port", str(free_port()))
    assert code == 1
    assert f"already runs at {url}" in errors

    code, _, errors = installation.run("reasoning-gateway", "down")
    assert (code, errors) == (0, f"stopped the gateway at {url} ({scripted_api})\n")
    assert run.processes() == []
    assert port_is_free(port) and port_is_free(dashboard_port)
    assert installation.run("reasoning-gateway", "status")[0] == 3


def test_ctrl_c_leaves_nothing_running(installation: Installation) -> None:
    ports = ["--port", str(free_port()), "--dashboard-port", str(free_port())]
    with installation.start("reasoning-gateway", "up", "--api", "http://127.0.0.1:9/v1", "--model", "m", *ports) as up:
        assert wait_until(lambda: installation.home.current() is not None, COMMAND_SECONDS)
        run = installation.home.current()
        up.send_signal(signal.SIGINT)
        _, errors = up.communicate(timeout=COMMAND_SECONDS)
    assert (up.returncode, errors) == (130, "cancelled\n")
    assert run is not None and run.processes() == []
    assert installation.home.current() is None

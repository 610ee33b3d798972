"""One machine as a cluster: start Ray, deploy, wait until the model answers; and end only what was started here.

    python cluster/local.py up      python cluster/local.py down

Ray runs in a session of its own, whose id is kept in .run/ray.pid, so that `down` touches no other Ray.
"""

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import httpx
import psutil
import yaml
from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / ".run"
PID = RUN / "ray.pid"
LOG = RUN / "ray.log"
CURRENT = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"
"""Where Ray notes the cluster that was started last; `serve run` and `ray.init()` wait for the one it names."""
BIN = Path(sys.executable).parent
GCS_PORT = 6399
DASHBOARD = "http://127.0.0.1:8265"
RAY_ENVIRONMENT = {
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    # What Ray does while nothing is asked, a model on the same cores waits for. By default these are done ten times a
    # second, and each turn of each loop is timed.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "1",
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "1000",
    "RAY_event_stats": "0",
    "EVENT_AGENT_REPORT_INTERVAL_SECONDS": "1",
    # Reading how much memory a process has to itself takes milliseconds, and the dashboard asks it of all of Ray's.
    "REPORTER_UPDATE_INTERVAL_MS": "10000",
    "METRICS_RECORD_INTERVAL_S": "60",
    "RAY_worker_niceness": "0",  # Ray's 15 is for batch work: every other process would go first
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",  # there is no other node to drain to
}
HAPROXY_PORTS = ("RAY_SERVE_HAPROXY_STATS_PORT", "RAY_SERVE_HAPROXY_METRICS_PORT")
START_SECONDS, READY_SECONDS, STOP_SECONDS = 120, 300, 30

console = Console(stderr=True)
dashboard = httpx.Client(base_url=DASHBOARD, timeout=5)


def up(config: Path) -> None:
    """Start what is not running yet, deploy `config`, and return once `GET /health` is 200."""
    url = _api_url(config)
    _sign_in()
    if not running():
        if _answers(url) or _answers(DASHBOARD):
            fail(f"something else already listens at {url} or {DASHBOARD}; stop it, or change serve_config.yaml")
        _start_ray()
    with console.status("deploying the graph …"):
        deployed = dashboard.put("/api/serve/applications/", json=yaml.safe_load(config.read_text()), timeout=60)
    if deployed.is_error:
        fail(f"Serve refused {config}:\n{deployed.text}")
    _wait_until_healthy(url)
    console.print(f"API        {url}/v1/reasoning", highlight=False)
    console.print(f"dashboard  {DASHBOARD}/#/serve", highlight=False)
    console.print("           it asks once for the token that `.venv/bin/ray get-auth-token` prints", highlight=False)


def _sign_in() -> None:
    """Let only this user's programs talk to Ray: with Ray's own token, made on first use, which its tools also read."""
    os.environ["RAY_AUTH_MODE"] = "token"
    token = subprocess.run(
        [BIN / "ray", "get-auth-token", "--generate"], capture_output=True, text=True, check=True
    ).stdout.strip()
    dashboard.headers["Authorization"] = f"Bearer {token}"


def down() -> None:
    """End the Ray that `up` started, and nothing else."""
    if not running():
        console.print("nothing is running that was started here")
        return
    leader = int(PID.read_text())
    with console.status("stopping …"):
        with suppress(ProcessLookupError):
            os.kill(leader, signal.SIGTERM)
        if not _until(lambda: not session(leader), STOP_SECONDS):
            for process in session(leader):
                process.kill()
    PID.unlink()
    if CURRENT.exists() and CURRENT.read_text().strip().endswith(f":{GCS_PORT}"):
        CURRENT.unlink()
    console.print("stopped")


def _start_ray() -> None:
    RUN.mkdir(exist_ok=True)
    command = [
        str(BIN / "ray"),
        "start",
        "--head",
        "--block",
        "--disable-usage-stats",
        "--include-log-monitor=false",  # it sends what workers print to a driver, and there is none
        "--node-ip-address=127.0.0.1",
    ]
    command += [
        f"--port={GCS_PORT}",
        "--dashboard-host=127.0.0.1",
        f"--dashboard-port={DASHBOARD.split(':')[-1]}",
    ]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with LOG.open("w") as log:
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **RAY_ENVIRONMENT, **_haproxy(), "PYTHONPATH": path},
        )
    PID.write_text(str(process.pid))
    with console.status("starting Ray …"):
        ready = _until(
            lambda: process.poll() is not None or _applications() is not None,
            START_SECONDS,
        )
    if not ready or process.poll() is not None:
        down()
        fail(f"Ray did not start; its log ends:\n{_tail(LOG)}")


def _haproxy() -> dict[str, str]:
    """Serve's HAProxy in front, which costs a small part of its proxy in Python; ray[serve] brings it on Linux."""
    if sys.platform != "linux":
        return {}
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        **{name: str(free_port()) for name in HAPROXY_PORTS},
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(url: str) -> None:
    began = time.monotonic()
    with console.status("loading the model …"):
        while time.monotonic() - began < READY_SECONDS:
            if _answers(f"{url}/health"):
                console.print(f"ready after {time.monotonic() - began:.0f} s")
                return
            if problem := _problem():
                fail(f"the deployment failed:\n{problem}\n`serve status` and {DASHBOARD}/#/serve tell more")
            time.sleep(0.5)
    fail(f"the model was not ready after {READY_SECONDS} s; {DASHBOARD}/#/serve tells why")


def _problem() -> str:
    """What Serve says of an application that failed to deploy."""
    applications = _applications() or {}
    return "\n".join(str(app["message"]) for app in applications.values() if "FAILED" in app["status"])


def _applications() -> dict[str, Any] | None:
    """Serve's applications by name; None while the dashboard does not answer."""
    try:
        answer = dashboard.get("/api/serve/applications/")
        answer.raise_for_status()
    except httpx.HTTPError:
        return None
    applications: dict[str, Any] = answer.json()["applications"]
    return applications


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=3).status_code == 200
    except httpx.HTTPError:
        return False


def _api_url(config: Path) -> str:
    http = yaml.safe_load(config.read_text())["http_options"]
    return f"http://{http['host']}:{http['port']}"


def running() -> bool:
    return PID.exists() and bool(session(int(PID.read_text())))


def session(leader: int) -> list[psutil.Process]:
    """The processes of the session that `leader` began; Ray gives its workers groups of their own, but no session."""
    members = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):  # it may have ended since
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                members.append(process)
    return members


def _until(true: Any, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.2)
    return False


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-15:])


def fail(message: str) -> NoReturn:
    console.print(message, style="red", markup=False, highlight=False)
    raise SystemExit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("command", choices=["up", "down"])
    parser.add_argument("--config", type=Path, default=ROOT / "serve_config.yaml", help="a Serve config file")
    asked = parser.parse_args()
    if asked.command == "up":
        up(asked.config)
    else:
        down()


if __name__ == "__main__":
    main()

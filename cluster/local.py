"""Ray on this machine, for this user alone: started in a session of its own, stopped without touching any other Ray.

Knows nothing of what is deployed on it.
"""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from cluster import haproxy
from cluster.state import CommandError, Home, Run

CODE = Path(__file__).resolve().parent.parent
"""The folder that `graph` and the packages are imported from: a checkout, or an environment's site-packages."""
GCS_PORT = 6399
"""Ray's own 6379 is Redis' too, and that of a Ray that somebody else has started."""
AUTH_MODE, TOKEN_FILE = "RAY_AUTH_MODE", Path("~/.ray/auth_token")
TOKEN_VARIABLES = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"}
RAY_ENVIRONMENT = {
    "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
    # Ray's own loops take CPU time from a model on the same cores. By default these run ten times a second, and each
    # iteration of each event loop is timed. A start goes through several iterations of the first.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.25",
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "1000",
    "RAY_event_stats": "0",
    "EVENT_AGENT_REPORT_INTERVAL_SECONDS": "1",
    # Reading how much memory a process has to itself takes milliseconds, and the dashboard reads it for all of Ray's.
    "REPORTER_UPDATE_INTERVAL_MS": "10000",
    "METRICS_RECORD_INTERVAL_S": "60",
    "RAY_worker_niceness": "0",  # Ray's 15 is for batch work: every other process would be scheduled first
    "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",  # there is no other node to drain to
}
START_SECONDS, STOP_SECONDS, POLL_SECONDS = 120, 30, 0.2
LOG_LINES = 15


def check_token(without: bool) -> None:
    """Raise CommandError unless Ray is started with its token, or both its variable and `without` say otherwise."""
    mode = os.environ.get(AUTH_MODE, "").lower() or "token"
    if (mode != "token") is without:
        return
    if without:
        raise CommandError(f"--without-ray-token goes with {AUTH_MODE}=disabled. Leave it out, and Ray has its token.")
    raise CommandError(
        f"{AUTH_MODE} is {mode!r}, and without Ray's token every user of this machine, and every web page and program "
        f"that reaches Ray's ports, can run code as you. Unset {AUTH_MODE}. If you do mean it, add --without-ray-token."
    )


def sign_in(without_token: bool = False) -> str:
    """Return Ray's token, made on first use, and have the programs started from here use it; "" without one.

    With it only this user's programs can talk to Ray. Ray's own commands read it from the same place.
    """
    if without_token:
        return ""
    os.environ[AUTH_MODE] = "token"
    if token := _saved_token():
        return token
    command = [_ray(), "get-auth-token", "--generate"]
    shown = subprocess.run(command, capture_output=True, text=True, check=False, umask=0o077)
    if shown.returncode:
        raise CommandError(f"`ray get-auth-token --generate` failed:\n{shown.stderr.strip()}")
    with suppress(FileNotFoundError):  # Ray would let all users of the machine read it
        TOKEN_FILE.expanduser().chmod(0o600)
    return shown.stdout.strip()


def _saved_token() -> str:
    """Return the token in Ray's own file, or "" if Ray has to be asked, which takes a second."""
    if TOKEN_VARIABLES & os.environ.keys():  # these come first
        return ""
    try:
        file = TOKEN_FILE.expanduser()
        file.chmod(0o600)
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def start(home: Home, api: str, dashboard_port: int, deployed: str, ready: Callable[[Run], bool]) -> Run:
    """Start Ray and return once `ready`, given its run, says so.

    Whatever goes wrong, Ctrl-C included, nothing is left running. Raises CommandError with the end of Ray's log.
    """
    gcs_port = GCS_PORT if port_is_free(GCS_PORT) else free_port()
    metrics_port = free_port()
    with home.log.open("w") as log:
        process = subprocess.Popen(
            _command(gcs_port, dashboard_port, metrics_port),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, **RAY_ENVIRONMENT, **haproxy.environment(home.folder), **_python_path()},
        )
    run = Run(
        pid=process.pid,
        started=psutil.Process(process.pid).create_time(),
        code=str(CODE),
        python=sys.executable,
        deployed=deployed,
        api=api,
        dashboard=f"http://127.0.0.1:{dashboard_port}",
        gcs_port=gcs_port,
        metrics_port=metrics_port,
    )
    try:
        home.record(run)
        if (
            not wait_until(lambda: process.poll() is not None or ready(run), START_SECONDS)
            or process.poll() is not None
        ):
            raise CommandError(f"Ray did not start. {home.log} ends:\n{_tail(home.log)}")
    except BaseException:
        stop(home, run)
        raise
    return run


def stop(home: Home, run: Run) -> None:
    """End the processes of `run`, and no others; at once after a second Ctrl-C, or when they take too long."""
    try:
        members = run.processes()
        for process in [one for one in members if one.pid == run.pid] or members:  # the first one ends the others
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGTERM)
        wait_until(lambda: not run.processes(), STOP_SECONDS)
    finally:
        for process in run.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _forget_address(run)
        home.clear()


def _command(gcs_port: int, dashboard_port: int, metrics_port: int) -> list[str]:
    return [
        _ray(),
        "start",
        "--head",
        "--block",
        "--disable-usage-stats",
        "--include-log-monitor=false",  # it sends what workers print to a driver, and there is none
        "--node-ip-address=127.0.0.1",
        f"--port={gcs_port}",
        "--dashboard-host=127.0.0.1",
        f"--dashboard-port={dashboard_port}",
        f"--metrics-export-port={metrics_port}",
        # Any free ports in place of fixed ones, so that another Ray may run on this machine.
        "--dashboard-agent-listen-port=0",
        f"--ray-client-server-port={free_port()}",
        # Workers would take ports from 10002 to 19999, and a dashboard in that range would be refused.
        "--min-worker-port=0",
        "--max-worker-port=0",
    ]


def _ray() -> str:
    """Return the path of the command `ray`, from the environment of this Python if it is there."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    if found := shutil.which("ray", path=path):
        return found
    raise CommandError(f"`ray` is missing in the environment of {sys.executable}; install reasoning-gateway again.")


def _python_path() -> dict[str, str]:
    """Let Ray's workers import a checkout; an environment's packages they find by themselves."""
    if CODE.name in ("site-packages", "dist-packages"):
        return {}
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(CODE), os.environ.get("PYTHONPATH")]))}


def _forget_address(run: Run) -> None:
    """Remove the file in which Ray notes the cluster that was started last, if that is `run`.

    `ray stop` would do it, but that ends every Ray of the machine. While the file names a cluster that has ended,
    `ray.init()` and `serve run` wait for it.
    """
    file = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"
    with suppress(OSError):
        if file.read_text().strip().endswith(f":{run.gcs_port}"):
            file.unlink()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Return True if nothing listens at `port` of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that have ended do not count
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno != errno.EADDRINUSE
        return True


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll `condition`; return whether it became true within `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(POLL_SECONDS)
    return False


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-LOG_LINES:])

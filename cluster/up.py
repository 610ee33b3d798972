"""`reasoning-gateway up`: start Ray unless it runs, deploy a config on it, and wait until that answers.

Knows nothing of arguments; whatever is wrong is a CommandError whose text tells the user what to do next.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from rich.console import Console

from cluster import configs, local
from cluster.serve_api import ServeApi, healthy
from cluster.serve_config import ServeConfig
from cluster.state import CommandError, Home, Run

READY_SECONDS, POLL_SECONDS = 300, 0.5
DASHBOARD_PORT = 8265
"""Ray's own."""


class NotReady(CommandError):
    """The deployment is slow, and may still succeed."""


def up(
    home: Home, config: ServeConfig, dashboard_port: int | None, console: Console, *, without_token: bool = False
) -> Run:
    """Deploy `config`, and return what runs once it answers requests. `console` shows the progress.

    A run that is there already is kept, whatever happens. One that is started here is stopped again after a failure or
    Ctrl-C, except if it is only slow. Raises CommandError.
    """
    local.check_token(without_token)
    config.check_environment()
    with home.lock():
        running = home.current()
        if running:
            _check_same(running, config, dashboard_port)
        else:
            _check_ports(config.port, dashboard_port or DASHBOARD_PORT)
        config.fetch_models()
        token = local.sign_in(without_token)
        with _stopped_on_failure(home, console, keep=running is not None):
            run = running or _start(home, config, dashboard_port or DASHBOARD_PORT, token, console)
            run = _deploy(home, run, config, token, console)
            _wait_until_ready(config, ServeApi(run.dashboard, token), console)
    return run


def _check_same(run: Run, config: ServeConfig, dashboard_port: int | None) -> None:
    """Raise CommandError if `config` cannot be deployed on `run`, whose code and ports cannot change."""
    if (run.code, run.python) != (str(local.CODE), sys.executable):
        raise CommandError(
            f"A gateway already runs at {run.api}, started from {run.code} with {run.python}. This is {local.CODE} "
            f"with {sys.executable}. Run `reasoning-gateway down` first, or set REASONING_GATEWAY_HOME to another "
            "folder and give this one ports of its own."
        )
    if config.api != run.api:
        raise CommandError(
            f"The gateway already runs at {run.api}, and cannot move to {config.api} while it runs. "
            f"Run `reasoning-gateway down` first, or deploy with --port {urlsplit(run.api).port}."
        )
    if dashboard_port and dashboard_port != urlsplit(run.dashboard).port:
        raise CommandError(
            f"The gateway already runs, with its dashboard at {run.dashboard}. Run `reasoning-gateway down` first."
        )


def _check_ports(port: int, dashboard_port: int) -> None:
    for number, option in ((port, "--port"), (dashboard_port, "--dashboard-port")):
        if not local.port_is_free(number):
            raise CommandError(f"Another program listens at port {number}. Stop it, or choose a port with {option}.")


@contextmanager
def _stopped_on_failure(home: Home, console: Console, keep: bool) -> Iterator[None]:
    try:
        yield
    except NotReady:
        raise
    except BaseException:
        run = home.current()
        if run and not keep:
            with console.status("stopping …"):
                local.stop(home, run)
        raise


def _start(home: Home, config: ServeConfig, dashboard_port: int, token: str, console: Console) -> Run:
    def answers(run: Run) -> bool:
        return ServeApi(run.dashboard, token).applications() is not None

    with console.status("starting Ray …"):
        return local.start(home, config.api, dashboard_port, config.source, answers)


def _deploy(home: Home, run: Run, config: ServeConfig, token: str, console: Console) -> Run:
    with console.status("deploying the graph …"):
        ServeApi(run.dashboard, token).deploy(config.content)
    deployed = replace(run, deployed=config.source)
    home.config.write_text(configs.dumped(config.content), "utf-8")
    home.record(deployed)
    return deployed


def _wait_until_ready(config: ServeConfig, serve: ServeApi, console: Console) -> None:
    began = time.monotonic()
    with console.status("waiting for the replicas …"):
        while time.monotonic() - began < READY_SECONDS:
            applications = serve.applications() or {}
            if failed := [one["message"] for one in applications.values() if "FAILED" in one["status"]]:
                raise CommandError("\n".join(["The deployment failed:", *failed]))
            running = all(applications.get(name, {}).get("status") == "RUNNING" for name in config.applications)
            if running and all(map(healthy, config.health_urls)):
                return
            time.sleep(POLL_SECONDS)
    raise NotReady(
        f"Not ready after {READY_SECONDS} s, but still starting. `reasoning-gateway status` shows how far it is, "
        "`reasoning-gateway down` stops it."
    )

"""`reasoning-gateway up | down | status`: a gateway on this machine, from any folder.

Knows arguments, output and exit codes.
"""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from enum import IntEnum
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from cluster import configs, embedded_choice, local
from cluster.down import down
from cluster.serve_config import ServeConfig
from cluster.state import CommandError, Home, Run, home
from cluster.status import read_deployed, read_status
from cluster.up import DASHBOARD_PORT, up
from engine.embedded import LARGE

NOTES = """\
environment:
  REASONING_GATEWAY_HOME    the folder with the record of what runs (~/.cache/reasoning-gateway/run)
  REASONING_GATEWAY_CACHE   the folder that keeps the embedded model (~/.cache/reasoning-gateway)
  REASONING_GATEWAY_CONNECTIONS_PER_ADDRESS
                            connections from one address beyond which its requests are refused (2000)

exit codes:
  0 done, or healthy   1 failed, or not healthy   2 wrong usage   3 nothing runs   130 cancelled with Ctrl-C
"""
EXAMPLES = """\
examples:
  reasoning-gateway up                                  a small Qwen on this machine, fetched on first use
  reasoning-gateway up --api http://127.0.0.1:11434/v1 --model qwen3:8b
  reasoning-gateway up --api https://api.deepseek.com/v1 --model deepseek-reasoner --api-key-env DEEPSEEK_API_KEY
  reasoning-gateway up --config my_config.yaml --port 9000
"""
UP = """\
Start a gateway on this machine, and return once it answers requests. It runs on until `reasoning-gateway down`.
If one runs already, deploy the config on that one. A failure or Ctrl-C leaves nothing running that was not before.
"""
DOWN = """\
Stop the gateway that `up` has started, with all its processes. Its streams end with `stream.failed`, which says so.
"""
STATUS = """\
Print what runs, at which addresses, its models and its running streams.
Exit with 0 if it is healthy, 1 if it is not, 3 if nothing runs.
"""
DEFAULT_API = "http://127.0.0.1:8000"
"""The address that `reasoning-ask` asks by itself."""

console = Console(stderr=True, highlight=False, soft_wrap=True)


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    NOTHING_RUNS = 3
    CANCELLED = 130


def main(arguments: Sequence[str] | None = None) -> Exit:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up as after Ctrl-C
    options = _parser().parse_args(arguments)
    try:
        exit_code: Exit = options.run(options)
    except CommandError as error:
        console.print(str(error), style="red", markup=False)
        return Exit.FAILED
    except KeyboardInterrupt:
        console.print("cancelled")
        return Exit.CANCELLED
    return exit_code


def _up(options: argparse.Namespace) -> Exit:
    if (options.api is None) != (options.model is None):
        options.refuse("--api and --model go together: --api URL --model NAME, with a name that the API knows")
    if options.api_key_env and not options.api:
        options.refuse("--api-key-env goes with --api; in a config file each API has its own `api_key_env`")
    config = _config(options)
    if options.port:
        config.listen_at(options.port)
    began = time.monotonic()
    without_token: bool = options.without_ray_token
    run = up(home(), config, options.dashboard_port, console, without_token=without_token)
    console.print(f"ready after {time.monotonic() - began:.0f} s")
    _print_addresses(run, without_token)
    return Exit.DONE


def _config(options: argparse.Namespace) -> ServeConfig:
    """Return what the options ask for. In serve_config.yaml `embedded` is the one that fits this machine."""
    if options.api:
        return ServeConfig.in_front_of(options.api, options.model, options.api_key_env)
    if options.config:
        return ServeConfig.from_file(options.config)
    config = ServeConfig.from_file(configs.base_path())
    if config.qwens != [LARGE]:
        return config
    model, why = embedded_choice.choose(_deployed_qwen(home()))
    console.print(f"model      {why}")
    return ServeConfig.with_qwen(model)


def _deployed_qwen(store: Home) -> str | None:
    """Return the source of the model that a gateway here runs."""
    deployed = read_deployed(store) if store.current() else None
    return deployed.qwens[0] if deployed and deployed.qwens else None


def _print_addresses(run: Run, without_token: bool) -> None:
    url = "" if run.api == DEFAULT_API else f"--url {run.api} "
    console.print(f"page       {run.api}/")
    console.print(f"API        {run.api}/v1/reasoning")
    console.print(f"dashboard  {run.dashboard}/#/serve")
    if without_token:
        console.print("           without Ray's token: whoever reaches a port of Ray's runs code as you", style="red")
    else:
        console.print("           it asks once for the token that `ray get-auth-token` prints")
    console.print(f'ask it     reasoning-ask {url}"Why is the sky blue?"')
    console.print("stop it    reasoning-gateway down")


def _down(_: argparse.Namespace) -> Exit:
    store = home()
    with store.lock():
        run = store.current()
        if run is None:
            console.print("nothing is running")
            return Exit.DONE
        down(store, run, local.sign_in(), console)
    console.print(f"stopped the gateway at {run.api} ({run.deployed})")
    return Exit.DONE


def _status(_: argparse.Namespace) -> Exit:
    store = home()
    run = store.current()
    if run is None:
        console.print("nothing is running; start a gateway with `reasoning-gateway up`")
        return Exit.NOTHING_RUNS
    status = read_status(store, run, local.sign_in())
    for line in status.lines():
        print(line)
    return Exit.DONE if status.healthy else Exit.FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reasoning-gateway",
        description="Run a reasoning gateway on this machine; `reasoning-ask` asks it.",
        epilog=f"{EXAMPLES}  reasoning-gateway status\n  reasoning-gateway down\n\n{NOTES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"reasoning-gateway {version('reasoning-gateway')}")
    commands = parser.add_subparsers(metavar="{up,down,status}", required=True)

    def command(name: str, run: Callable[[argparse.Namespace], Exit], help: str, about: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name, help=help, description=about, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        added.set_defaults(run=run, refuse=added.error)
        return added

    _add_options(command("up", _up, "start it, or deploy another config if it runs already", UP))
    command("down", _down, "stop it", DOWN)
    command("status", _status, "print what runs, and how healthy it is", STATUS)
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    deployed = parser.add_mutually_exclusive_group()
    default = f"a Serve config ({configs.base_path()}, with the embedded model that fits this machine)"
    deployed.add_argument("--config", type=Path, metavar="FILE", help=default.replace("%", "%%"))
    deployed.add_argument("--api", metavar="URL", help="in place of a Qwen here: a /chat/completions API, with its /v1")
    add = parser.add_argument
    add("--model", metavar="NAME", action="append", help="a model of that API; may be repeated")
    add("--api-key-env", metavar="VAR", help="the environment variable with that API's key")
    add("--port", type=_port, metavar="N", help="the gateway's port, in place of the config's (8000)")
    add("--dashboard-port", type=_port, metavar="N", help=f"the port of Ray's dashboard ({DASHBOARD_PORT})")
    add("--without-ray-token", action="store_true", help="with RAY_AUTH_MODE=disabled: Ray runs anybody's code")
    parser.epilog = f"{EXAMPLES}\n{NOTES}"


def _port(text: str) -> int:
    if not text.isdecimal() or not 1024 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port between 1024 and 65535")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

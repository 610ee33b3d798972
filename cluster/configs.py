"""Serve configs: serve_config.yaml, the overlays of cluster/ on top of it, and a gateway in front of one API.

    python cluster/configs.py gpu > serve.yaml      print one whole Serve config, for `serve deploy`
    make cluster-configs                            write the configs that KubeRay's files contain

A mapping of an overlay is merged into the base's, key by key. A list of named things is restated: each one that the
overlay names keeps the base's settings of that name, and those that it does not name are left out. Anything else is
replaced. The result is complete, because Serve replaces the whole value of `ray_actor_options` or `autoscaling_config`
in the code by the one in the file.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

CLUSTER = Path(__file__).resolve().parent
CARRIERS = {
    CLUSTER / "kuberay" / "rayservice.yaml": "gpu",
    CLUSTER / "kuberay-http" / "patch.yaml": "http",
}
"""Files that contain a whole Serve config, and the overlay that it is made from."""
EMBEDDED = re.compile(r"^(  serveConfigV2|  value): \|\n(?:    .*\n|\n)*", re.MULTILINE)
DEFAULT_HTTP = {"host": "127.0.0.1", "port": 8000}
"""Serve's own `http_options`, for a config without them."""


def base_path() -> Path:
    """Return the path of serve_config.yaml: the checkout's, or the one that pip has installed.

    pip puts it into `share/reasoning-gateway` of the same prefix as the packages, whatever that prefix is: an
    environment's, the user's, or the folder of `--target`. Raises FileNotFoundError if it is in none of them.
    """
    checkout = CLUSTER.parent / "serve_config.yaml"
    shared = (folder / "share" / "reasoning-gateway" / "serve_config.yaml" for folder in CLUSTER.parents)
    for path in (checkout, *shared):
        if path.is_file():
            return path
    raise FileNotFoundError(f"serve_config.yaml is missing above {CLUSTER}; install reasoning-gateway again")


def base() -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(base_path().read_text("utf-8"))
    return config


def overlays() -> list[str]:
    """Return the names of the overlays: `http` for serve_config.http.yaml, and so on."""
    return sorted(path.name.split(".")[1] for path in CLUSTER.glob("serve_config.*.yaml"))


def with_overlay(name: str) -> dict[str, Any]:
    """Return serve_config.yaml with the overlay of that name merged into it."""
    overlay = yaml.safe_load((CLUSTER / f"serve_config.{name}.yaml").read_text("utf-8"))
    config: dict[str, Any] = _merged(base(), overlay)
    return config


def in_front_of(url: str, models: Sequence[str], api_key_env: str | None = None) -> dict[str, Any]:
    """Return serve_config.yaml with the `/chat/completions` API at `url` in place of the Qwen.

    `url` ends in `/v1` or the like; `models` are names that the API knows; `api_key_env` is the environment variable
    that has its key. The second application, the Qwen as a plain API, is left out with the Qwen.
    """
    api = {"url": url, "models": list(models), **({"api_key_env": api_key_env} if api_key_env else {})}
    gateway = {
        "name": "reasoning-gateway",
        "args": {"upstream": None, "http_upstreams": [api]},
        "deployments": [{"name": name} for name in ("Ingress", "StreamParser", "Summarizer")],
    }
    config: dict[str, Any] = _merged(base(), {"applications": [gateway]})
    return config


def with_qwen(model: str) -> dict[str, Any]:
    """Return serve_config.yaml with another Qwen, in both applications. `model` is as in `upstream.model`."""
    gateway = {"name": "reasoning-gateway", "args": {"upstream": {"model": model}}}
    plain = {"name": "upstream-api", "args": {"model": model}}
    config: dict[str, Any] = _merged(base(), {"applications": [gateway, plain]})
    return config


def with_embedded_config(carrier: Path) -> str:
    """Return the text of a file of `CARRIERS`, with the Serve config in it made anew."""
    lines = dumped(with_overlay(CARRIERS[carrier])).splitlines(keepends=True)
    block = "".join(f"    {line}" for line in lines)
    text, times = EMBEDDED.subn(lambda found: f"{found[1]}: |\n{block}", carrier.read_text("utf-8"))
    if times != 1:
        raise ValueError(f"{carrier} has {times} places for a Serve config, and should have one")
    return text


class _NoAliases(yaml.SafeDumper):
    """Write a value that occurs in several places in full in each of them, without YAML's anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dumped(config: dict[str, Any]) -> str:
    text: str = yaml.dump(config, Dumper=_NoAliases, sort_keys=False, width=120)
    return text


def _merged(base: Any, overlay: Any) -> Any:
    if isinstance(base, dict) and isinstance(overlay, dict):
        return base | {key: _merged(base.get(key), value) for key, value in overlay.items()}
    if isinstance(overlay, list) and overlay and all(isinstance(one, dict) and "name" in one for one in overlay):
        named = {one["name"]: one for one in base or []}
        return [_merged(named.get(one["name"]), one) for one in overlay]
    return overlay


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "overlay",
        nargs="?",
        choices=overlays(),
        help="print this one's config; without one, write KubeRay's files",
    )
    overlay = parser.parse_args().overlay
    if overlay:
        print(dumped(with_overlay(overlay)), end="")
        return
    for carrier in CARRIERS:
        carrier.write_text(with_embedded_config(carrier), "utf-8")


if __name__ == "__main__":
    main()

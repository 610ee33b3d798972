"""serve_config.yaml with an overlay of cluster/ over it.

    python cluster/configs.py gpu > serve.yaml      one whole Serve config, to `serve deploy`
    make cluster-configs                            those that KubeRay's files carry, written into them

Where an overlay has a mapping, its keys are laid over the base's. A list of things with names is restated: each that it
names keeps what the base says of it, and those that it does not name are left out. All else is replaced. So the result
says everything, and Serve, where a file's `ray_actor_options` or `autoscaling_config` replaces the whole value in the
code, has nothing to drop.
"""

import argparse
import re
from pathlib import Path
from typing import Any

import yaml

CLUSTER = Path(__file__).resolve().parent
BASE = CLUSTER.parent / "serve_config.yaml"
CARRIERS = {
    CLUSTER / "kuberay" / "rayservice.yaml": "gpu",
    CLUSTER / "kuberay-http" / "patch.yaml": "http",
}
"""The files that carry a Serve config, and the overlay that is in it."""
EMBEDDED = re.compile(r"^(  serveConfigV2|  value): \|\n(?:    .*\n|\n)*", re.MULTILINE)


def overlays() -> list[str]:
    """The names: http of serve_config.http.yaml, …"""
    return sorted(path.name.split(".")[1] for path in CLUSTER.glob("serve_config.*.yaml"))


def laid_over(overlay: str) -> dict[str, Any]:
    over = CLUSTER / f"serve_config.{overlay}.yaml"
    config: dict[str, Any] = _merged(yaml.safe_load(BASE.read_text("utf-8")), yaml.safe_load(over.read_text("utf-8")))
    return config


def embedded(carrier: Path) -> str:
    """The text of a file that carries a Serve config, with the one that belongs in it."""
    lines = dumped(laid_over(CARRIERS[carrier])).splitlines(keepends=True)
    block = "".join(f"    {line}" for line in lines)
    text, times = EMBEDDED.subn(lambda found: f"{found[1]}: |\n{block}", carrier.read_text("utf-8"))
    if times != 1:
        raise ValueError(f"{carrier} has {times} places for a Serve config, and should have one")
    return text


class _Whole(yaml.SafeDumper):
    """Writes what stands in several places in each of them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dumped(config: dict[str, Any]) -> str:
    text: str = yaml.dump(config, Dumper=_Whole, sort_keys=False, width=120)
    return text


def _merged(base: Any, over: Any) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        return base | {key: _merged(base.get(key), value) for key, value in over.items()}
    if isinstance(over, list) and over and all(isinstance(one, dict) and "name" in one for one in over):
        named = {one["name"]: one for one in base or []}
        return [_merged(named.get(one["name"]), one) for one in over]
    return over


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "overlay", nargs="?", choices=overlays(), help="print this one; without one, write KubeRay's files"
    )
    overlay = parser.parse_args().overlay
    if overlay:
        print(dumped(laid_over(overlay)), end="")
        return
    for carrier in CARRIERS:
        carrier.write_text(embedded(carrier), "utf-8")


if __name__ == "__main__":
    main()

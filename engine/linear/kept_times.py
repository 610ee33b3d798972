"""The measured times of kernels in a file, so that only the first start on a machine takes the seconds of measuring.

They are measured again when the processor, torch or the kernels have changed. Knows nothing of what is chosen by them.
"""

import json
import logging
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import torch

log = logging.getLogger(__name__)

CPU_INFO = Path("/proc/cpuinfo")
TELLING = ("vendor_id", "cpu family", "model", "model name", "stepping", "flags", "Features", "CPU part")
"""Fields of `CPU_INFO` by which processors differ, on x86 and on Arm; others change while a machine runs."""
ISA_VARIABLES = ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY", "FBGEMM_ENABLE_INSTRUCTIONS")
"""Variables that keep libraries from instructions which the processor has."""


def read(file: Path, measured: Iterable[object]) -> dict[str, Sequence[float]]:
    """Return the times in `file` by the names of kernels; empty if they were not measured so, and here."""
    try:
        kept = json.loads(file.read_text("utf-8"))
        return dict(kept["times"]) if kept["measured"] == _described(measured) else {}
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def write(file: Path, measured: Iterable[object], times: Mapping[str, Sequence[float]]) -> None:
    """Keep the times; `measured` is whatever they depend on besides the machine. A folder may be read-only."""
    text = json.dumps({"measured": _described(measured), "times": times})
    work = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        work.write_text(text, "utf-8")
        work.replace(file)
    except OSError as error:
        log.info("the times of kernels could not be kept: %s", error)
        with suppress(OSError):
            work.unlink()


def _described(measured: Iterable[object]) -> list[str]:
    isa = [os.environ.get(name, "") for name in ISA_VARIABLES]
    return [torch.__version__, _processor(), *isa, *map(str, measured)]


def _processor() -> str:
    """Return a description of the first processor, or its architecture where the system tells no more."""
    try:
        fields = [line.partition(":") for line in CPU_INFO.read_text("utf-8").partition("\n\n")[0].splitlines()]
    except OSError:
        fields = []
    told = [f"{name.strip()}: {value.strip()}" for name, _, value in fields if name.strip() in TELLING]
    return "\n".join(told) or platform.machine()

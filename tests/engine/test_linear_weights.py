"""Weights in the forms that kernels pack, of one layer and of several, made now or kept in a file."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from engine import engine as engine_module
from engine.embedded import INT8_FOLDER, quantize
from engine.engine import Engine
from engine.linear.choice import Choice
from engine.linear.weights import Int8, LinearWeights, groups_of, load_int8, name_of, save_int8


def test_several_layers_become_one() -> None:
    with_bias, without = nn.Linear(3, 2), nn.Linear(3, 4, bias=False)
    layer = LinearWeights([with_bias, without])
    assert (layer.in_features, layer.out_features, layer.size) == (3, 6, 18)
    torch.testing.assert_close(layer.weight(), torch.cat([with_bias.weight, without.weight]).detach())
    bias = layer.bias()
    assert bias is not None
    torch.testing.assert_close(bias, torch.cat([with_bias.bias.detach(), torch.zeros(4)]))
    assert LinearWeights([without]).bias() is None


def test_int8_numbers_use_their_whole_range_in_each_row() -> None:
    linear = nn.Linear(2, 3, bias=False)
    linear.weight.data = torch.tensor([[127.0, -63.5], [0.0, 0.0], [-0.5, 0.25]]).bfloat16()
    numbers, scales = LinearWeights([linear]).int8()
    assert numbers.tolist() == [[127, -64], [0, 0], [-127, 64]]
    torch.testing.assert_close(scales, torch.tensor([1.0, 1e-12, 0.5 / 127]))


def test_int8_weights_in_a_file_are_those_of_the_model(tmp_path: Path) -> None:
    gated = nn.ModuleDict({"gate_proj": nn.Linear(5, 4), "up_proj": nn.Linear(5, 2)})
    model = nn.ModuleList([nn.Linear(3, 5), nn.ReLU(), gated])
    save_int8(model, tmp_path / "weights.safetensors")
    kept = load_int8(tmp_path / "weights.safetensors")
    assert kept.keys() == {"0", "2.gate_proj+2.up_proj"}
    for group in groups_of(model):
        for got, made in zip(kept[name_of(group)], LinearWeights([*group.values()]).int8(), strict=True):
            assert torch.equal(got, made)


def test_an_engine_packs_the_int8_weights_in_the_folder_of_its_model(
    model: Path, tmp_path: Path, start: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = list[object]()

    def keep(model: nn.Module, _: Choice, kept: Mapping[str, Int8] | None) -> Iterator[None]:
        packed.append(kept and kept.keys())
        model.float()
        return iter(())

    monkeypatch.setattr(engine_module, "replace_layers", keep)
    folder = shutil.copytree(model, tmp_path / "model")
    start(folder, device="cpu")
    made = quantize(folder, tmp_path)
    made.rename(folder / INT8_FOLDER)
    start(folder, device="cpu")
    assert packed == [None, {*map(name_of, groups_of(AutoModelForCausalLM.from_pretrained(model)))}]

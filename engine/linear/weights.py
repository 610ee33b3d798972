"""The weights of linear layers in the forms that kernels pack, and a file of those whose making takes long.

int8 numbers of a model's weights take as long to make as everything else in loading it, so they can be kept. Knows
nothing of kernels, nor of where files are.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

Result = TypeVar("Result")

SMALLEST_SCALE = 1e-12
"""Stands in for the scale of a row of zeros."""

SAME_INPUT = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Names by which transformers' models call layers of one module, in this order, on the same input."""


class Int8(NamedTuple):
    """A matrix as `numbers` (out, in) of int8, and float32 `scales` (out,) that they are multiplied by."""

    numbers: torch.Tensor
    scales: torch.Tensor


class LinearWeights:
    """The weights of `linears`, which have the same input and become one layer: their outputs follow one another.

    `kept` is their int8 form, if it has been made before. The forms are computed when they are asked for, so weights
    that stay in a file are not read.
    """

    def __init__(self, linears: Sequence[nn.Linear], kept: Int8 | None = None) -> None:
        self._linears, self._kept = linears, kept
        self.in_features = linears[0].in_features
        self.out_features = sum(linear.out_features for linear in linears)
        self.size = self.in_features * self.out_features

    def weight(self) -> torch.Tensor:
        """Return the matrix (out, in) in the type of the model."""
        return _joined([linear.weight.detach() for linear in self._linears])

    def bias(self) -> torch.Tensor | None:
        """Return the biases (out,) as float32, zeros for linears that have none, or None if none has any."""
        if all(linear.bias is None for linear in self._linears):
            return None
        return _joined(
            [
                linear.weight.new_zeros(linear.out_features, dtype=torch.float32)
                if linear.bias is None
                else linear.bias.detach().float()
                for linear in self._linears
            ]
        )

    def int8(self) -> Int8:
        """Return the matrix with a scale for each output."""
        if self._kept:
            return self._kept
        parts = [quantized(linear.weight.detach()) for linear in self._linears]
        return Int8(_joined([part.numbers for part in parts]), _joined([part.scales for part in parts]))


def quantized(weight: torch.Tensor) -> Int8:
    scales = (weight.abs().amax(1).float() / 127).clamp_(min=SMALLEST_SCALE)
    # In 49 ms for a layer whose packing takes 60. `torch.quantize_per_channel` does the same in 116.
    numbers = weight.to(torch.float32, copy=True).mul_((1 / scales)[:, None]).round_().to(torch.int8)
    return Int8(numbers, scales)


def save_int8(model: nn.Module, file: Path) -> None:
    """Write the int8 form of all linear layers of `model`, one matrix for those with the same input.

    To join them at each start takes as long as to pack them: both touch fresh memory.
    """
    groups = groups_of(model)
    parts = on_all_cores(LinearWeights.int8, [LinearWeights([*group.values()]) for group in groups])
    save_file(
        {
            f"{name_of(group)}.{field}": tensor
            for group, part in zip(groups, parts, strict=True)
            for field, tensor in part._asdict().items()
        },
        file,
    )


def load_int8(file: Path) -> dict[str, Int8]:
    """Return the int8 forms in `file` by the names of their groups. They are read when they are used."""
    with safe_open(file, framework="pt") as tensors:
        names = sorted({name.rpartition(".")[0] for name in tensors.keys()})  # noqa: SIM118
        return {name: Int8(*(tensors.get_tensor(f"{name}.{field}") for field in Int8._fields)) for name in names}


def linears_of(model: nn.Module) -> Mapping[str, nn.Linear]:
    """Return the linear layers of `model` by their names."""
    return {name: child for name, child in model.named_modules() if isinstance(child, nn.Linear)}


def groups_of(model: nn.Module) -> list[dict[str, nn.Linear]]:
    """Return the linear layers of `model` by their names, those with the same input together."""
    groups = []
    for path, module in model.named_modules():
        for names in SAME_INPUT:
            found = {f"{path}.{name}".lstrip("."): getattr(module, name, None) for name in names}
            group = {name: linear for name, linear in found.items() if isinstance(linear, nn.Linear)}
            if len(group) == len(names):
                groups.append(group)
    grouped = {linear for group in groups for linear in group.values()}
    return groups + [{name: linear} for name, linear in linears_of(model).items() if linear not in grouped]


def name_of(group: Mapping[str, nn.Linear]) -> str:
    """Return the name by which the int8 form of `group` is kept."""
    return "+".join(group)


def on_all_cores(work: Callable[[LinearWeights], Result], layers: Sequence[LinearWeights]) -> list[Result]:
    """Return what `work` makes of each layer. It uses one core and releases the interpreter's lock.

    The largest first: the head comes last in a model, and takes a third of the time of all others.
    """
    order = sorted(range(len(layers)), key=lambda number: -layers[number].size)
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        made = dict(zip(order, threads.map(work, [layers[number] for number in order]), strict=True))
    return [made[number] for number in range(len(layers))]


def _joined(parts: Sequence[torch.Tensor]) -> torch.Tensor:
    return parts[0] if len(parts) == 1 else torch.cat([*parts])

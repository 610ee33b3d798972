"""Chosen kernels stand in for every linear layer, each for its numbers of rows."""

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM

from engine.linear.choice import Choice
from engine.linear.kernels import BFloat16
from engine.linear.replacing import (
    BFloat16Embedding,
    JoinedPart,
    join_layers,
    linear_weights,
    replace_layers,
    typical_linear,
)
from engine.linear.weights import Int8, LinearWeights
from tests.fakes.linear import joined


class Constant:
    """A kernel whose products are all the same."""

    bytes_per_weight = 1

    def __init__(self, value: float) -> None:
        self.name, self._value = f"{value}", value

    def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
        return [ConstantLinear(layer.out_features, self._value) for layer in layers]


class ConstantLinear(nn.Module):
    def __init__(self, size: int, value: float) -> None:
        super().__init__()
        self._size, self._value = size, value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.full((*x.shape[:-1], self._size), self._value)


def loaded(model: Path, dtype: torch.dtype) -> Any:
    return AutoModelForCausalLM.from_pretrained(model, dtype=dtype)


def test_replacing_leaves_no_linear_layer_and_keeps_what_the_model_says(model: Path) -> None:
    kernel = BFloat16()
    plain, replaced = loaded(model, torch.float32), loaded(model, torch.bfloat16)
    assert list(replace_layers(replaced, Choice(((inf, kernel),), kernel))) == []
    kinds = {type(child) for child in replaced.modules()}
    assert nn.Linear not in kinds
    assert nn.Embedding not in kinds
    assert BFloat16Embedding in kinds
    assert replaced.dtype == torch.float32
    assert {tensor.dtype for tensor in replaced.state_dict().values()} == {torch.float32}
    tokens = torch.arange(3, 60)[None]
    with torch.no_grad():
        torch.testing.assert_close(replaced(tokens).logits, plain(tokens).logits, atol=0.5, rtol=0.0)


def test_each_kernel_multiplies_its_number_of_rows() -> None:
    few, more, most = Constant(1.0), Constant(2.0), Constant(3.0)
    model = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2))

    def multiplied() -> list[list[float]]:
        """Return what each of the two layers multiplies each number of rows by."""
        first, second = model
        return [
            [float(layer(torch.zeros(1, rows, size))[0, 0, 0]) for layer, size in ((first, 4), (second, 2))]
            for rows in (1, 2, 8, 9, 300)
        ]

    others = replace_layers(model, Choice(((1, few), (4, more), (8, few), (inf, most)), more))
    assert multiplied() == [[2.0, 2.0]] * 5
    next(others)
    assert multiplied() == [[1.0, 2.0], [2.0, 2.0], [1.0, 2.0], [3.0, 2.0], [3.0, 2.0]]
    next(others)
    assert multiplied() == [[1.0, 1.0], [2.0, 2.0], [1.0, 1.0], [3.0, 3.0], [3.0, 3.0]]
    assert list(others) == []


def test_the_typical_layer_has_the_shape_of_most_weights(model: Path) -> None:
    tiny = loaded(model, torch.float32)
    shape = typical_linear(tiny).weight.shape
    assert shape in ((128, 64), (64, 128), tiny.lm_head.weight.shape)
    assert linear_weights(nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 3), nn.ReLU())) == 14
    stack = nn.Sequential(nn.Linear(4, 9), nn.Linear(5, 4), nn.Linear(5, 4))
    assert typical_linear(stack) is stack[1]


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = nn.Linear(4, 6), nn.Linear(4, 2), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [self.q_proj(x), self.k_proj(x), self.v_proj(x)]


@torch.no_grad()
def test_layers_with_the_same_input_are_computed_together() -> None:
    attention = Attention()
    inputs = [torch.randn(1, rows, 4) for rows in (1, 3)]
    expected = [attention(x) for x in inputs]
    counting = Counting()
    replace_layers(attention, Choice(((inf, counting),), counting))
    for x, outputs in zip(inputs, expected, strict=True):
        torch.testing.assert_close(attention(x), outputs)
    assert counting.calls == [(4, 11), (4, 11)]


@torch.no_grad()
def test_layers_are_joined_as_they_are() -> None:
    attention = Attention().bfloat16()
    attention.k_proj = nn.Linear(4, 2, bias=False, dtype=torch.bfloat16)
    x = torch.randn(1, 3, 4).bfloat16()
    expected = attention(x)
    join_layers(attention)
    assert [type(child) for child in attention.children()] == [JoinedPart] * 3
    part: Any = attention.q_proj
    assert part.together.weight.dtype == torch.bfloat16
    torch.testing.assert_close(attention(x), expected)


@torch.no_grad()
def test_an_input_changed_in_place_is_computed_anew() -> None:
    attention = Attention()
    counting = Counting()
    replace_layers(attention, Choice(((inf, counting),), counting))
    x = torch.zeros(1, 2, 4)
    before = attention(x)
    x += 1
    assert [torch.equal(old, new) for old, new in zip(before, attention(x), strict=True)] == [False] * 3


class Counting:
    """A kernel that keeps the layers and notes the shape of each that runs."""

    name, bytes_per_weight = "counting", 4

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
        linears = [joined(layer) for layer in layers]
        for linear in linears:
            linear.register_forward_pre_hook(
                lambda layer, _: self.calls.append((layer.in_features, layer.out_features))
            )
        return [*linears]


@torch.no_grad()
def test_int8_weights_made_before_are_those_of_the_layers() -> None:
    attention, seen = Attention(), list[Int8]()

    class Keeping(Counting):
        def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
            seen.extend(layer.int8() for layer in layers)
            return super().pack(layers)

    made = Int8(torch.arange(44, dtype=torch.int8).reshape(11, 4), torch.arange(11.0))
    keeping = Keeping()
    replace_layers(attention, Choice(((inf, keeping),), keeping), {"q_proj+k_proj+v_proj": made})
    assert seen == [made]

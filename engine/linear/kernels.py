"""Kernels for linear layers on CPUs, one class each. All take and return float32, whatever their weights are.

The only module that uses operators which torch does not document; tests/engine/test_linear_kernels.py checks each of
them against the installed version. A kernel that this processor or this build of torch lacks raises RuntimeError when
its weights are packed or when it runs. Knows nothing of models or of choosing.

The perplexity that each adds to bfloat16's is measured by `python -m bench.perplexity`; the table is in
docs/performance.md, and so are the times of `_weight_int4pack_mm_for_cpu`, which is not here.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from threading import Lock
from typing import Literal, Protocol

import torch
from torch import nn
from torch.nn import functional

from engine.linear.weights import SMALLEST_SCALE, LinearWeights, on_all_cores

QuantizedEngine = Literal["fbgemm", "onednn"]

_PACKING = Lock()
"""Held while weights are packed, since torch has one setting for all threads."""


class Kernel(Protocol):
    """Packs the weights of linear layers."""

    name: str
    bytes_per_weight: int

    def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
        """Return modules that map x (…, in) float32 to `x @ weight.T + bias` (…, out) float32, one for each layer.

        Raises RuntimeError if the kernel does not exist here.
        """


class BFloat16:
    """bfloat16 weights and activations. Every processor has it, emulated if it has no instructions for it."""

    name = "bfloat16"
    bytes_per_weight = 2

    def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
        return on_all_cores(_BFloat16Linear, layers)


class Half:
    """float16 weights with float32 arithmetic, by FBGEMM.

    `torch.ao.nn.quantized.dynamic.Linear` is documented and calls the same operator, but it packs a matrix of zeros
    first: loading a model of 0.5 billion weights took 34 and 46 s with it, 20 and 23 s with this.
    """

    name = "half"
    bytes_per_weight = 2

    def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
        with _packing_for("fbgemm"):
            return on_all_cores(_HalfLinear, layers)


class Int8:
    """int8 weights with a scale for each output, and int8 activations with a scale for each row, by `engine`."""

    bytes_per_weight = 1

    def __init__(self, engine: QuantizedEngine) -> None:
        self.name = f"int8 {engine}"
        self._engine = engine

    def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
        with _packing_for(self._engine):
            return on_all_cores(partial(_Int8Linear, seven_bits=_saturates(self._engine)), layers)


KERNELS: tuple[Kernel, ...] = (Int8("fbgemm"), Int8("onednn"), Half(), BFloat16())


class _BFloat16Linear(nn.Module):
    def __init__(self, layer: LinearWeights) -> None:
        super().__init__()
        bias = layer.bias()
        # Not a parameter, so that a conversion of the model to float32 does not reach it.
        self._weight = layer.weight().bfloat16()
        self._bias = None if bias is None else bias.bfloat16()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x.bfloat16(), self._weight, self._bias).float()


class _HalfLinear(nn.Module):
    def __init__(self, layer: LinearWeights) -> None:
        super().__init__()
        self._packed = torch.ops.quantized.linear_prepack_fp16(layer.weight().float(), layer.bias())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = torch.ops.quantized.linear_dynamic_fp16(x, self._packed)
        return out


class _Int8Linear(nn.Module):
    """The operator quantizes its whole input with one scale. Rows are divided by their own largest value before it, so
    that one row's outliers cost the others no precision."""

    def __init__(self, layer: LinearWeights, seven_bits: bool) -> None:
        super().__init__()
        self._packed = torch.ops.quantized.linear_prepack(_quantized_tensor(layer), None)
        self._bias = layer.bias()
        self._seven_bits = seven_bits

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.numel() == x.shape[-1]:
            out: torch.Tensor = torch.ops.quantized.linear_dynamic(x, self._packed, self._seven_bits)
            return out if self._bias is None else out.add_(self._bias)
        # `vector_norm`, which needs no second tensor, takes ten times as long.
        scales = x.abs().amax(-1, keepdim=True).clamp_(min=SMALLEST_SCALE)
        out = torch.ops.quantized.linear_dynamic(x / scales, self._packed, self._seven_bits)
        return out.mul_(scales) if self._bias is None else torch.addcmul(self._bias, out, scales)


def _quantized_tensor(layer: LinearWeights) -> torch.Tensor:
    """Return the int8 form of `layer` as one of torch's quantized tensors, which shares their memory.

    `_make_per_channel_quantized_tensor` copies them, and fresh memory is dear: one thread of an EPYC packed all of the
    1.5B's with oneDNN in 8.0 s and 14.3 s, in small and in huge pages, and in 4.7 s and 5.5 s without the copies.
    """
    numbers, scales = layer.int8()
    zeros = torch.zeros(len(numbers), dtype=torch.int64)
    made = torch._empty_per_channel_affine_quantized(
        numbers.shape, scales=scales.double(), zero_points=zeros, axis=0, dtype=torch.qint8
    )
    shared: torch.Tensor = made.set_(
        numbers.untyped_storage(), numbers.storage_offset(), numbers.shape, numbers.stride()
    )
    return shared


@cache
def _saturates(_: QuantizedEngine) -> bool:
    """Return True if products of 8 bits overflow with the library, which is selected, and activations must have 7 bits.

    They do on processors without VNNI, where two products are added in 16 bits.
    """
    size = 64
    ones = nn.Linear(size, size, bias=False)
    ones.weight.data.fill_(1.0)
    product = _Int8Linear(LinearWeights([ones]), seven_bits=False)(torch.ones(1, size))
    return not torch.allclose(product, torch.full((1, size), float(size)), rtol=0.02)


@contextmanager
def _packing_for(engine: QuantizedEngine) -> Iterator[None]:
    """Select the library that packs, for the whole process. Packed weights remember theirs."""
    with _PACKING:
        before = torch.backends.quantized.engine
        torch.backends.quantized.engine = engine
        try:
            # torch 2.13 deprecates quantized tensors, but has no other way to make the weights of these operators.
            with warnings.catch_warnings(action="ignore", category=UserWarning):
                yield
        finally:
            torch.backends.quantized.engine = before

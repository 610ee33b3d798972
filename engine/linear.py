"""Linear layers for CPUs without bfloat16 instructions: half-precision weights, single-precision arithmetic.

FBGEMM's kernel keeps the weights as float16 and computes in float32. Tokens/s on two AVX2 cores with Qwen2.5-0.5B at 1,
4 and 16 requests: bfloat16 9, 12, 13; float32 6, 11, 26; this 12, 31, 54.

The only module that uses operators which torch does not document; tests/engine/test_linear.py checks each of them
against the installed version. `torch.ao.nn.quantized.dynamic.Linear` is documented and calls the same kernel, but it
packs a matrix of zeros before the real one: loading the model took 34 and 46 s with it, 20 and 23 s with this.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import nn


class HalfLinear(nn.Module):
    """`x @ weight.T + bias`; x (…, in) float32 -> (…, out) float32."""

    def __init__(self, linear: nn.Linear) -> None:
        super().__init__()
        bias = None if linear.bias is None else linear.bias.detach().float()
        self.packed = torch.ops.quantized.linear_prepack_fp16(linear.weight.detach().float(), bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = torch.ops.quantized.linear_dynamic_fp16(x, self.packed)
        return out


def pack(model: nn.Module) -> nn.Module:
    """Replace every linear layer of `model` by a `HalfLinear`, in place, and convert the rest to float32."""
    places = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if isinstance(child, nn.Linear)
    ]
    # Packing uses one core and releases the interpreter's lock: with a thread per core, a load of 10 s takes half.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        packed = threads.map(lambda place: HalfLinear(place[2]), places)
        for (parent, name, _), layer in zip(places, packed, strict=True):
            setattr(parent, name, layer)
    return model.float()


def half_is_faster() -> bool:
    """Return True if oneDNN does not compute in bfloat16 on this CPU and torch has FBGEMM's kernels.

    `torch.cpu.get_capabilities` is documented, but describes the processor only; oneDNN may also be limited to older
    instructions (`ONEDNN_MAX_CPU_ISA`).
    """
    return not torch.ops.mkldnn._is_mkldnn_bf16_supported() and "fbgemm" in torch.backends.quantized.supported_engines

"""Each kernel is a linear layer within the rounding of its weights and activations, or is missing on this processor."""

import pytest
import torch
from torch import nn

from engine.linear.kernels import KERNELS, Kernel
from engine.linear.weights import LinearWeights

ROUNDING = {"half": 2.0**-11, "bfloat16": 2.0**-7, "int8 fbgemm": 2.0**-6, "int8 onednn": 2.0**-6}
"""Relative, of a product of one weight and one activation; int8 is rounded relative to the largest of each."""


@pytest.fixture
def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture(params=KERNELS, ids=lambda kernel: kernel.name)
def kernel(request: pytest.FixtureRequest) -> Kernel:
    found: Kernel = request.param
    try:
        found.pack([LinearWeights([nn.Linear(64, 48)])])
    except RuntimeError as error:
        pytest.skip(f"this processor has no {found.name}: {error}")
    return found


def random_linear(random: torch.Generator, bias: bool, dtype: torch.dtype) -> nn.Linear:
    linear = nn.Linear(64, 48, bias=bias, dtype=dtype)
    for parameter in linear.parameters():
        parameter.data = torch.randn(parameter.shape, generator=random).to(dtype)
    return linear


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 64), (5, 64), (2, 3, 64)])
@torch.no_grad()
def test_a_kernel_is_the_linear_layer_within_its_rounding(
    random: torch.Generator, kernel: Kernel, shape: tuple[int, ...], bias: bool, dtype: torch.dtype
) -> None:
    linear = random_linear(random, bias, dtype)
    x = torch.randn(shape, generator=random)
    (packed,) = kernel.pack([LinearWeights([linear])])
    got, exact = packed(x), linear.float()(x)
    largest = x.abs().amax(-1, keepdim=True) * linear.weight.abs().amax(1) * 64**0.5
    assert (got.dtype, got.shape) == (torch.float32, (*shape[:-1], 48))
    assert bool(((got - exact).abs() <= largest * ROUNDING[kernel.name] + 0.02).all())


@torch.no_grad()
def test_an_outlier_in_one_row_costs_the_others_no_precision(random: torch.Generator, kernel: Kernel) -> None:
    linear = random_linear(random, True, torch.float32)
    (packed,) = kernel.pack([LinearWeights([linear])])
    x = torch.randn(4, 64, generator=random)
    alone = packed(x)
    x[0] *= 10_000
    torch.testing.assert_close(packed(x)[1:], alone[1:], atol=0.5, rtol=0.0)


@torch.no_grad()
def test_rows_of_zeros_give_the_bias(random: torch.Generator, kernel: Kernel) -> None:
    linear = random_linear(random, True, torch.bfloat16)
    (packed,) = kernel.pack([LinearWeights([linear])])
    for rows in (1, 3):
        torch.testing.assert_close(packed(torch.zeros(rows, 64)), linear.bias.float().expand(rows, 48))


@torch.no_grad()
def test_products_of_8_bits_do_not_overflow(kernel: Kernel) -> None:
    linear = nn.Linear(64, 64, bias=False)
    linear.weight.fill_(1.0)
    (packed,) = kernel.pack([LinearWeights([linear])])
    for rows in (1, 3):
        torch.testing.assert_close(packed(torch.ones(rows, 64)), torch.full((rows, 64), 64.0), atol=0.5, rtol=0.0)


def test_packing_leaves_the_library_selected_as_it_was(kernel: Kernel) -> None:
    before = torch.backends.quantized.engine
    for engine in torch.backends.quantized.supported_engines:
        torch.backends.quantized.engine = engine
        kernel.pack([LinearWeights([nn.Linear(64, 48)])])
        assert torch.backends.quantized.engine == engine
    torch.backends.quantized.engine = before

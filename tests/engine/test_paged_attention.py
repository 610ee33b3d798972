"""The kernels that attend to pages, for which Triton and a GPU are needed, beside what they compute."""

from itertools import accumulate

import pytest
import torch

from tests.fakes import paged_attention as definition
from tests.fakes.tiny_model import DEVICE

pytest.importorskip("triton")
if DEVICE != "cuda":
    pytest.skip("Triton has no CPU", allow_module_level=True)

from engine.paged_attention import CHUNK, PARTS, attend_pages

PAGE = 128
LENGTHS = [1, 2, CHUNK, CHUNK + 1, 0, PAGE, PAGE + 1, PARTS * CHUNK, PARTS * CHUNK + 1, 3 * PARTS * CHUNK - 5, 0]
"""Tokens of requests with the newest: at the borders of what a program takes, and none for rows that only pad."""


@pytest.mark.parametrize(("heads", "key_heads", "size"), [(4, 2, 16), (12, 2, 128), (14, 2, 64), (8, 8, 80)])
def test_attention_to_pages_is_attention_to_all_tokens(heads: int, key_heads: int, size: int) -> None:
    generator = torch.Generator().manual_seed(1)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator).bfloat16()

    requests, most = len(LENGTHS), -(-max(LENGTHS) // PAGE)
    pages = torch.randperm(requests * most, generator=generator).view(requests, most)
    table = pages.int().masked_fill(torch.arange(most) * PAGE >= torch.tensor(LENGTHS)[:, None], -1)
    keys, values = (drawn(requests * most, PAGE, key_heads, size) for _ in range(2))
    query, key, value = (drawn(1, number, requests, size) for number in (heads, key_heads, key_heads))
    offsets = torch.tensor([*accumulate(LENGTHS, initial=0)], dtype=torch.int32)
    as_defined = query.float(), key.float(), value.float(), keys.float(), values.float(), offsets, table
    expected = definition.attend_pages(*as_defined)
    pages_on_device = keys.to(DEVICE), values.to(DEVICE)
    newest = query.to(DEVICE), key.to(DEVICE), value.to(DEVICE)
    attended = attend_pages(*newest, *pages_on_device, offsets.to(DEVICE), table.to(DEVICE))
    torch.testing.assert_close(attended.float().cpu(), expected, atol=0.02, rtol=0.02)
    for written, right in zip(pages_on_device, as_defined[3:5], strict=True):
        torch.testing.assert_close(written.float().cpu(), right, atol=0, rtol=0)

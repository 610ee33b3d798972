"""The arguments of torch's flash attention, for which a GPU is needed: computed here by what it documents."""

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from engine.attention import attend_per_request
from engine.gpu_attention import attend_varlen


def documented(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, cu_seq_q: Any, cu_seq_k: Any, max_q: int, max_k: int,
    *, scale: float, window_size: tuple[int, int], enable_gqa: bool,
) -> torch.Tensor:  # fmt: skip
    """Attend as the documentation of `varlen_attn` says: tokens first, then heads; a causal window ends at the last."""
    assert (window_size, enable_gqa) == ((-1, 0), True)
    spans = [*zip(pairwise(cu_seq_q.tolist()), pairwise(cu_seq_k.tolist()), strict=True)]
    assert (max_q, max_k) == tuple(max(end - begin for begin, end in side) for side in zip(*spans, strict=True))
    parts = []
    for queries, keys in spans:
        own, old, held = (
            states[slice(*span)].transpose(0, 1) for states, span in ((query, queries), (key, keys), (value, keys))
        )
        mask = torch.ones(own.shape[1], old.shape[1], dtype=torch.bool).tril(old.shape[1] - own.shape[1])
        attended = scaled_dot_product_attention(own, old, held, attn_mask=mask, scale=scale, enable_gqa=True)
        parts.append(attended.transpose(0, 1))
    return torch.cat(parts)


def test_flash_attention_is_given_what_attention_per_request_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.gpu_attention.varlen_attn", documented)
    monkeypatch.setattr("engine.gpu_attention.GROUPED", {"enable_gqa": True})
    generator = torch.Generator().manual_seed(1)
    query = torch.randn(1, 4, 9, 8, generator=generator)
    key, value = (torch.randn(1, 2, 30, 8, generator=generator) for _ in range(2))
    offsets = torch.tensor([0, 1, 6, 9], dtype=torch.int32), torch.tensor([0, 12, 17, 30], dtype=torch.int32)
    attended = attend_varlen(query, key, value, *offsets, (5, 13), 0.3)
    torch.testing.assert_close(attended, attend_per_request(query, key, value, *offsets, 0.3))

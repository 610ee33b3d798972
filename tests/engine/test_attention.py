"""A batch's attention, request by request, is that of transformers over all of them behind a mask."""

from itertools import accumulate
from typing import Any

import pytest
import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from engine.attention import attend

HEADS, KEY_HEADS, SIZE = 6, 2, 8


class Cache:
    """Holds the keys and values of a batch, those of its queries among them."""

    def __init__(self, keys: int) -> None:
        self.key, self.value = (torch.randn(1, KEY_HEADS, keys, SIZE) for _ in range(2))

    def update(self, *_: Any) -> tuple[torch.Tensor, torch.Tensor]:
        return self.key, self.value


def cumulative(lengths: list[int]) -> torch.Tensor:
    return torch.tensor([0, *accumulate(lengths)], dtype=torch.int32)


def masked(queries: list[int], keys: list[int]) -> torch.Tensor:
    """Each request's queries see its own keys, up to their own."""
    mask = torch.zeros(1, 1, sum(queries), sum(keys), dtype=torch.bool)
    rows, columns = 0, 0
    for q, k in zip(queries, keys, strict=True):
        mask[0, 0, rows : rows + q, columns : columns + k] = torch.ones(q, k).tril(k - q)
        rows, columns = rows + q, columns + k
    return mask


@pytest.mark.parametrize(
    ("queries", "keys"),
    [
        ([1], [5]),
        ([1, 1, 1], [5, 1, 9]),
        ([4], [4]),
        ([3], [7]),
        ([1, 4, 3, 1], [6, 4, 8, 2]),
    ],
    ids=["one", "several", "a prompt", "a prompt whose beginning is known", "all of them"],
)
def test_it_is_that_of_transformers(queries: list[int], keys: list[int]) -> None:
    torch.manual_seed(0)
    cache, query = Cache(sum(keys)), torch.randn(1, HEADS, sum(queries), SIZE)
    module = torch.nn.Module()
    module.num_key_value_groups = HEADS // KEY_HEADS  # type: ignore[assignment]
    module.layer_idx = 0  # type: ignore[assignment]
    spans = {"cu_seq_lens_q": cumulative(queries), "cu_seq_lens_k": cumulative(keys)}
    own, _ = attend(module, query, query, query, None, cache=cache, scaling=0.3, **spans)
    whole, _ = sdpa_attention_forward(
        module, query, cache.key, cache.value, masked(queries, keys), scaling=0.3, is_causal=False
    )
    assert own.shape == (1, sum(queries), HEADS, SIZE)
    torch.testing.assert_close(own, whole)

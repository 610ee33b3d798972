"""The attention of each request to its own keys equals attention over all keys of the batch behind a mask."""

from itertools import accumulate

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from engine.attention import attend_per_request

HEADS, KEY_HEADS, SIZE = 6, 2, 8


def offsets(lengths: list[int]) -> torch.Tensor:
    return torch.tensor([0, *accumulate(lengths)], dtype=torch.int32)


def block_mask(queries: list[int], keys: list[int]) -> torch.Tensor:
    """Each request's queries see its own keys, up to their own."""
    mask = torch.zeros(sum(queries), sum(keys), dtype=torch.bool)
    rows, columns = 0, 0
    for q, k in zip(queries, keys, strict=True):
        mask[rows : rows + q, columns : columns + k] = torch.ones(q, k).tril(k - q)
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
    ids=["one", "several", "a prompt", "a prompt with a cached beginning", "a mixed batch"],
)
def test_attention_per_request_equals_masked_attention(queries: list[int], keys: list[int]) -> None:
    torch.manual_seed(0)
    query = torch.randn(1, HEADS, sum(queries), SIZE)
    key, value = (torch.randn(1, KEY_HEADS, sum(keys), SIZE) for _ in range(2))
    attended = attend_per_request(query, key, value, offsets(queries), offsets(keys), scaling=0.3)
    expanded_key, expanded_value = (x.repeat_interleave(HEADS // KEY_HEADS, dim=1) for x in (key, value))
    masked = scaled_dot_product_attention(
        query, expanded_key, expanded_value, attn_mask=block_mask(queries, keys), scale=0.3
    )
    assert attended.shape == (1, sum(queries), HEADS, SIZE)
    torch.testing.assert_close(attended, masked.transpose(1, 2))

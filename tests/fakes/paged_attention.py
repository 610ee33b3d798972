"""Attention to pages of a cache on a CPU, by its definition: what the kernels of `engine.paged_attention` compute."""

from itertools import pairwise

import torch
from torch.nn.functional import scaled_dot_product_attention


def attend_pages(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
    key_offsets: torch.Tensor,
    table: torch.Tensor,
    scaling: float | None = None,
) -> torch.Tensor:
    """See there."""
    out = torch.zeros_like(query).transpose(1, 2)
    tokens = keys.shape[1]
    for request, (begin, end) in enumerate(pairwise(key_offsets.tolist())):
        if begin == end:
            continue
        newest = end - begin - 1
        pages = table[request, : newest // tokens + 1]
        place = pages[-1], newest % tokens
        keys[place], values[place] = key[0, :, request], value[0, :, request]
        own, held = (states[pages].flatten(0, 1)[: newest + 1].transpose(0, 1) for states in (keys, values))
        attended = scaled_dot_product_attention(query[0, :, request, None], own, held, scale=scaling, enable_gqa=True)
        out[0, request] = attended[:, 0]
    return out

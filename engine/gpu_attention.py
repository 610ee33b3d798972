"""Attention for batches on a GPU without the flash-attn package: torch's own variable-length flash attention.

As in `attention.py`, the queries of each request meet the keys of that request alone, in one kernel and without a mask.
Needs an Ampere GPU or a later one. Not measured yet. Knows nothing of transformers.
"""

import torch
from torch.nn.attention.varlen import varlen_attn

ALL_BEFORE = (-1, 0)
"""The window of keys that a query sees: all before it, none after."""


def attend_varlen(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    query_offsets: torch.Tensor,
    key_offsets: torch.Tensor,
    longest: tuple[int, int],
    scaling: float | None = None,
) -> torch.Tensor:
    """Return what `attend_per_request` does; `longest` are the most queries and keys of a request."""
    query, key, value = (states[0].transpose(0, 1) for states in (query, key, value))
    attended = varlen_attn(
        query, key, value, query_offsets, key_offsets, *longest, scale=scaling, window_size=ALL_BEFORE, enable_gqa=True
    )
    assert isinstance(attended, torch.Tensor)  # a tuple only if more is asked for
    return attended[None]

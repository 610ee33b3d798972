"""Attention for batches on a GPU: torch's flash attention, and kernels of our own for one token a request.

As in `attention.py`, the queries of each request meet the keys of that request alone, without a mask. Needs an Ampere
GPU or a later one. Knows nothing of transformers.
"""

import logging
from importlib import import_module
from inspect import signature
from typing import Any

import torch
from torch.nn.attention.varlen import varlen_attn

log = logging.getLogger(__name__)

ALL_BEFORE = (-1, 0)
"""The window of keys that a query sees: all before it, none after."""

GROUPED: dict[str, Any] = {"enable_gqa": True} if "enable_gqa" in signature(varlen_attn).parameters else {}
"""Lets several heads of queries share keys. Before torch 2.12 they may without being asked."""


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
        query, key, value, query_offsets, key_offsets, *longest, scale=scaling, window_size=ALL_BEFORE, **GROUPED
    )
    assert isinstance(attended, torch.Tensor)  # a tuple only if more is asked for
    return attended[None]


def attend_pages(*arguments: object) -> torch.Tensor:
    """Do what `paged_attention.attend_pages` does, whose module can be imported only where Triton is installed."""
    attended: torch.Tensor = import_module("engine.paged_attention").attend_pages(*arguments)
    return attended


def reads_pages(device: torch.device) -> bool:
    """Return whether `attend_pages` works on the device: it is compiled when it is called for the first time."""
    if device.type != "cuda":
        return False
    row = torch.zeros(1, 1, 1, 64, dtype=torch.bfloat16, device=device)
    pages = row.new_zeros(2, 1, 64, 1, 64)
    offsets, table = (row.new_tensor(numbers, dtype=torch.int32) for numbers in ([0, 1], [[0]]))
    try:
        attend_pages(row, row, row, *pages, offsets, table)
    except Exception as error:
        log.warning("no CUDA graphs, so few streams are several times slower: Triton failed, %s", error)
        return False
    return True

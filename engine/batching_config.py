"""The settings of transformers' continuous batching (5.23) for a CPU and for a GPU.

On a GPU steps overlap (`use_async_batching`): the next one is prepared and started while one runs. Steps in which every
request takes one token are CUDA graphs, where kernels can read the pages of the cache (`paged_attention.py`). Steps
with prompts are not: each number of tokens would need a graph.
"""

import torch
from transformers import ContinuousBatchingConfig

PAGE_TOKENS = 32
"""Tokens in a page of the KV cache. Small, because a request that continues another one's text shares only whole pages
with it and computes the rest anew."""

GPU_PAGE_TOKENS = 64
"""Tokens in a page on a GPU: a multiple of what a program of `paged_attention` takes at a time."""

GPU_ROWS = 256
"""The largest number of requests in a step on a GPU. A graph is captured for each power of two up to it."""

STEP_SECONDS = 0.7
"""Seconds that linear layers may take in a step for prompts. All streams stand still in a step, and what is cancelled
in it is computed to its end: on a slow processor an answer waited 8.5 s for 512 tokens of a summary that was cancelled.
An AVX2 EPYC took 9.3 and 7.6 s for 512 tokens at once, 7.3 and 7.4 s for 64 at a time, 9.9 for 16."""


def suits(device: torch.device) -> bool:
    """Return True for a GPU that has flash attention: Ampere or later. Others are treated as a CPU is."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def manager_config(on_gpu: bool, kv_cache_tokens: int, max_batch_tokens: int) -> ContinuousBatchingConfig:
    """Return the settings for a cache of `kv_cache_tokens`."""
    page_tokens = GPU_PAGE_TOKENS if on_gpu else PAGE_TOKENS
    config = ContinuousBatchingConfig(
        page_size=page_tokens,
        num_blocks=-(-kv_cache_tokens // page_tokens),
        max_batch_tokens=max_batch_tokens,
        # Attention is ours, whatever is installed.
        auto_switch_to_flash=False,
        use_async_batching=on_gpu,
        use_cuda_graph=(False, on_gpu),
    )
    if on_gpu:
        config.max_requests_per_batch = GPU_ROWS
        # Sizes are padded for graphs alone, and steps with prompts, which these are of, have none.
        config.q_padding_interval_size = config.kv_padding_interval_size = 1
    return config


def step_tokens(token_seconds: float, most: int) -> int:
    """Return the number of tokens of prompts in a step if each takes so long: `most`, or whole pages that fit."""
    pages = int(STEP_SECONDS / token_seconds) // PAGE_TOKENS if token_seconds else most
    return min(most, max(1, pages) * PAGE_TOKENS)

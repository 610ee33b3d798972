"""The settings of transformers' continuous batching (5.23) for a CPU and for a GPU.

On a GPU steps overlap (`use_async_batching`): the next one is prepared and started while one runs. Steps in which every
request takes one token are CUDA graphs, if flash attention is installed, whose kernels read the pages of the cache.
Steps with prompts are not: each number of tokens would need a graph. None of this has been measured on a GPU.
"""

import torch
from transformers import ContinuousBatchingConfig

PAGE_TOKENS = 32
"""Tokens in a page of the KV cache. Small, because a request that continues another one's text shares only whole pages
with it and computes the rest anew."""

GPU_PAGE_TOKENS = 256
"""Tokens in a page on a GPU: the kernels of flash attention 2 that read pages take multiples of it."""

GPU_ROWS = 256
"""The largest number of requests in a step on a GPU. A graph is captured for each power of two up to it."""


def suits(device: torch.device) -> bool:
    """Return True for a GPU that has flash attention: Ampere or later. Others are treated as a CPU is."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)


def manager_config(
    on_gpu: bool, context_tokens: int, kv_cache_tokens: int, max_batch_tokens: int
) -> ContinuousBatchingConfig:
    """Return the settings for a cache of `kv_cache_tokens` and contexts of up to `context_tokens`."""
    page_tokens = GPU_PAGE_TOKENS if on_gpu else PAGE_TOKENS
    config = ContinuousBatchingConfig(
        page_size=page_tokens,
        num_blocks=-(-kv_cache_tokens // page_tokens),
        max_batch_tokens=max_batch_tokens,
        use_async_batching=on_gpu,
        use_cuda_graph=(False, on_gpu),
    )
    if on_gpu:
        config.max_requests_per_batch = GPU_ROWS
        config.max_blocks_per_request = -(-context_tokens // page_tokens)
    return config

"""Differences between a CPU and a GPU in continuous batching, checked without a GPU."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from engine.batching_config import PAGE_TOKENS, STEP_SECONDS, manager_config, step_tokens
from engine.kept_scores import KeptScores
from engine.sampling import Request, Sampling


def test_scores_of_a_gpu_are_kept_where_a_graph_will_write_them_again() -> None:
    kept = KeptScores(torch.zeros(4, 3))
    request = SimpleNamespace(
        has_new_token=True,
        state=SimpleNamespace(
            logit_processor_kwargs={"request": Request(Sampling())},
            current_len=lambda: 1,
            initial_tokens=[1],
            generated_tokens=[2],
        ),
    )
    kept.prepare_tensor_args([request, request], torch.empty(0))
    before = [tensor.data_ptr() for tensor in kept.of_rows()]
    scores = torch.arange(9.0).view(3, 3)
    assert kept(torch.tensor([7, 8, 9]), scores, torch.empty(0)) is scores
    assert [tensor.tolist() for tensor in kept.of_rows()] == [scores[:2].tolist(), [7, 8]]
    assert [tensor.data_ptr() for tensor in kept.of_rows()] == before


@pytest.mark.parametrize(
    ("on_gpu", "chosen"),
    [(False, (32, 1024, False, (False, False), None, None)), (True, (64, 512, True, (False, True), 256, None))],
)
def test_settings_follow_the_device(on_gpu: bool, chosen: tuple[Any, ...]) -> None:
    config = manager_config(on_gpu, 32768, 512)
    assert chosen == (
        config.page_size,
        config.num_blocks,
        config.use_async_batching,
        config.use_cuda_graph,
        config.max_requests_per_batch,
        config.max_blocks_per_request,
    )


@pytest.mark.parametrize(
    ("token_seconds", "tokens"),
    [(0.0, 512), (0.0001, 512), (STEP_SECONDS / (2.5 * PAGE_TOKENS), 2 * PAGE_TOKENS), (1.0, PAGE_TOKENS)],
)
def test_a_step_has_as_many_tokens_of_prompts_as_take_a_moment(token_seconds: float, tokens: int) -> None:
    assert step_tokens(token_seconds, 512) == tokens
    assert step_tokens(token_seconds, 16) == 16

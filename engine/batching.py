"""Continuous batching of transformers (5.23) behind a plain interface: requests in, tokens out, many at once.

With `kept_scores.py` the only module that uses parts of transformers which its documentation does not promise.
tests/engine/test_contracts.py checks each of them against the installed version:

    manager._generation_step()                   replaced, so that our sampler chooses between the model and the update
    manager.logit_processor                      replaced: it keeps the scores of a step and says whose they are
    manager.output_router.result_handlers        the handler of a cancelled request is removed; nothing else does that
    processor.inputs_and_outputs, .model_runner  run a step of the model, and take its tokens from `output_ids`
    state.logit_processor_kwargs, current_len()  a request's sampling and position, read when its batch is prepared
    state.initial_tokens, generated_tokens       a request's tokens so far, likewise
    state.position_offset, request.query_length  how many of them are in the cache, and how many the step adds
    state.status, scheduler.active_requests      a request that is cancelled while a batch with it runs is finished
    manager._create_batch_processor(), processor.scheduler.schedule_batch()
                                                 wrapped, so that a step has fewer tokens of prompts
    cache.mark_complete_blocks(), part.complete_blocks
                                                 pages that the manager would not let other requests share
    continuous_batching_config                   its `max_blocks_per_request` is set once more: only for flash attention
                                                 does the manager leave it as it was asked for
    cache.update(), cu_seq_lens_q, cu_seq_lens_k the arguments of an attention function under continuous batching
    block_table, k_cache, v_cache                likewise, in steps in which each request takes one token

The sampler runs after the model, on the same stream of the device but outside of CUDA graphs: it knows on the CPU what
a batch needs, and does nothing for a greedy one. A step may be prepared and started while the one before it still runs
(`use_async_batching`), so the sampler takes the last tokens from the device and not from the states of the requests.

Knows nothing of text, of files or of what a sampling means.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from transformers import AttentionInterface, GenerationConfig

from engine.attention import attend_per_request
from engine.batching_config import GPU_ROWS, manager_config, suits
from engine.decoder_layer import replace_decoder_layers
from engine.delivery import delivery_to
from engine.gpu_attention import attend_pages, attend_varlen, reads_pages
from engine.kept_scores import KeptScores
from engine.sampling import NoteCached, Request, Row, Sampling, ignore
from gateway.errors import UpstreamError
from gateway.mailbox import Mailbox

STOP_SECONDS = 10
"""Seconds to wait for the generation thread to end its step when the engine is stopped."""

ATTENTION = "own_keys"
"""The name under which `_attend` is registered with transformers."""

Choose = Callable[[torch.Tensor, torch.Tensor, Sequence[Row]], torch.Tensor | None]
"""Called with the scores (rows, vocabulary) of a step, which it may change, the last token before each (rows,), and one
`Row` for each; returns the tokens to take, (rows,), or None for those with the highest scores."""


class ContinuousBatching:
    """Runs `model` in a thread of its own, on all submitted requests at once, until `stop`.

    A step has at most `max_batch_tokens`, and beside one for each request at most `prompt_tokens`.
    """

    def __init__(
        self,
        model: Any,
        choose: Choose,
        *,
        end_tokens: Sequence[int],
        context_tokens: int,
        kv_cache_tokens: int,
        max_batch_tokens: int,
        prompt_tokens: int,
    ) -> None:
        on_gpu = suits(model.device)
        self._choose = choose
        self._manager = model.init_continuous_batching(
            generation_config=GenerationConfig(  # type: ignore[no-untyped-call]
                do_sample=False, eos_token_id=list(end_tokens)
            ),
            continuous_batching_config=manager_config(on_gpu, kv_cache_tokens, max_batch_tokens),
        )
        if on_gpu or model.device.type == "cpu":
            # Only now: the manager refuses to begin with an attention that it does not know.
            model.set_attn_implementation(ATTENTION)
            replace_decoder_layers(model, _attend)
            if reads_pages(model.device):
                config = self._manager.continuous_batching_config
                config.max_blocks_per_request = -(-context_tokens // config.page_size)
        vocabulary = model.config.get_text_config().vocab_size
        self._scores = KeptScores(torch.empty(GPU_ROWS, vocabulary, device=model.device) if on_gpu else None)
        self._manager.logit_processor = self._scores
        self._manager._generation_step = self._step
        self._manager._create_batch_processor = _with_few_prompts(self._manager._create_batch_processor, prompt_tokens)
        if on_gpu:
            # Captures the graphs, which would otherwise happen while the first requests wait.
            self._manager.warmup()
        self._manager.start()

    @property
    def alive(self) -> bool:
        """Return whether the generation thread runs; an error that the manager cannot recover from ends it."""
        return bool(self._manager.is_running())

    def submit(
        self, id: str, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling, note_cached: NoteCached = ignore
    ) -> Mailbox[int]:
        """Queue a request and return the mailbox that receives its new tokens; it is closed after the last one.

        Call it on the event loop that reads the mailbox. The mailbox is closed with an UpstreamError if the request
        fails. `note_cached` is that of a `Request`. Raises UpstreamError if the generation thread has ended.
        """
        self._drop_unclaimed_results()
        mailbox = Mailbox[int]()
        # Before the request, so that not even its first token can arrive without a handler.
        self._manager.register_result_handler(id, delivery_to(mailbox))
        added = self._manager.add_request(
            list(tokens),
            request_id=id,
            max_new_tokens=max_new_tokens,
            streaming=True,
            request=Request(sampling, len(tokens), note_cached),
        )
        if added is None:
            self._remove_handler(id)
            raise UpstreamError("the engine has stopped; its replica will be replaced")
        return mailbox

    def cancel(self, request_id: str) -> None:
        """Drop the request before the next step. Does nothing if it has ended already."""
        self._manager.cancel_request(request_id)
        self._remove_handler(request_id)

    def stop(self) -> None:
        """End the generation thread; requests that have not ended fail."""
        self._manager.stop(block=True, timeout=STOP_SECONDS, hard_stop=True)

    @torch.inference_mode()
    def _step(self) -> None:
        """Run the model on the batch that the manager has prepared, choose the tokens, and send them to the CPU."""
        processor = self._manager.batch_processor
        batch, runner = processor.inputs_and_outputs, processor.model_runner
        self._scores.drop_cancelled(processor.scheduler.active_requests)
        if processor.use_async_batching:
            self._scores.share_pages(processor.cache)
        runner.compute_batch(self._manager.model, batch.get_model_kwargs(use_padding=runner.pad_inputs))
        with torch.cuda.stream(batch.compute_stream) if batch.compute_stream else nullcontext():
            if self._scores.rows:
                chosen = self._choose(*self._scores.of_rows(), self._scores.rows)
                if chosen is not None:
                    batch.output_ids[0, : len(chosen)].copy_(chosen)
        batch.retrieve_device_outputs()

    def _remove_handler(self, request_id: str) -> None:
        # The manager removes it with a request's last output only, and a cancelled request may have none.
        self._manager.output_router.result_handlers.pop(request_id, None)

    def _drop_unclaimed_results(self) -> None:
        """Empty the manager's shared queue: outputs of a step that ran while its request was cancelled end up there."""
        while self._manager.get_result(timeout=0) is not None:
            pass


def _with_few_prompts(create: Callable[[], Any], prompt_tokens: int) -> Callable[[], Any]:
    """Return `create` for steps of at most `prompt_tokens` beside one for each request that runs.

    It is left to the generation thread, and not called before: it fills the cache with zeros on all cores, and a second
    team of OpenMP threads would stay behind (`engine._load`).
    """

    def created() -> Any:
        processor = create()
        scheduler = processor.scheduler

        def schedule(token_budget: int, cache_budget: int) -> Any:
            fewer = min(token_budget, prompt_tokens + len(scheduler.active_requests))
            return type(scheduler).schedule_batch(scheduler, fewer, cache_budget)

        scheduler.schedule_batch = schedule
        return processor

    return created


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    _mask: None,
    *,
    cache: Any,
    cu_seq_lens_q: torch.Tensor,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Store the new keys and values in the paged cache and attend to all of each request's own."""
    key, value = cache.update(key, value, module.layer_idx, kwargs)
    # Read after the update, which replaces it: before, it holds the offsets of every type of layer.
    key_offsets = kwargs["cu_seq_lens_k"]
    if (table := kwargs.get("block_table")) is not None:
        pages = kwargs["k_cache"], kwargs["v_cache"]
        return attend_pages(query, key, value, *pages, key_offsets, table, scaling), None
    if query.is_cuda:
        longest = kwargs["max_length_q"], kwargs["max_length_k"]
        return attend_varlen(query, key, value, cu_seq_lens_q, key_offsets, longest, scaling), None
    return attend_per_request(query, key, value, cu_seq_lens_q, key_offsets, scaling), None


AttentionInterface.register(ATTENTION, _attend)

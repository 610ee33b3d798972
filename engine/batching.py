"""Continuous batching of transformers (5.23) behind a plain interface: requests in, tokens out, many at once.

The only module that uses parts of transformers which its documentation does not promise. tests/engine/test_batching.py
checks each of them against the installed version:

    manager.logit_processor                      replaced, since the library's own has no seed, temperature 0 or bans
    manager.output_router.result_handlers        the handler of a cancelled request is removed; nothing else does that
    state.logit_processor_kwargs, current_len()  a request's sampling and position, read while its batch runs
    state.initial_tokens, generated_tokens       a request's tokens so far, likewise
    cache.update(), cu_seq_lens_q, cu_seq_lens_k the arguments of an attention function under continuous batching

Knows nothing of text, of files or of what a sampling means.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import AttentionInterface, ContinuousBatchingConfig, GenerationConfig

from engine.attention import attend_per_request
from engine.sampling import Row, Sampling
from gateway.errors import UpstreamError
from gateway.mailbox import Mailbox

PAGE_TOKENS = 32
"""Tokens in a page of the KV cache. Small, because a request that continues another one's text shares only whole pages
with it and computes the rest anew."""

STOP_SECONDS = 10
"""Seconds to wait for the generation thread to end its step when the engine is stopped."""

ATTENTION = "own_keys"
"""The name under which `_attend` is registered with transformers."""

Sample = Callable[[torch.Tensor, Sequence[Row]], None]
"""Called with the scores (rows, vocabulary) of a step and one `Row` for each; changes the scores in place so that the
highest of each row is the token to take."""


class ContinuousBatching:
    """Runs `model` in a thread of its own, on all submitted requests at once, until `stop`."""

    def __init__(
        self, model: Any, sample: Sample, *, end_tokens: Sequence[int], kv_cache_tokens: int, max_batch_tokens: int
    ) -> None:
        self._manager = model.init_continuous_batching(
            generation_config=GenerationConfig(  # type: ignore[no-untyped-call]
                do_sample=False, eos_token_id=list(end_tokens)
            ),
            continuous_batching_config=ContinuousBatchingConfig(
                page_size=PAGE_TOKENS,
                num_blocks=-(-kv_cache_tokens // PAGE_TOKENS),
                max_batch_tokens=max_batch_tokens,
                # With it, requests would be sampled with the states of the batch after theirs.
                use_async_batching=False,
                use_cuda_graph=False,
            ),
        )
        if model.device.type == "cpu":
            # Only now: the manager refuses to begin with an attention that it does not know.
            model.set_attn_implementation(ATTENTION)
        self._manager.logit_processor = _LogitsProcessor(sample)
        self._manager.start()

    @property
    def alive(self) -> bool:
        """Return whether the generation thread runs; an error that the manager cannot recover from ends it."""
        return bool(self._manager.is_running())

    def submit(self, request_id: str, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling) -> Mailbox[int]:
        """Queue a request and return the mailbox that receives its new tokens; it is closed after the last one.

        Call it on the event loop that reads the mailbox. The mailbox is closed with an UpstreamError if the request
        fails. Raises UpstreamError if the generation thread has ended.
        """
        self._drop_unclaimed_results()
        mailbox = Mailbox[int]()
        # Before the request, so that not even its first token can arrive without a handler.
        self._manager.register_result_handler(request_id, _delivery_to(mailbox))
        added = self._manager.add_request(
            list(tokens), request_id=request_id, max_new_tokens=max_new_tokens, streaming=True, sampling=sampling
        )
        if added is None:
            self._remove_handler(request_id)
            raise UpstreamError("the engine has stopped; its replica will be replaced")
        return mailbox

    def cancel(self, request_id: str) -> None:
        """Drop the request before the next step. Does nothing if it has ended already."""
        self._manager.cancel_request(request_id)
        self._remove_handler(request_id)

    def stop(self) -> None:
        """End the generation thread; requests that have not ended fail."""
        self._manager.stop(block=True, timeout=STOP_SECONDS, hard_stop=True)

    def _remove_handler(self, request_id: str) -> None:
        # The manager removes it with a request's last output only, and a cancelled request may have none.
        self._manager.output_router.result_handlers.pop(request_id, None)

    def _drop_unclaimed_results(self) -> None:
        """Empty the manager's shared queue: outputs of a step that ran while its request was cancelled end up there."""
        while self._manager.get_result(timeout=0) is not None:
            pass


def _delivery_to(mailbox: Mailbox[int]) -> Callable[[Any], None]:
    """Return a result handler. The manager's outputs repeat all tokens so far; only new ones go into the mailbox."""
    delivered = 0

    def deliver(output: Any) -> None:
        nonlocal delivered
        if output.error is not None:
            mailbox.close(UpstreamError(f"the engine failed: {output.error}"))
            return
        new = output.generated_tokens[delivered:]
        delivered += len(new)
        mailbox.put(new)
        if output.is_finished():
            mailbox.close()

    return deliver


class _LogitsProcessor:
    """Stands in for the manager's list of logits processors and passes each step on to `sample`.

    For each step the manager calls `prepare_tensor_args` with the requests, then the object itself with their scores,
    both on the generation thread. After it, the manager takes the highest score of each row.
    """

    do_processing = True
    tensors_required = 0

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._states: list[Any] = []

    def check_kwargs(self, kwargs: dict[str, Any]) -> None:
        """Accept anything: `submit` passes one typed `Sampling`."""

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        """Do nothing: no arguments travel in tensors."""

    def prepare_tensor_args(self, requests_in_batch: list[Any], arg_storage: torch.Tensor) -> torch.Tensor:
        # A request whose prompt is only partly processed has no scores in this step.
        self._states = [request.state for request in requests_in_batch if request.has_new_token]
        return arg_storage

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        """`input_ids` (rows,): the token before each row; `scores` (rows, vocabulary), which may end in padding."""
        rows = [
            Row(
                state.logit_processor_kwargs["sampling"],
                previous,
                state.current_len(),
                state.initial_tokens,
                state.generated_tokens,
            )
            for state, previous in zip(self._states, input_ids.tolist(), strict=False)
        ]
        self._sample(scores[: len(rows)], rows)
        return scores


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
    return attend_per_request(query, key, value, cu_seq_lens_q, key_offsets, scaling), None


AttentionInterface.register(ATTENTION, _attend)

"""The scores of a step, and whose they are: what transformers' manager takes for its logits processors.

The parts of transformers that it uses are in the list of `batching.py`.
"""

from collections.abc import Container
from typing import Any

import torch
from transformers.generation.continuous_batching.requests import RequestStatus

from engine.sampling import Row


class KeptScores:
    """Stands in for the manager's list of logits processors: keeps the scores of a step, and whose they are.

    For each step the manager calls `prepare_tensor_args` with the requests, and the object itself with their scores,
    both on the generation thread. A CUDA graph that is replayed does not call it, but repeats what the call that was
    captured did to tensors: so the scores of a GPU are copied to `storage` (most rows, vocabulary).
    """

    do_processing = True
    tensors_required = 0

    def __init__(self, storage: torch.Tensor | None) -> None:
        self.rows: list[Row] = []
        self._parts: list[Any] = []
        self._in_flight: list[Any] = []
        self._storage = storage
        self._kept = (torch.empty(0, 0), torch.empty(0))
        if storage is not None:
            self._kept = (storage, torch.zeros(len(storage), dtype=torch.int32, device=storage.device))

    def check_kwargs(self, kwargs: dict[str, Any]) -> None:
        """Accept anything: `submit` passes one typed `Request`."""

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        """Do nothing: no arguments travel in tensors."""

    def prepare_tensor_args(self, requests_in_batch: list[Any], arg_storage: torch.Tensor) -> torch.Tensor:
        self._in_flight, self._parts = self._parts, requests_in_batch
        ours = [(part, part.state.logit_processor_kwargs.get("request")) for part in requests_in_batch]
        for part, request in ours:
            if request and not part.state.generated_tokens:
                request.note_cached(part.state.position_offset - part.query_length)
        # A request whose prompt is only partly processed has no scores in this step; those of a warmup are not ours.
        self.rows = [
            Row(request, part.state.current_len(), (part.state.initial_tokens, part.state.generated_tokens))
            for part, request in ours
            if request and part.has_new_token
        ]
        return arg_storage

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        """`input_ids` (rows,): the token before each row; `scores` (rows, vocabulary); both may end in padding."""
        if self._storage is None:
            self._kept = scores, input_ids
        else:
            for kept, new in zip(self._kept, (scores, input_ids), strict=True):
                kept[: len(new)].copy_(new)
        return scores

    def drop_cancelled(self, active: Container[str]) -> None:
        """Mark the cancelled requests of the batch before as finished: if it still runs, the manager would otherwise
        look for their pages when it ends, and fail, because these are free again."""
        for part in self._in_flight:
            if part.state.request_id not in active:
                part.state.status = RequestStatus.FINISHED

    def share_pages(self, cache: Any) -> None:
        """Let others share the pages that the batch before completes for a request whose prompt ends in this one: when
        it has run, the manager takes the request for one that had a new token, and passes over its pages."""
        for part in self._in_flight:
            if part.state.status == RequestStatus.DECODING and not part.has_new_token:
                cache.mark_complete_blocks(part.state, part.complete_blocks)

    def of_rows(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the scores (rows, vocabulary) of the step, and the token before each (rows,)."""
        scores, previous = self._kept
        return scores[: len(self.rows)], previous[: len(self.rows)]

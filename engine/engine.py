"""Tokens in, tokens out: a model on its device under transformers' continuous batching (5.23).

One engine serves many requests at once; their tokens are handed to the event loop as they come. Knows nothing of text,
chat templates or thinking: that is `harness.py`.
"""

import asyncio
import logging
import os
import queue
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModelForCausalLM, ContinuousBatchingConfig, GenerationConfig

from engine import attention, linear
from engine.sampling import Sampler, Sampling
from gateway.errors import UpstreamError

log = logging.getLogger(__name__)

PAGE_TOKENS = 32
"""Small pages: a request that continues another one's text computes at most a page anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """`threads` is torch's on a CPU, None for one a core. Token counts as in `UpstreamSettings`."""

    device: Literal["cuda", "cpu"] = "cpu"
    threads: int | None = None
    context_tokens: int = 8192
    kv_cache_tokens: int = 32768
    max_batch_tokens: int = 512


class Engine:
    """Loads the model in `folder` and runs it until `stop`.

    Raises ValueError where the cache cannot hold one whole context.
    """

    def __init__(self, folder: Path, settings: EngineSettings) -> None:
        if settings.kv_cache_tokens < settings.context_tokens:
            raise ValueError("kv_cache_tokens must be at least context_tokens")
        self._model = _load(folder, settings)
        self.defaults: GenerationConfig = self._model.generation_config
        self.end_tokens = frozenset(_end_tokens(self.defaults))
        self.context_tokens = min(settings.context_tokens, self._model.config.max_position_embeddings)
        self._manager = self._model.init_continuous_batching(
            generation_config=GenerationConfig(  # type: ignore[no-untyped-call]
                do_sample=False, eos_token_id=sorted(self.end_tokens)
            ),
            continuous_batching_config=ContinuousBatchingConfig(
                page_size=PAGE_TOKENS,
                num_blocks=-(-settings.kv_cache_tokens // PAGE_TOKENS),
                max_batch_tokens=settings.max_batch_tokens,
                # The sampler reads the requests of the batch that runs, not of the one after it.
                use_async_batching=False,
                use_cuda_graph=False,
            ),
        )
        if settings.device == "cpu":
            self._model.set_attn_implementation(attention.NAME)  # the manager itself takes none that it does not know
        self._manager.logit_processor = Sampler()
        self._manager.output_router.output_queue = _Nowhere()
        self._manager.start()

    @property
    def alive(self) -> bool:
        return self._manager.is_running() and self._manager.background_thread_status.fatal_error is None

    @property
    def running(self) -> int:
        """How many requests the engine works on or has waiting."""
        processor = self._manager.batch_processor
        if processor is None:
            return 0
        return len(processor.scheduler.active_requests) + len(processor.scheduler.waiting_requests)

    async def generate(
        self, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling
    ) -> AsyncGenerator[list[int]]:
        """Yield new tokens as they come, several at once where the reader was slower; an end token is the last.

        Closing the generator cancels the request. Raises UpstreamError where the engine fails.
        """
        request_id, latest = uuid.uuid4().hex, _Latest()
        self._manager.register_result_handler(request_id, latest.set)
        sent, finished = 0, False
        try:
            added = self._manager.add_request(
                list(tokens),
                request_id=request_id,
                max_new_tokens=max_new_tokens,
                streaming=True,
                sampling=sampling,
            )
            if added is None:
                raise UpstreamError("the engine has stopped; its replica will be replaced")
            while not finished:
                output = await latest.get()
                finished = output.is_finished()
                if output.error is not None:
                    raise UpstreamError(f"the engine failed: {output.error}")
                if new := output.generated_tokens[sent:]:
                    sent += len(new)
                    yield new
        finally:
            if not finished:
                self._manager.cancel_request(request_id)
                self._manager.output_router.result_handlers.pop(request_id, None)

    def stop(self) -> None:
        self._manager.stop(block=True, timeout=10, hard_stop=True)


class _Latest:
    """A slot for the manager's newest output, which holds all that came before it: nothing queues."""

    def __init__(self) -> None:
        self._output: Any = None
        self._set = asyncio.Event()

    def set(self, output: Any) -> None:
        self._output = output
        self._set.set()

    async def get(self) -> Any:
        await self._set.wait()
        self._set.clear()
        return self._output


class _Nowhere(queue.SimpleQueue[Any]):
    """Where the manager puts what nobody asked for: a cancelled request's last output, which would stay forever."""

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Drop it."""


def _load(folder: Path, settings: EngineSettings) -> Any:
    """The model on its device, with no team of OpenMP threads left behind.

    GNU's OpenMP counts all teams of a process: with one of the loading thread beside the engine's there are more
    threads than cores, and a thread that waits for the next operation falls asleep in microseconds instead of
    spinning (`GOMP_SPINCOUNT`). Measured on two cores: 10.5 tokens/s so, 14.9 with the engine's team alone.
    """
    if settings.device == "cpu":
        torch.set_num_threads(1)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, attn_implementation="sdpa")
    if settings.device == "cpu" and linear.wanted():
        log.info("this CPU has no bfloat16 instructions: half-precision weights, single-precision arithmetic")
        model = linear.pack(model)
    model = model.to(settings.device)
    if settings.device == "cpu":
        torch.set_num_threads(settings.threads or os.cpu_count() or 1)
    return model


def _end_tokens(defaults: GenerationConfig) -> list[int]:
    end = defaults.eos_token_id
    if end is None:
        return [-1]
    return list(end) if isinstance(end, list) else [end]

"""Tokens in, tokens out: a model on its device, many requests at once.

Loads the model in the precision that suits the processor, runs it under continuous batching (`batching.py`), and hands
new tokens to the event loop. Knows nothing of text, chat templates or thinking: that is `harness.py`.
"""

import asyncio
import logging
import os
import threading
import time
import uuid
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from transformers import AutoModelForCausalLM, GenerationConfig

from engine.batching import ContinuousBatching
from engine.batching_config import step_tokens
from engine.embedded import INT8_FILE, INT8_FOLDER, KERNEL_TIMES
from engine.linear.choice import choose
from engine.linear.replacing import join_layers, linear_weights, replace_layers, typical_linear
from engine.linear.weights import load_int8
from engine.sampling import NoteCached, Sampler, Sampling, ignore
from gateway.errors import UpstreamError

log = logging.getLogger(__name__)

LONGEST_REST = 60.0
"""Seconds from the start for which work that only makes it faster waits for a pause in the requests: beside such work,
moving weights into huge pages, a first question was answered with 4.9 tokens/s, and with 10.7 without."""

PIECE_SECONDS = 30.0
"""Seconds after which a piece of a prompt that is computed ahead is given up: a failing engine may not answer it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """`threads` is the number of torch's threads on a CPU, None for one per core. The rest counts tokens, as in
    `UpstreamSettings`."""

    device: Literal["cuda", "cpu"] = "cpu"
    threads: int | None = None
    context_tokens: int = 8192
    kv_cache_tokens: int = 32768
    max_batch_tokens: int = 512


class Engine:
    """Loads the model in `folder` and runs it until `stop`.

    Raises ValueError if the cache cannot hold one whole context.
    """

    def __init__(self, folder: Path, settings: EngineSettings) -> None:
        if settings.kv_cache_tokens < settings.context_tokens:
            raise ValueError("kv_cache_tokens must be at least context_tokens")
        model, prompt_tokens, others = _load(folder, settings)
        self.defaults: GenerationConfig = model.generation_config
        self.end_tokens = frozenset(_end_tokens(self.defaults))
        self.context_tokens: int = min(settings.context_tokens, model.config.max_position_embeddings)
        self._running = 0
        self._idle, self._stopping = threading.Event(), False
        self._idle.set()
        self._batching = ContinuousBatching(
            model,
            Sampler().choose,
            end_tokens=sorted(self.end_tokens),
            context_tokens=self.context_tokens,
            kv_cache_tokens=settings.kv_cache_tokens,
            max_batch_tokens=settings.max_batch_tokens,
            prompt_tokens=prompt_tokens,
        )
        self._prompt_tokens = prompt_tokens
        self._improving: list[threading.Thread] = []
        self._start_improving(others)

    @property
    def alive(self) -> bool:
        """False once the engine has stopped or failed for good."""
        return self._batching.alive

    @property
    def running(self) -> int:
        """The number of requests whose generators are open, waiting for their first step or in it."""
        return self._running

    async def generate(
        self, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling, note_cached: NoteCached = ignore
    ) -> AsyncGenerator[list[int]]:
        """Yield new tokens as they are made, several at once if the reader is slower. An end token is the last.

        `note_cached` is called as that of `Request`, on the engine's thread.
        Closing the generator cancels the request. Raises UpstreamError if the engine fails.
        """
        request_id = uuid.uuid4().hex
        mailbox = self._batching.submit(request_id, tokens, max_new_tokens, sampling, note_cached)
        self._running += 1
        self._idle.clear()
        try:
            while new := await mailbox.take():
                yield new
        finally:
            self._running -= 1
            if not self._running:
                self._idle.set()
            if not mailbox.over:
                self._batching.cancel(request_id)

    def prepare(self, prompts: Iterable[Sequence[int]]) -> None:
        """Compute `prompts` while no request runs, so that those which begin like them find them in the cache."""
        self._start_improving(self._computed(prompts))

    def wait_until_improved(self) -> None:
        """Return when the work that makes a new engine faster is done, for those who measure it."""
        for thread in self._improving:
            thread.join()

    def stop(self) -> None:
        """End the engine's threads; open generators raise UpstreamError."""
        self._stopping = True
        self._idle.set()
        self.wait_until_improved()  # before the batching: a request that comes while it ends may get no answer
        self._batching.stop()

    def _start_improving(self, work: Iterator[None]) -> None:
        thread = threading.Thread(target=self._improve, args=[work], name="improving", daemon=True)
        self._improving.append(thread)
        thread.start()

    def _improve(self, work: Iterator[None]) -> None:
        """Do one piece of `work` after another, while no request runs."""
        end = time.monotonic() + LONGEST_REST
        for _ in work:
            if not self._stopping:
                self._idle.wait(max(0, end - time.monotonic()))
            if self._stopping:
                break

    def _computed(self, prompts: Iterable[Sequence[int]]) -> Iterator[None]:
        """Compute a step's worth of a prompt in each piece: a request that comes meanwhile waits for no more."""
        step = self._prompt_tokens
        for prompt in prompts:
            tokens = prompt[: self.context_tokens - 1]
            for end in range(step, len(tokens) + step, step):
                with suppress(UpstreamError, TimeoutError):  # the engine has failed
                    asyncio.run(self._compute(tokens[:end]))
                yield

    async def _compute(self, tokens: Sequence[int]) -> None:
        # The pages of a step with which a request ends are not shared, so the prompt must not end in its last one.
        mailbox = self._batching.submit(uuid.uuid4().hex, tokens, 2, Sampling())
        async with asyncio.timeout(PIECE_SECONDS):
            while await mailbox.take():
                pass


def _load(folder: Path, settings: EngineSettings) -> tuple[Any, int, Iterator[None]]:
    """Return the model on its device, the tokens of prompts that a step may have, and work that makes the model faster,
    for when there is time.

    It is loaded with one thread, so that no team of OpenMP threads is left behind.

    GNU's OpenMP counts the teams of all threads of a process. With a team of the loading thread beside the engine's
    there are more threads than cores, and a thread that waits for the next operation sleeps after microseconds instead
    of spinning (`GOMP_SPINCOUNT`). On two cores that made 10.5 tokens/s instead of 14.9.
    """
    if settings.device == "cpu":
        torch.set_num_threads(1)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, attn_implementation="sdpa")
    if settings.device != "cpu":
        model.to(settings.device)
        join_layers(model)
        return model, settings.max_batch_tokens, iter(())
    prepared = folder / INT8_FOLDER
    kept = load_int8(prepared / INT8_FILE) if prepared.is_dir() else None
    times = prepared / KERNEL_TIMES if prepared.is_dir() else None
    choice = choose(typical_linear(model), linear_weights(model), file=times)
    others = replace_layers(model, choice, kept)
    threads = settings.threads or os.cpu_count() or 1
    torch.set_num_threads(threads)
    prompt_tokens = step_tokens(choice.token_seconds / threads, settings.max_batch_tokens)
    log.info("tokens of prompts in a step: %d", prompt_tokens)
    return model, prompt_tokens, others


def _end_tokens(defaults: GenerationConfig) -> list[int]:
    end = defaults.eos_token_id
    if end is None:
        return [-1]
    return list(end) if isinstance(end, list) else [end]

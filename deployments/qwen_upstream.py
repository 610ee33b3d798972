"""The Qwen on a GPU or CPU of the cluster: `engine/` does the work.

What Ray adds here: the model is on the device that Ray assigned to the replica.
"""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

import ray
import torch
from transformers import AutoTokenizer

from deployments.qwen_request import to_generation_request, to_upstream_item
from engine.engine import Engine, EngineSettings
from engine.harness import Harness
from engine.model_files import model_folder
from engine.sampling import NoteCached, Sampling, ignore
from gateway.pacing import PACER
from gateway.summaries.prompts import first_part_request
from gateway.upstream import Accepted, Message, UpstreamItem, UpstreamRequest
from gateway.upstream_settings import UpstreamSettings

log = logging.getLogger(__name__)

SWITCH_SECONDS = 0.0005
"""Seconds for which a thread may keep the interpreter. With Python's default of 5 ms the engine's thread would delay
each step of a request on the event loop by that long."""

WARM_UP = UpstreamRequest(id="warm-up", messages=(Message(role="user", content="Hello"),))
"""Rendered while loading, since the chat template is compiled on first use, which would delay the first request."""


class _PacedEngine(Engine):
    """An engine that is read at most once a tick; between ticks it collects the new tokens of a stream.

    Only tokens wait for ticks: `Accepted` and the step from thinking to answering do not.
    """

    async def generate(
        self, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling, note_cached: NoteCached = ignore
    ) -> AsyncGenerator[list[int]]:
        async with aclosing(super().generate(tokens, max_new_tokens, sampling, note_cached)) as batches:
            async for batch in batches:
                yield batch
                await PACER.tick()


class Qwen:
    """Loads the model that `settings` name, and runs it until `stop`.

    It computes the beginnings of prompts to come while nobody asks: that of a question, and, if it writes summaries,
    that of a part in their language.
    """

    def __init__(self, settings: UpstreamSettings, summary_language: str | None) -> None:
        sys.setswitchinterval(SWITCH_SECONDS)
        self._settings = settings
        folder = model_folder(settings.model)
        # Before the engine, which goes on improving itself for some seconds.
        tokenizer = AutoTokenizer.from_pretrained(folder)
        self._engine = _PacedEngine(
            folder,
            EngineSettings(
                device=_device(settings),
                threads=settings.threads,
                context_tokens=settings.context_tokens,
                kv_cache_tokens=settings.kv_cache_tokens,
                max_batch_tokens=settings.max_batch_tokens,
            ),
        )
        self._harness = Harness(self._engine, tokenizer)
        beginnings = [WARM_UP, *([first_part_request(summary_language)] if summary_language else [])]
        self._engine.prepare([self._harness.prompt(to_generation_request(one, settings)) for one in beginnings])

    async def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]:
        """Yield batches of items. Raises ContextTooLong, and UpstreamError if the engine fails."""
        generation = to_generation_request(request, self._settings)
        # In a thread: a prompt of thousands of tokens would stop all other streams for milliseconds.
        prompt_tokens = await asyncio.to_thread(self._harness.count, generation)
        yield [Accepted(prompt_tokens=prompt_tokens)]
        with PACER.stream():
            async with aclosing(self._harness.stream(generation)) as items:
                async for item in items:
                    yield [to_upstream_item(item, prompt_tokens)]

    @property
    def running(self) -> int:
        """The number of requests in the engine, 0 once the last client has gone."""
        return self._engine.running

    def check_health(self) -> None:
        """Raise RuntimeError if the engine has stopped."""
        if not self._engine.alive:
            raise RuntimeError("the engine has stopped")

    def stop(self) -> None:
        self._engine.stop()


def _device(settings: UpstreamSettings) -> Literal["cuda", "cpu"]:
    """Return "cuda" if Ray assigned a GPU to this replica and torch can use it.

    If Ray assigned none, torch may still see the node's GPUs, so `torch.cuda.is_available` alone is not enough. A node
    may also declare a GPU that torch cannot use: then `device: cuda` fails, and any other setting uses the CPU.
    """
    if not ray.get_gpu_ids():
        return "cpu"
    if settings.device == "cuda" or torch.cuda.is_available():
        return "cuda"
    log.warning("Ray assigned a GPU that torch cannot use; running on the CPU")
    return "cpu"

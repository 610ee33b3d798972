"""The Qwen on its GPU or CPU, behind a handle: `engine/` does the work.

What Ray adds here: the model is loaded once a replica, on the device that Ray assigned; requests and answers cross as
`UpstreamRequest` and frames; a dead engine fails the health check, so that Serve replaces the replica.
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

from deployments.qwen_request import to_ask
from deployments.rpc.server import RpcServer
from engine.engine import Engine, EngineSettings
from engine.harness import Ended, Harness, Piece, ThinkingEnded
from engine.model_files import model_folder
from engine.sampling import Sampling
from gateway import upstream
from gateway.config import UpstreamSettings
from gateway.events import Usage
from gateway.pacing import PACER
from gateway.upstream import Accepted, Finished, Message, Text, UpstreamItem, UpstreamRequest

log = logging.getLogger(__name__)
SWITCH_SECONDS = 0.0005
REHEARSAL = UpstreamRequest(id="rehearsal", messages=(Message(role="user", content="Hello"),))
"""Counted while loading: the chat template is compiled on first use, and no request should wait for that."""


class QwenUpstream(RpcServer):
    """Serves `stream`; one replica runs many requests in one batch."""

    def __init__(self, settings: UpstreamSettings) -> None:
        super().__init__(settings.max_streams)
        # The engine's thread would keep the interpreter for 5 ms at a time, and each hop of a request wait for that.
        sys.setswitchinterval(SWITCH_SECONDS)
        self._settings = settings
        folder = model_folder(settings.model)
        self._engine = Engine(
            folder,
            EngineSettings(
                device=_device(settings),
                threads=settings.threads,
                context_tokens=settings.context_tokens,
                kv_cache_tokens=settings.kv_cache_tokens,
                max_batch_tokens=settings.max_batch_tokens,
            ),
        )
        self._harness = Harness(PacedEngine(self._engine), AutoTokenizer.from_pretrained(folder))
        self._harness.count(to_ask(REHEARSAL, settings))

    async def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]:
        ask = to_ask(request, self._settings)
        prompt_tokens = await asyncio.to_thread(self._harness.count, ask)
        yield [Accepted(prompt_tokens=prompt_tokens)]
        with PACER.stream():
            async with aclosing(self._harness.stream(ask)) as pieces:
                async for piece in pieces:
                    yield [_translate(piece, prompt_tokens)]

    async def running(self) -> AsyncGenerator[Sequence[int]]:
        """How many requests the engine works on: 0 soon after the last client has gone. Raises as `check_health`."""
        self.check_health()
        yield [self._engine.running]

    def check_health(self) -> None:
        if not self._engine.alive:
            raise RuntimeError("the engine has stopped")

    def __del__(self) -> None:
        if engine := getattr(self, "_engine", None):
            engine.stop()


class PacedEngine:
    """The engine, read at most once a tick; it gathers tokens by itself while nobody reads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.context_tokens, self.end_tokens, self.defaults = engine.context_tokens, engine.end_tokens, engine.defaults

    async def generate(
        self, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling
    ) -> AsyncGenerator[list[int]]:
        async with aclosing(self._engine.generate(tokens, max_new_tokens, sampling)) as batches:
            async for batch in batches:
                yield batch
                await PACER.tick()


def _device(settings: UpstreamSettings) -> Literal["cuda", "cpu"]:
    """CUDA where Ray assigned a GPU: Ray hides none where it assigned none, so torch's word alone does not count.

    A node may declare a GPU that torch cannot use; then only `device: cuda` insists on it, and fails.
    """
    if not ray.get_gpu_ids():
        return "cpu"
    if settings.device == "cuda" or torch.cuda.is_available():
        return "cuda"
    log.warning("Ray assigned a GPU that torch cannot use; running on the CPU")
    return "cpu"


def _translate(piece: Piece | ThinkingEnded | Ended, prompt_tokens: int) -> UpstreamItem:
    match piece:
        case Piece(text=text):
            return Text(text)
        case ThinkingEnded(tokens=tokens, by=by):
            return upstream.ThinkingEnded(tokens=tokens, ended_by=by)
        case Ended(reason=reason, tokens=tokens, thinking_tokens=thinking_tokens):
            return Finished(
                finish_reason=reason,
                usage=Usage(prompt_tokens=prompt_tokens, completion_tokens=tokens, reasoning_tokens=thinking_tokens),
            )

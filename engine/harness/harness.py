"""The thinking harness: a conversation in, text with marked reasoning out, even if the model was not trained to reason.

The model thinks until it ends, goes round in circles, or has used its budget; then the block is closed, and the model
answers in a second request to the engine (`prompts.py`). Knows nothing of Ray, HTTP or events.
"""

import math
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Protocol

from engine.harness.circles import Circles, without_circle
from engine.harness.messages import Finished, GenerationRequest, Text, ThinkingEnded
from engine.harness.options import banned_spellings, sampling_of
from engine.harness.prompts import CLOSING, START, Turn, prompts_of
from engine.sampling import NoteCached, Sampling
from engine.text import Detokenizer, StopStrings
from gateway.errors import ContextTooLong


class TokenGenerator(Protocol):
    """The part of `Engine` that the harness uses."""

    context_tokens: int
    end_tokens: frozenset[int]
    defaults: Any

    def generate(
        self, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling, note_cached: NoteCached
    ) -> AsyncGenerator[list[int]]: ...


@dataclass(slots=True)
class _Phase:
    """The thinking or the answer: each is one request to the engine. `stopped` is set once it has ended by itself.

    `circles`, if there are any to look for, end it too. `cached` are the tokens of its prompt that the cache had.
    """

    stops: Sequence[str]
    circles: Circles | None = None
    text: str = ""
    tokens: int = 0
    stopped: bool = False
    cached: int | None = None

    def note_cached(self, tokens: int) -> None:
        """Keep the first number: later ones count what this request has put there itself."""
        self.cached = tokens if self.cached is None else self.cached


class Harness:
    """Turns requests into text. `tokenizer` is a transformers tokenizer with a chat template."""

    def __init__(self, engine: TokenGenerator, tokenizer: Any) -> None:
        self._engine, self._tokenizer = engine, tokenizer
        self._prompts = prompts_of(tokenizer)
        self._banned = banned_spellings(tokenizer, START)

    def first_turn(self, request: GenerationRequest) -> Turn:
        """Return the turn with which the model begins: it thinks if there is a budget, else it answers."""
        return self._prompts.thinking(request) if request.budget else self._prompts.answering(request, "")

    def prompt(self, request: GenerationRequest) -> list[int]:
        """Return the tokens of the turn with which the model begins."""
        return self._encode(self.first_turn(request))

    def count(self, request: GenerationRequest) -> int:
        """Return the number of tokens of the prompt. Raises ContextTooLong if not one more would fit."""
        count = len(self.prompt(request))
        limit = self._engine.context_tokens
        if count >= limit:
            raise ContextTooLong(
                f"the prompt has {count} tokens and the context window {limit}; shorten the conversation",
                param="messages",
            )
        return count

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Text | ThinkingEnded | Finished]:
        """Yield text as it is made, `ThinkingEnded` directly after the end of the thinking, and one `Finished` last."""
        sampling = sampling_of(request, self._engine.defaults, self._banned)
        turn = self.first_turn(request)
        thinking = _Phase(self._prompts.ends(request), Circles())
        answer = _Phase(request.stop)
        if request.budget:
            limit = min(request.budget, request.max_tokens)
            # Half of the context that is left is the answer's, which is given the thinking besides.
            async with aclosing(self._generate(turn, limit, 0.5, sampling, thinking)) as pieces:
                async for piece in pieces:
                    yield piece
            if not thinking.stopped and thinking.tokens >= request.max_tokens:
                yield ThinkingEnded(tokens=thinking.tokens, ended_by="truncated")
                yield Finished(
                    finish_reason="length",
                    tokens=thinking.tokens,
                    thinking_tokens=thinking.tokens,
                    cached_tokens=thinking.cached or 0,
                )
                return
            yield Text(CLOSING)
            yield ThinkingEnded(tokens=thinking.tokens, ended_by="marker" if thinking.stopped else "budget")
            turn = self._prompts.answering(request, without_circle(thinking.text.rstrip()))
        limit = request.max_tokens - thinking.tokens
        async with aclosing(self._generate(turn, limit, 1.0, sampling, answer)) as pieces:
            async for piece in pieces:
                yield piece
        yield Finished(
            finish_reason="stop" if answer.stopped else "length",
            tokens=thinking.tokens + answer.tokens,
            thinking_tokens=thinking.tokens,
            cached_tokens=(thinking if request.budget else answer).cached or 0,
        )

    async def _generate(
        self, turn: Turn, limit: int, share: float, sampling: Sampling, phase: _Phase
    ) -> AsyncGenerator[Text]:
        """Continue the turn by up to `limit` tokens, and by that `share` of the context which is left.

        The beginning is yielded with the model's first text, or alone at the end.
        """
        tokens = self._encode(turn)
        limit = min(limit, math.ceil(share * (self._engine.context_tokens - len(tokens))))
        if limit <= 0:
            return
        sampling = replace(sampling, banned={**sampling.banned, **turn.banned})
        detokenizer, stop, lead = (
            Detokenizer(self._tokenizer.backend_tokenizer),
            StopStrings(phase.stops),
            turn.beginning,
        )
        async with aclosing(self._engine.generate(tokens, limit, sampling, phase.note_cached)) as batches:
            async for batch in batches:
                phase.tokens += len(batch)
                text = stop.feed(detokenizer.feed(batch))
                if text:
                    text, lead = lead + text, ""
                    phase.text += text
                    yield Text(text)
                phase.stopped = stop.found or batch[-1] in self._engine.end_tokens
                circling = phase.circles is not None and phase.circles.feed(text)
                if phase.stopped or circling or phase.tokens >= limit:
                    # Not waiting for the generator's end, which a paced one announces a window later.
                    break
        if rest := lead + stop.close():
            phase.text += rest
            yield Text(rest)

    def _encode(self, turn: Turn) -> list[int]:
        tokens: list[int] = self._tokenizer(str(turn), add_special_tokens=False)["input_ids"]
        return tokens

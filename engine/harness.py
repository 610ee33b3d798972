"""The thinking harness: a conversation in, text with marked reasoning out, even if the model was not trained to reason.

A model whose chat template knows `<think>` uses its own. Any other is given a short instruction and one worked example,
and the harness writes the first words of its turn (Qwen2.5-0.5B thinks in a few words without the example, and answers
at once without those words). Thinking runs until `</think>`, an end token, or the budget; then the block is closed and
the model answers in a second request that begins with the text of the first, so that both share KV blocks. Knows
nothing of Ray, HTTP or events.
"""

import secrets
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from engine.sampling import Adjustments, Sampling
from engine.text import Detokenizer, StopStrings
from gateway.errors import ContextTooLong

START, END = "<think>", "</think>"
OPENING = f"{START}\nOkay, the user asks"
CLOSING = f"\n{END}\n\n"
SYSTEM = "Think first, then answer."
EXAMPLE = (
    {"role": "user", "content": "Which is heavier, two kilos of feathers or one kilo of iron?"},
    {
        "role": "assistant",
        "content": f"{START}\nOkay, the user asks which of two things is heavier: two kilos of feathers or one kilo of"
        " iron. The materials differ, but a kilo is a kilo. Two kilos are more than one kilo. So the feathers are"
        f" heavier, although they take up more room.{CLOSING}Two kilos of feathers are heavier.",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One generation. `messages` are chat messages with string content; None leaves a value to the model's defaults.

    `tools` are functions as the chat template takes them, in OpenAI's shape. `budget` is in tokens of thinking, 0 for
    none. `stop` applies to the answer. `prefill` begins the answer, and is part of the text that is yielded. Penalties
    count the tokens of the thinking or of the answer, whichever is written; `repetition_penalty` also the prompt's.
    """

    messages: Sequence[dict[str, Any]]
    max_tokens: int
    budget: int
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    repetition_penalty: float | None = None
    logit_bias: Mapping[int, float] | None = None
    seed: int | None = None
    stop: Sequence[str] = ()
    prefill: str = ""
    tools: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """New text, the markers of the thinking included."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingEnded:
    """Yielded directly after the text that closes the thinking, or after the last text if nothing closes it."""

    tokens: int
    ended_by: Literal["marker", "budget", "truncated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last item. `tokens` counts all generated tokens, those of the thinking included."""

    finish_reason: Literal["stop", "length"]
    tokens: int
    thinking_tokens: int


class TokenGenerator(Protocol):
    """The part of `Engine` that the harness uses."""

    context_tokens: int
    end_tokens: frozenset[int]
    defaults: Any

    def generate(self, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling) -> AsyncGenerator[list[int]]: ...


@dataclass(slots=True)
class _Phase:
    """The thinking or the answer: each is one request to the engine. `stopped` is set once it has ended by itself."""

    text: str = ""
    tokens: int = 0
    stopped: bool = field(default=False)


class Harness:
    """Turns requests into text. `tokenizer` is a transformers tokenizer with a chat template."""

    def __init__(self, engine: TokenGenerator, tokenizer: Any) -> None:
        self._engine, self._tokenizer = engine, tokenizer
        self._native = START in (tokenizer.chat_template or "")
        self._banned = _banned_spellings(tokenizer, START)

    def prompt(self, request: GenerationRequest) -> str:
        """Return the text that the model is given, up to the beginning of its own turn (`_beginning`)."""
        messages = list(request.messages)
        if request.budget and not self._native:
            messages = _with_example(messages)
        text: str = self._tokenizer.apply_chat_template(
            messages,
            tools=list(request.tools) or None,
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=bool(request.budget),
        )
        begun = text.rstrip()
        if not begun.endswith(START):
            return text
        return begun.removesuffix(START) if request.budget else begun + CLOSING

    def count(self, request: GenerationRequest) -> int:
        """Return the number of tokens of the prompt. Raises ContextTooLong if not one more would fit."""
        count = len(self._encode(self.prompt(request) + self._beginning(request)))
        limit = self._engine.context_tokens
        if count >= limit:
            raise ContextTooLong(
                f"the prompt has {count} tokens and the context window {limit}; shorten the conversation",
                param="messages",
            )
        return count

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[Text | ThinkingEnded | Finished]:
        """Yield text as it is made, `ThinkingEnded` directly after the end of the thinking, and one `Finished` last."""
        prompt, beginning, sampling = self.prompt(request), self._beginning(request), self._sampling(request)
        thinking, answer = _Phase(), _Phase()
        if request.budget:
            limit = min(request.budget, request.max_tokens)
            async with aclosing(self._generate(prompt, beginning, limit, (END,), sampling, thinking)) as pieces:
                async for piece in pieces:
                    yield piece
            if not thinking.stopped and (thinking.tokens < request.budget or thinking.tokens >= request.max_tokens):
                yield ThinkingEnded(tokens=thinking.tokens, ended_by="truncated")
                yield Finished(finish_reason="length", tokens=thinking.tokens, thinking_tokens=thinking.tokens)
                return
            yield Text(CLOSING)
            yield ThinkingEnded(tokens=thinking.tokens, ended_by="marker" if thinking.stopped else "budget")
            prompt, beginning = prompt + thinking.text.rstrip() + CLOSING, request.prefill
        limit = request.max_tokens - thinking.tokens
        async with aclosing(self._generate(prompt, beginning, limit, request.stop, sampling, answer)) as pieces:
            async for piece in pieces:
                yield piece
        yield Finished(
            finish_reason="stop" if answer.stopped else "length",
            tokens=thinking.tokens + answer.tokens,
            thinking_tokens=thinking.tokens,
        )

    async def _generate(
        self, prompt: str, beginning: str, limit: int, stops: Sequence[str], sampling: Sampling, phase: _Phase
    ) -> AsyncGenerator[Text]:
        """Continue `prompt + beginning`. The beginning is yielded with the model's first text, or alone at the end."""
        tokens = self._encode(prompt + beginning)
        limit = min(limit, self._engine.context_tokens - len(tokens))
        detokenizer, stop, lead = (
            Detokenizer(self._tokenizer.backend_tokenizer),
            StopStrings(stops),
            beginning,
        )
        if limit <= 0:
            return
        async with aclosing(self._engine.generate(tokens, limit, sampling)) as batches:
            async for batch in batches:
                phase.tokens += len(batch)
                text = stop.feed(detokenizer.feed(batch))
                if text:
                    text, lead = lead + text, ""
                    phase.text += text
                    yield Text(text)
                phase.stopped = stop.found or batch[-1] in self._engine.end_tokens
                if phase.stopped or phase.tokens >= limit:
                    # Not waiting for the generator's end, which a paced one announces a window later.
                    break
        if rest := lead + stop.close():
            phase.text += rest
            yield Text(rest)

    def _beginning(self, request: GenerationRequest) -> str:
        if not request.budget:
            return request.prefill
        return f"{START}\n" if self._native else OPENING

    def _sampling(self, request: GenerationRequest) -> Sampling:
        """Return the request's values, in place of missing ones those of the model's generation config, else greedy."""
        defaults = self._engine.defaults
        sampled = bool(getattr(defaults, "do_sample", False))
        default_temperature = (defaults.temperature or 1.0) if sampled else 0.0
        unasked = request.temperature is None and request.top_p is None
        default_top_k = (defaults.top_k or 0) if sampled and unasked else 0
        return Sampling(
            temperature=request.temperature if request.temperature is not None else default_temperature,
            top_p=request.top_p if request.top_p is not None else (defaults.top_p or 1.0) if sampled else 1.0,
            top_k=request.top_k if request.top_k is not None else default_top_k,
            min_p=request.min_p or 0.0,
            adjustments=_adjustments(request),
            seed=request.seed if request.seed is not None else secrets.randbits(62),
            banned=self._banned,
        )

    def _encode(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens


def _adjustments(request: GenerationRequest) -> Adjustments | None:
    """Return what is asked beyond the likelihood of tokens, None if nothing is."""
    adjustments = Adjustments(
        presence_penalty=request.presence_penalty or 0.0,
        frequency_penalty=request.frequency_penalty or 0.0,
        repetition_penalty=request.repetition_penalty or 1.0,
        logit_bias=request.logit_bias or {},
    )
    return adjustments if adjustments != Adjustments() else None


def _with_example(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put the instruction and the example before the conversation, whose own system messages are kept."""
    own = [message["content"] for message in messages if message["role"] == "system"]
    rest = [message for message in messages if message["role"] != "system"]
    return [{"role": "system", "content": "\n\n".join([SYSTEM, *own])}, *EXAMPLE, *rest]


def _banned_spellings(tokenizer: Any, marker: str) -> dict[int | None, int]:
    """Map tokens that begin `marker` to the token that would go on, which is banned after them.

    Tokenizers spell the marker in different ways after different characters. If it is one token, that is banned after
    any (None).
    """
    banned: dict[int | None, int] = {}
    for before in ("", " ", "\n", "a "):
        tokens = tokenizer(before + marker, add_special_tokens=False)["input_ids"]
        start = next(i for i, token in enumerate(tokens) if marker[0] in tokenizer.decode([token]))
        if start + 1 < len(tokens):
            banned[tokens[start]] = tokens[start + 1]
        else:
            banned[None] = tokens[start]
    return banned

"""The thinking harness: a conversation in, text with its reasoning marked out, whether the model thinks itself or not.

A model whose chat template knows `<think>` uses its own. Any other is shown a short instruction and one worked example,
and its turn is begun for it (tried on Qwen2.5-0.5B: without the example it thinks in a few words, without the opening
it answers at once). Thinking runs until `</think>`, the model's own end, or the budget; then the block is closed and
the model answers in a second request with the same beginning, whose KV blocks are shared. Knows nothing of Ray, HTTP or
events.
"""

import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from engine.sampling import Sampling
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
class Ask:
    """One generation. `messages` are chat messages with string content; None leaves a value to the model's defaults.

    `tools` are functions as the chat template takes them, in OpenAI's shape. `budget` is in tokens of thinking, 0 for
    none. `stop` applies to the answer. `prefill` begins the answer, and is part of the text that comes back.
    """

    messages: Sequence[dict[str, Any]]
    max_tokens: int
    budget: int
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: Sequence[str] = ()
    prefill: str = ""
    tools: Sequence[dict[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinkingEnded:
    tokens: int
    by: Literal["marker", "budget", "truncated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """`tokens` are all those generated, thinking included."""

    reason: Literal["stop", "length"]
    tokens: int
    thinking_tokens: int


class Generator(Protocol):
    """What the harness needs of `Engine`."""

    context_tokens: int
    end_tokens: frozenset[int]
    defaults: Any

    def generate(self, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling) -> AsyncGenerator[list[int]]: ...


@dataclass(slots=True)
class _Phase:
    """One request to the engine: what it has written, and how it ended."""

    text: str = ""
    tokens: int = 0
    stopped: bool = field(default=False)


class Harness:
    """Turns asks into text. `tokenizer` is a transformers tokenizer with a chat template."""

    def __init__(self, engine: Generator, tokenizer: Any) -> None:
        self._engine, self._tokenizer = engine, tokenizer
        self._native = START in (tokenizer.chat_template or "")
        self._banned = _spellings(tokenizer, START)

    def prompt(self, ask: Ask) -> str:
        """The text that the model is given, up to where its own begins. Thinking it begins with `_opening`."""
        messages = list(ask.messages)
        if ask.budget and not self._native:
            messages = _with_example(messages)
        text: str = self._tokenizer.apply_chat_template(
            messages,
            tools=list(ask.tools) or None,
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=bool(ask.budget),
        )
        begun = text.rstrip()
        if not begun.endswith(START):
            return text
        return begun.removesuffix(START) if ask.budget else begun + CLOSING

    def count(self, ask: Ask) -> int:
        """Tokens of the prompt. Raises ContextTooLong where no token would fit after them."""
        count = len(self._encode(self.prompt(ask) + self._beginning(ask)))
        limit = self._engine.context_tokens
        if count >= limit:
            raise ContextTooLong(
                f"the prompt has {count} tokens and the context window {limit}; shorten the conversation",
                param="messages",
            )
        return count

    async def stream(self, ask: Ask) -> AsyncGenerator[Piece | ThinkingEnded | Ended]:
        """Text as it is made; `ThinkingEnded` right behind the end marker, and one `Ended` last."""
        prompt, beginning, sampling = self.prompt(ask), self._beginning(ask), self._sampling(ask)
        thinking, answer = _Phase(), _Phase()
        if ask.budget:
            limit = min(ask.budget, ask.max_tokens)
            async with aclosing(self._write(prompt, beginning, limit, (END,), sampling, thinking)) as pieces:
                async for piece in pieces:
                    yield piece
            if not thinking.stopped and (thinking.tokens < ask.budget or thinking.tokens >= ask.max_tokens):
                yield ThinkingEnded(tokens=thinking.tokens, by="truncated")
                yield Ended(reason="length", tokens=thinking.tokens, thinking_tokens=thinking.tokens)
                return
            yield Piece(CLOSING)
            yield ThinkingEnded(tokens=thinking.tokens, by="marker" if thinking.stopped else "budget")
            prompt, beginning = prompt + thinking.text.rstrip() + CLOSING, ask.prefill
        limit = ask.max_tokens - thinking.tokens
        async with aclosing(self._write(prompt, beginning, limit, ask.stop, sampling, answer)) as pieces:
            async for piece in pieces:
                yield piece
        yield Ended(
            reason="stop" if answer.stopped else "length",
            tokens=thinking.tokens + answer.tokens,
            thinking_tokens=thinking.tokens,
        )

    async def _write(
        self, prompt: str, beginning: str, limit: int, stops: Sequence[str], sampling: Sampling, phase: _Phase
    ) -> AsyncGenerator[Piece]:
        """Go on from `prompt + beginning`; the beginning leaves with the first text that the model adds, or alone."""
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
                    yield Piece(text)
                phase.stopped = stop.found or batch[-1] in self._engine.end_tokens
                if stop.found:
                    break
        if rest := lead + stop.close():
            phase.text += rest
            yield Piece(rest)

    def _beginning(self, ask: Ask) -> str:
        if not ask.budget:
            return ask.prefill
        return f"{START}\n" if self._native else OPENING

    def _sampling(self, ask: Ask) -> Sampling:
        """The request's word, then the model's own generation config, then greedy."""
        defaults = self._engine.defaults
        sampled = bool(getattr(defaults, "do_sample", False))
        default_temperature = (defaults.temperature or 1.0) if sampled else 0.0
        return Sampling(
            temperature=ask.temperature if ask.temperature is not None else default_temperature,
            top_p=ask.top_p if ask.top_p is not None else (defaults.top_p or 1.0) if sampled else 1.0,
            top_k=(defaults.top_k or 0) if sampled and ask.temperature is None and ask.top_p is None else 0,
            seed=ask.seed if ask.seed is not None else secrets.randbits(62),
            banned=self._banned,
        )

    def _encode(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens


def _with_example(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation behind the instruction and the example; a system message of its own is kept."""
    own = [message["content"] for message in messages if message["role"] == "system"]
    rest = [message for message in messages if message["role"] != "system"]
    return [{"role": "system", "content": "\n\n".join([SYSTEM, *own])}, *EXAMPLE, *rest]


def _spellings(tokenizer: Any, marker: str) -> dict[int | None, int]:
    """The token that must not follow which, so that the marker is not spelled; tokenizers spell it by what precedes."""
    banned: dict[int | None, int] = {}
    for before in ("", " ", "\n", "a "):
        tokens = tokenizer(before + marker, add_special_tokens=False)["input_ids"]
        start = next(i for i, token in enumerate(tokens) if marker[0] in tokenizer.decode([token]))
        if start + 1 < len(tokens):
            banned[tokens[start]] = tokens[start + 1]
        else:
            banned[None] = tokens[start]
    return banned

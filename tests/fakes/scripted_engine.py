"""An engine that plays scripts instead of running a model. Knows nothing of what a harness makes of its tokens."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any

from transformers import GenerationConfig

from engine.sampling import NoteCached, Sampling
from tests.fakes.tiny_model import END_OF_TEXT, END_OF_TURN


@dataclass(frozen=True)
class Call:
    """One request that the engine has been given."""

    prompt: str
    limit: int
    sampling: Sampling


@dataclass
class ScriptedEngine:
    """Plays one script for each request: a batch of tokens for each text, cut at the request's limit.

    `calls` are the requests so far, `played` the texts, `open` the number of generators that are open. Of each prompt
    `cached` tokens are in the cache.
    """

    tokenizer: Any
    scripts: Sequence[Sequence[str]] = ()
    defaults: Any = field(default_factory=GenerationConfig)
    context_tokens: int = 2048
    cached: int = 0
    calls: list[Call] = field(default_factory=list)
    played: list[str] = field(default_factory=list)
    open: int = 0
    end_tokens: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        self.end_tokens = frozenset(self.tokenizer.convert_tokens_to_ids([END_OF_TURN, END_OF_TEXT]))

    async def generate(
        self, tokens: Sequence[int], max_new_tokens: int, sampling: Sampling, note_cached: NoteCached
    ) -> AsyncGenerator[list[int]]:
        script = self.scripts[len(self.calls)]
        self.calls.append(Call(self.tokenizer.decode(tokens), max_new_tokens, sampling))
        note_cached(self.cached)
        note_cached(len(tokens))
        left = max_new_tokens
        self.open += 1
        try:
            for text in script:
                batch = encode(self.tokenizer, text)[:left]
                left -= len(batch)
                self.played.append(text)
                yield batch
                if not left:
                    return
        finally:
            self.open -= 1


def encode(tokenizer: Any, text: str) -> list[int]:
    """Return the tokens of `text`, with no special ones added."""
    tokens: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tokens

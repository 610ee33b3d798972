"""A request to the harness, and the items that it answers with. Plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal


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
    """Yielded directly after the text that closes the thinking, or after the last text if nothing closes it.

    `budget` also stands for thinking that went round in circles, or would have left no room for an answer.
    """

    tokens: int
    ended_by: Literal["marker", "budget", "truncated"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last item. `tokens` counts all generated tokens, those of the thinking included; `cached_tokens` those of the
    prompt that the engine's cache had."""

    finish_reason: Literal["stop", "length"]
    tokens: int
    thinking_tokens: int
    cached_tokens: int = 0

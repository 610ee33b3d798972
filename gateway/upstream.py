"""What an upstream is asked and what it answers, and the frames in which it travels.

Every upstream, the Qwen engine or an HTTP API, takes an `UpstreamRequest` and answers with one `Accepted`, then `Text`
as it is made, or a `Segment` where a field of the API tells reasoning from response, then exactly one `Finished`, or
raises a GatewayError in between. The stream parser answers the same, with `Segment`s for `Text`. Knows nothing of
models, sockets or Ray.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import wraps
from typing import Generic, Literal, ParamSpec, TypeVar

from gateway.errors import Failure, GatewayError
from gateway.events import EndedBy, FinishReason, Usage
from gateway.reasoning import Segment

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRequest:
    """One generation. What is None is left to the model's and the operator's defaults.

    `model` is a name that the configuration knows. `budget` is in tokens of thinking, 0 turns it off. `stop` applies to
    the response only. `prefill` is how the response begins: the model goes on from it, and it is part of the text that
    comes back; an API that cannot begin a response leaves it out.
    """

    id: str
    model: str = ""
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    budget: int | None = None
    prefill: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The request fits and runs: nothing before this has been promised to the client."""

    prompt_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Text as the model makes it, its reasoning marked in it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """Said right after the end of the thinking by who knows what ended it, and its tokens where they are counted."""

    tokens: int | None
    ended_by: EndedBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    finish_reason: FinishReason
    usage: Usage


Answer = Accepted | Text | Segment | Thought | Finished
Parsed = Accepted | Segment | Thought | Finished


@dataclass(frozen=True, slots=True)
class Frame(Generic[T]):
    """What has gathered since the frame before; `number` counts from 0, so that a lost one is noticed.

    A failure travels as the last item of the last frame, since exceptions do not survive every transport.
    """

    number: int
    items: Sequence[T | Failure]


def framed(method: Callable[P, AsyncGenerator[Sequence[T]]]) -> Callable[P, AsyncGenerator[Frame[T]]]:
    """Let a method that yields batches yield them as frames; a GatewayError becomes the last one."""

    @wraps(method)
    async def frames(*args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[Frame[T]]:
        number = 0
        try:
            async with aclosing(method(*args, **kwargs)) as batches:
                async for batch in batches:
                    yield Frame(number, batch)
                    number += 1
        except GatewayError as error:
            yield Frame(number, (error.failure(),))

    return frames

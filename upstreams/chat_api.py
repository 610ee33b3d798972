"""One streaming /chat/completions API over HTTP: a request to the items of its answer, or a failure that says which.

Before the first byte it retries; after it never, since the model would say something else. Knows nothing of Ray.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from deployments.retries import with_retries
from gateway.config import HttpUpstreamSettings
from gateway.errors import (
    BeforeFirstByte,
    InvalidRequest,
    UpstreamCut,
    UpstreamError,
    UpstreamNotAStream,
    UpstreamSilent,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from gateway.silence import Silence
from gateway.upstream import Accepted, UpstreamItem, UpstreamRequest
from gateway.wire import sse
from gateway.wire.chat_chunks import ChunkReader
from upstreams.api_client import ApiClient, ApiResponse, Broken, Undecodable
from upstreams.api_errors import check

LONGEST_WAIT_SECONDS = 30.0
"""An API that asks for more patience than this is not asked again."""
DRAIN_SECONDS = 0.05
"""What the end of the body may take behind [DONE]: a body that was read to its end leaves its connection for reuse."""


class ChatApi:
    """`retried` is told the model each time that the API is asked again; `running` is how many requests run.

    Raises ValueError where the key's environment variable is not set.
    """

    def __init__(self, settings: HttpUpstreamSettings, retried: Callable[[str], None]) -> None:
        self._settings, self._retried, self.running = settings, retried, 0
        self._key = _key(settings)
        key = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        self._client = ApiClient(settings.url, {**key, **settings.headers}, settings.connect_seconds)

    async def stream(
        self, request: UpstreamRequest, headers: Mapping[str, str]
    ) -> AsyncGenerator[Sequence[UpstreamItem]]:
        """One Accepted with the first byte, the text as it comes, one Finished. Closing it closes the connection.

        Raises UpstreamError as `gateway.errors` tells them apart, InvalidRequest for a budget of thinking.
        """
        reader, decoder, silence = ChunkReader(), sse.Decoder(), Silence(self._settings.silence_seconds)
        answer = None
        self.running += 1
        try:
            answer = await self._begun(request, headers)
            yield [Accepted()]
            while True:
                # What came before a failure leaves before it is raised, and the last text with the end.
                items, error, ended = _taken(await self._next(answer, reader, silence), decoder, reader)
                if reader.over:
                    await _drain(answer)
                    yield [*items, reader.finish()]
                    return
                if items:
                    yield items
                if error:
                    raise error
                if ended:
                    yield [reader.finish()]
                    return
        finally:
            self.running -= 1
            silence.close()
            if answer:
                answer.close()

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._client.aclose()

    async def _begun(self, request: UpstreamRequest, headers: Mapping[str, str]) -> ApiResponse:
        body = orjson.dumps(self._body(request))

        async def attempt(number: int) -> ApiResponse:
            if number > 1:
                self._retried(request.model)
            return await self._begin(body, headers)

        return await with_retries(attempt, on=_again, attempts=self._settings.attempts, timeout=None)

    def _body(self, request: UpstreamRequest) -> dict[str, Any]:
        """What the client asked for and the operator configured, and no more: APIs refuse what they do not know."""
        if request.budget:
            raise InvalidRequest("this model's API takes no budget of thinking", param="reasoning.budget")
        asked = {
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
            "stop": list(request.stop) or None,
            "reasoning_effort": request.effort,
            "tools": [tool.to_chat() for tool in request.tools] or None,
            "tool_choice": request.tool_choice and request.tool_choice.to_chat(),
            "parallel_tool_calls": request.parallel_tool_calls,
        }
        return {
            "model": request.model,
            "messages": [message.to_chat() for message in request.messages],
            "stream": True,
            **{name: value for name, value in asked.items() if value is not None},
            **self._settings.body,
            **(self._settings.no_thinking if request.budget == 0 else {}),
        }

    async def _begin(self, body: bytes, headers: Mapping[str, str]) -> ApiResponse:
        seconds = self._settings.first_byte_seconds
        try:
            async with asyncio.timeout(seconds):
                answer = await self._client.post("chat/completions", body, headers)
                try:
                    await check(answer, self._key)
                    if not await answer.begin():
                        raise UpstreamUnreachable("the upstream answered with nothing at all")
                    return answer
                except BaseException:
                    answer.close()
                    raise
        except TimeoutError as error:
            raise UpstreamTimeout(f"the upstream sent nothing within {seconds:g} s; ask again later") from error
        except Undecodable as error:
            raise _unreadable(error) from error
        except Broken as error:
            raise UpstreamUnreachable(f"the upstream cannot be reached: {error}") from error

    async def _next(self, answer: ApiResponse, reader: ChunkReader, silence: Silence) -> bytes:
        """The next bytes, empty at the end of the body. Behind a whole answer, how the body ends does not matter."""
        try:
            return await silence.wait(answer.read())
        except (TimeoutError, Broken, Undecodable) as error:
            if reader.whole:
                return b""
            raise self._interrupted(error) from error

    def _interrupted(self, error: Exception) -> UpstreamError:
        match error:
            case TimeoutError():
                return UpstreamSilent(f"the upstream fell silent for {self._settings.silence_seconds:g} s; ask again")
            case Undecodable():
                return _unreadable(error)
        return UpstreamCut(f"the upstream's answer was cut off: {error}; ask again")


async def _drain(answer: ApiResponse) -> None:
    """Read what the body holds behind [DONE], if it comes soon: it does not matter."""
    with suppress(TimeoutError, Broken, Undecodable):
        async with asyncio.timeout(DRAIN_SECONDS):
            await answer.read()


def _taken(
    chunk: bytes, decoder: sse.Decoder, reader: ChunkReader
) -> tuple[list[UpstreamItem], UpstreamError | None, bool]:
    """The items of a piece of the body, the failure that ended them, and whether that was its end."""
    items: list[UpstreamItem] = []
    try:
        for event in decoder.feed(chunk) if chunk else decoder.close():
            items += reader.feed(event)
    except UpstreamError as error:
        return items, error, not chunk
    return items, None, not chunk


def _again(error: Exception) -> bool | float:
    """Whether to ask again, or in how many seconds."""
    if not isinstance(error, BeforeFirstByte):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= LONGEST_WAIT_SECONDS else False


def _key(settings: HttpUpstreamSettings) -> str:
    if settings.api_key_env is None:
        return ""
    if not (key := os.environ.get(settings.api_key_env, "").strip()):
        raise ValueError(f"{settings.url} needs its key in {settings.api_key_env}, which is not set on this node")
    if not key.isascii():
        raise ValueError(f"the key in {settings.api_key_env} is not ASCII, as the key of an API is")
    return key


def _unreadable(error: Exception) -> UpstreamNotAStream:
    return UpstreamNotAStream(f"the upstream's answer cannot be decoded: {error}")

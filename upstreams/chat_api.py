"""One streaming /chat/completions API over HTTP: a request to the items of its answer, or a failure of a named kind.

It retries before the first byte. After it never: the model would say something else.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import suppress

import stamina

from gateway.errors import (
    BeforeFirstByte,
    UpstreamCut,
    UpstreamError,
    UpstreamNotAStream,
    UpstreamSilent,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from gateway.pacing import PACER
from gateway.upstream import Accepted, UpstreamItem, UpstreamRequest
from gateway.upstream_settings import HttpUpstreamSettings
from gateway.wire import sse
from gateway.wire.chat_chunks import ChunkReader
from upstreams.api_client import PIECE_BYTES, ApiClient, ApiResponse, Broken, Undecodable
from upstreams.api_errors import check
from upstreams.chat_body import ChatBodies
from upstreams.prefill import Beginning

LONGEST_RETRY_AFTER = 30.0
"""Seconds: an API that asks to wait longer than this is not asked again."""
TRAILER_SECONDS = 5.0
"""Seconds that usage and [DONE] may take behind the finish reason: without them the answer is whole all the same."""
DRAIN_SECONDS = 0.05
"""Seconds that the body may take to end behind [DONE]. A connection is reused only if its body was read to the end."""

LONGEST_EVENT = 4 * 1024 * 1024
"""Bytes of a server-sent event, and so of a line: a body without line ends is no event stream."""


class ChatApi:
    """`on_retry` is called with the model's name each time the API is asked again; `running` counts running requests.

    Raises ValueError if the environment variable of its key is not set.
    """

    def __init__(self, settings: HttpUpstreamSettings, on_retry: Callable[[str], None]) -> None:
        self._settings, self._on_retry, self.running = settings, on_retry, 0
        self._key = _key(settings)
        key = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        self._bodies = ChatBodies(settings)
        self._client = ApiClient(settings.url, {**key, **settings.headers}, settings.connect_seconds)

    async def stream(
        self, request: UpstreamRequest, headers: Mapping[str, str]
    ) -> AsyncGenerator[Sequence[UpstreamItem]]:
        """Yield one Accepted with the first byte, then text as it comes, at most once a tick, then one Finished.

        Closing the generator closes the connection. Raises UpstreamError as `gateway.errors` distinguishes them, and
        InvalidRequest for a budget of thinking.
        """
        response = None
        reader, decoder = ChunkReader(), sse.Decoder(LONGEST_EVENT)
        beginning = Beginning(request.prefill if self._settings.prefill else "")
        self.running += 1
        try:
            with PACER.stream():
                response = await self._open(request, headers)
                yield [Accepted()]
                ended = False
                while not ended:
                    chunk = await self._read(response, reader)
                    items, error = _decode(chunk, decoder, reader)
                    ended = reader.over or not chunk
                    if ended or error:
                        items += reader.close()
                    # What came before a failure is passed on before it is raised, and the last text with the end.
                    if ended and reader.whole and not error:
                        await _drain(response)
                        items.append(reader.finish())
                    if items := beginning.feed(items):
                        yield items
                    if error:
                        raise error
                    if not ended:
                        # Behind a full piece more waits already: others have their turn, and it is read at once.
                        await (asyncio.sleep(0) if len(chunk) == PIECE_BYTES else PACER.tick())
                if not reader.whole:
                    raise UpstreamCut("the upstream's answer was cut off before its end; ask again")
        finally:
            error = None  # its traceback has this frame and what was read last: it would be a cycle
            self._bodies.learn(request.model, reader.reasoning_field)
            self.running -= 1
            if response:
                response.close()

    async def aclose(self) -> None:
        """Close the pooled connections."""
        await self._client.aclose()

    async def _open(self, request: UpstreamRequest, headers: Mapping[str, str]) -> ApiResponse:
        body = self._bodies.encode(request)
        async for attempt in stamina.retry_context(on=_retry_after, attempts=self._settings.attempts, timeout=None):
            with attempt:
                if attempt.num > 1:
                    self._on_retry(request.model)
                response = await self._post(body, headers)
        return response

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> ApiResponse:
        """Send the request and wait for the first byte of an event stream."""
        seconds = self._settings.first_byte_seconds
        try:
            async with asyncio.timeout(seconds):
                response = await self._client.post("chat/completions", body, headers)
                try:
                    await check(response, self._key)
                    if not await response.begin():
                        raise UpstreamUnreachable("the upstream answered with nothing at all")
                    return response
                except BaseException:
                    response.close()
                    raise
        except TimeoutError as error:
            raise UpstreamTimeout(f"the upstream sent nothing within {seconds:g} s; ask again later") from error
        except Undecodable as error:
            raise _unreadable(error) from error
        except Broken as error:
            raise UpstreamUnreachable(f"the upstream cannot be reached: {error}") from error

    async def _read(self, response: ApiResponse, reader: ChunkReader) -> bytes:
        """Return the next bytes, empty at the end of the body. How the body of a whole answer ends does not matter."""
        try:
            async with asyncio.timeout(TRAILER_SECONDS if reader.whole else self._settings.silence_seconds):
                return await response.read()
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


def _unreadable(error: Exception) -> UpstreamNotAStream:
    return UpstreamNotAStream(f"the upstream's answer cannot be decoded: {error}")


async def _drain(response: ApiResponse) -> None:
    """Read and drop what the body holds behind the answer, if it comes soon."""
    with suppress(TimeoutError, Broken, Undecodable):
        async with asyncio.timeout(DRAIN_SECONDS):
            await response.read()


def _decode(chunk: bytes, decoder: sse.Decoder, reader: ChunkReader) -> tuple[list[UpstreamItem], UpstreamError | None]:
    """Return the items in a piece of the body (empty at its end), and the failure that ended them, if any."""
    items: list[UpstreamItem] = []
    try:
        for event in decoder.feed(chunk) if chunk else decoder.close():
            items += reader.feed(event)
    except sse.EventTooLong as error:
        return items, UpstreamNotAStream(f"the upstream sent {error}, which is no event stream; check its url")
    except UpstreamError as error:
        return items, error
    return items, None


def _retry_after(error: Exception) -> bool | float:
    """Return whether to ask again, or the seconds to wait before."""
    if not isinstance(error, BeforeFirstByte):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= LONGEST_RETRY_AFTER else False


def _key(settings: HttpUpstreamSettings) -> str:
    if settings.api_key_env is None:
        return ""
    if not (key := os.environ.get(settings.api_key_env, "").strip()):
        raise ValueError(f"{settings.url} needs its key in {settings.api_key_env}, which is not set on this node")
    if not key.isascii():
        raise ValueError(f"the key in {settings.api_key_env} has characters other than ASCII; check what was pasted")
    return key

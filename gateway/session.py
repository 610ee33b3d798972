"""One request's life: the prompt summary, the reasoning with its summary, and the response, made side by side and
given out in order.

Written against the Protocols below. Knows nothing of HTTP, Ray or models; what may leave when is `order.py`'s to say.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, ClassVar, Protocol

from gateway.config import GatewaySettings
from gateway.errors import GatewayError, UpstreamError, UpstreamSilent, cancelling
from gateway.events import (
    Event,
    PromptSummaryDone,
    ReasoningDelta,
    ResponseDelta,
    StreamFailed,
    StreamStarted,
)
from gateway.outbox import Outbox
from gateway.reasoning import Segment
from gateway.requests.base import ReasoningOptions
from gateway.silence import Silence
from gateway.summaries.stream_summaries import Summaries, Summarizer
from gateway.transcript import Transcript
from gateway.upstream import Finished, ParsedItem, ThinkingEnded, ToolPiece, UpstreamRequest

log = logging.getLogger(__name__)


class SessionRequest(Protocol):
    """What the request of any route says to a session; `conversation` names its field with the turns."""

    model: str | None
    conversation: ClassVar[str]

    @property
    def reasoning(self) -> ReasoningOptions: ...

    @property
    def prompt_summary(self) -> bool: ...

    def to_upstream(self, request_id: str, model: str) -> UpstreamRequest: ...


class Parser(Protocol):
    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]: ...


class Session:
    """`open` once, then take `events` to the end; closing the iterator cancels all that runs behind it."""

    def __init__(
        self,
        id: str,
        request: SessionRequest,
        model: str,
        parser: Parser,
        summarizer: Summarizer,
        settings: GatewaySettings,
    ) -> None:
        self.id, self.model, self._prompt_summary = id, model, request.prompt_summary
        self._deadlines = settings.deadlines
        self._silence = Silence(settings.deadlines.upstream_silence)
        asked, options = request.to_upstream(id, model), request.reasoning
        self._trace = options.trace
        self._outbox = Outbox(options.order, settings.limits, settings.heartbeat)
        self._put = self._outbox.put
        self._so_far = Transcript(id, thinks=options.budget != 0)
        self._summaries = Summaries(asked, options, summarizer, self._put, settings.deadlines)
        self._side_tasks: list[asyncio.Task[Any]] = []
        self._batches = parser.stream(asked)

    async def open(self, patience: float | None = None) -> None:
        """Start everything and wait until the upstream has accepted, or for `patience` seconds.

        Raises GatewayError before any event; one that comes later ends the stream.
        """
        self._prompt_task = asyncio.create_task(self._write_prompt_summary())
        self._first = asyncio.create_task(self._accepted())
        self._side_tasks += [self._prompt_task, self._first]
        try:
            done, _ = await asyncio.wait({self._first}, timeout=patience)
            if done:
                await self._first
        except BaseException:
            await self._stop()
            raise

    async def _accepted(self) -> Sequence[ParsedItem]:
        if (first := await self._next()) is None:
            raise UpstreamError("the upstream ended before it answered")
        return first

    async def events(self) -> AsyncGenerator[list[Event]]:
        """Everything that leaves, in order, in batches of what is ready; ends with exactly one last event.

        A batch is empty where nothing has left for a beat of `settings.heartbeat` seconds.
        """
        reader = asyncio.create_task(self._run())
        self._summary_task = asyncio.create_task(self._summaries.write_reasoning())
        self._side_tasks += [reader, self._summary_task]
        try:
            self._put(StreamStarted(id=self.id, model=self.model, created=int(time.time())))
            while not self._outbox.over:
                yield await self._outbox.take()
            await reader
        finally:
            await self._stop()

    @property
    def began(self) -> float:
        """When it was made, on the monotonic clock."""
        return self._so_far.began

    @property
    def last(self) -> Event | None:
        """The last event of those that have left, if any."""
        return self._outbox.last

    @property
    def most_waiting(self) -> int:
        """Characters that waited at most, for their turn or for the client."""
        return self._outbox.most_waiting

    @property
    def ungrounded(self) -> int:
        """Summaries of which a sentence was not supported."""
        return self._summaries.ungrounded

    @property
    def response_reached(self) -> float | None:
        """When the first text of the response came from the upstream, in seconds since `began`."""
        return self._so_far.reached("first_response")

    async def _run(self) -> None:
        """Read the parser's stream to its end, and end ours, whatever happens."""
        try:
            finished = await self._read()
            for call in self._so_far.end_calls(finished):
                self._put(call)
            await self._close_sections(everything=True)
            self._put(self._so_far.completed(finished))
        except (Exception, asyncio.CancelledError) as error:
            if cancelling():
                raise
            await self._fail(error)

    async def _read(self) -> Finished:
        batch: Sequence[ParsedItem] | None = await self._first
        async with aclosing(self._batches):
            while batch is not None:
                for item in batch:
                    if isinstance(item, Finished):
                        return item
                    self._take(item)
                await self._outbox.room()
                batch = await self._next()
        raise UpstreamError("the upstream's answer was cut off before its end")

    async def _next(self) -> Sequence[ParsedItem] | None:
        try:
            return await self._silence.wait(anext(self._batches, None))
        except TimeoutError as error:
            seconds = self._deadlines.upstream_silence
            raise UpstreamSilent(f"nothing came from the upstream for {seconds:g} s; ask again") from error

    def _take(self, item: ParsedItem) -> None:
        match item:
            case Segment(kind="reasoning", text=text):
                self._take_reasoning(text)
            case Segment(kind="response", text=text):
                self._so_far.response(text)
                self._end_reasoning()
                self._put(ResponseDelta(delta=text))
            case ToolPiece() as piece:
                delta = self._so_far.call(piece)
                self._end_reasoning()
                self._put(delta)
            case ThinkingEnded() as thought:
                self._so_far.thought = thought
                self._end_reasoning()
            case _:
                pass

    def _take_reasoning(self, text: str) -> None:
        if not self._so_far.reasoning(text):
            return
        if self._trace:
            self._put(ReasoningDelta(delta=text))
        self._summaries.feed(text)

    def _end_reasoning(self) -> None:
        """Say `reasoning.done` and close the summary of the trace; only the first call does anything."""
        if not self._so_far.reasoning_open:
            return
        self._put(self._so_far.end_reasoning())
        self._summaries.close()

    async def _write_prompt_summary(self) -> None:
        if not self._prompt_summary:
            self._put(PromptSummaryDone(text="", written_by="none"))
            return
        await self._summaries.write_prompt()
        self._so_far.mark("prompt_summary")

    async def _close_sections(self, everything: bool) -> None:
        """Close what is open, in order: all of it at the end of an answer, only what has begun at a failure."""
        await self._prompt_task
        if everything or self._so_far.begun:
            self._end_reasoning()
        if everything or self._so_far.answered:
            self._put(self._so_far.end_response())
        if not self._so_far.reasoning_open:
            await self._summary_task

    async def _fail(self, error: BaseException) -> None:
        """Keep what was received, close it, and say whose fault it was."""
        if isinstance(error, GatewayError):
            failure = error.failure()
        else:
            log.exception("stream %s failed", self.id, exc_info=error)
            failure = GatewayError("the gateway failed; its log says why").failure()
        failed = StreamFailed(error=failure)
        try:
            self._summaries.hurry()
            await self._close_sections(everything=False)
            self._put(failed)
        except (Exception, asyncio.CancelledError):
            if cancelling():
                raise
            log.exception("stream %s could not be closed in order", self.id)
            self._outbox.abort(failed)

    async def _stop(self) -> None:
        """Cancel all that still runs and wait until it has stopped."""
        for task in self._side_tasks:
            task.cancel()
        await asyncio.gather(*self._side_tasks, return_exceptions=True)
        self._silence.close()
        self._outbox.close()
        await self._batches.aclose()


OnBatch = Callable[[list[Event]], object]
SessionObserver = Callable[[Session], AbstractContextManager[OnBatch]]
"""A context manager around a session, yielding a callback that is given each batch of events just before it is sent."""

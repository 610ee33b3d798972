"""One request's life: the prompt summary, the reasoning with its summary, and the response, made side by side and
sent in order.

It is written against the Protocols below. The order itself is in `order.py`. Knows nothing of HTTP, Ray or models.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager, aclosing
from typing import Any, ClassVar, Protocol

from gateway.answer import Answer
from gateway.cancelling import cancelling
from gateway.config import GatewaySettings
from gateway.errors import GatewayError, UpstreamError
from gateway.events import Event, PromptSummaryDone, StreamFailed, StreamStarted
from gateway.outbox import Outbox
from gateway.requests.base import ReasoningOptions
from gateway.slices import slices, turn
from gateway.summaries.protocol import SummaryUsage
from gateway.summaries.side_tasks import is_side_task
from gateway.summaries.stream_summaries import StreamSummaries, Summarizer
from gateway.summaries.writing_time import WritingTime
from gateway.transcript import Transcript
from gateway.upstream import Finished, ParsedItem, UpstreamRequest

log = logging.getLogger(__name__)

END_SECONDS = 0.1
"""Seconds that the end of an answer waits for summaries where nobody waits for them."""


class SessionRequest(Protocol):
    """A request of any route; see `gateway.requests.base.BaseRequest`."""

    model: str | None
    conversation: ClassVar[str]

    @property
    def waits_for_summaries(self) -> bool: ...

    @property
    def parts_come_first(self) -> bool: ...

    @property
    def reasoning(self) -> ReasoningOptions: ...

    @property
    def prompt_summary(self) -> bool: ...

    @property
    def asks_for_summaries(self) -> bool: ...

    def to_upstream(self, request_id: str, model: str) -> UpstreamRequest: ...


class Parser(Protocol):
    def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]: ...


class Session:
    """One request: `open` it once, then read `events` to the end. Closing their iterator cancels all work behind it."""

    def __init__(
        self,
        id: str,
        request: SessionRequest,
        model: str,
        parser: Parser,
        summarizer: Summarizer,
        settings: GatewaySettings,
        writing: WritingTime | None = None,
    ) -> None:
        self.id, self.model, self._prompt_summary = id, model, request.prompt_summary
        asked, options = request.to_upstream(id, model), request.reasoning
        if is_side_task(asked) and not request.asks_for_summaries:
            self._prompt_summary, options = False, options.model_copy(update={"summary": "none"})
        self._awaits_end = request.waits_for_summaries
        self._outbox = Outbox(options.order, settings.limits, settings.heartbeat)
        self._put = self._outbox.put
        self._transcript = Transcript(id, thinks=options.budget != 0)
        self._summaries = StreamSummaries(
            asked,
            options,
            summarizer,
            self._put,
            settings.deadlines,
            parts_come_first=request.parts_come_first,
            mask_secrets=settings.summarizer.mask_secrets,
            writing=writing,
        )
        self._answer = Answer(
            self._transcript, self._summaries, self._put, trace=options.trace, awaits_prompt=options.order == "strict"
        )
        self._side_tasks: list[asyncio.Task[Any]] = []
        self._batches = parser.stream(asked)

    async def open(self, patience: float | None = None) -> None:
        """Start everything and wait until the upstream has accepted, for at most `patience` seconds.

        Raises GatewayError if the upstream refuses in that time; a later refusal ends the stream.
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
        try:
            return await anext(self._batches)
        except StopAsyncIteration:
            raise UpstreamError("the upstream ended before it answered") from None

    async def events(self) -> AsyncGenerator[list[Event]]:
        """Yield all events in order, in batches of what is ready; the last event is the only one of its kind.

        A batch is empty if there was nothing to send for `settings.heartbeat` seconds.
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
        """The time at which the session was made, on the monotonic clock."""
        return self._transcript.began

    @property
    def last(self) -> Event | None:
        """The last event that has been sent, if any."""
        return self._outbox.last

    @property
    def most_waiting(self) -> int:
        """Peak number of characters that waited, for their turn or for the client."""
        return self._outbox.most_waiting

    @property
    def ungrounded(self) -> int:
        """Number of summary drafts that the grounding check rejected."""
        return self._summaries.rejected

    @property
    def summary_usage(self) -> SummaryUsage:
        """Tokens that the summaries have cost so far."""
        return self._summaries.usage

    @property
    def response_reached(self) -> float | None:
        """Seconds from `began` to the first text of the response from the upstream; None before."""
        return self._transcript.time_of("first_response")

    async def _run(self) -> None:
        """Read the parser's stream to its end and end ours, whatever happens.

        A CancelledError is ours only if this task is being cancelled; otherwise something that it waited for was, which
        is a failure like any other.
        """
        try:
            finished = await self._read()
            for call in self._transcript.end_calls(finished):
                self._put(call)
            patience = None if self._awaits_end else END_SECONDS
            with self._summaries.expiring_in(patience):
                await self._close_sections(everything=True)
            await self._answer.end(finished, patience)
        except (Exception, asyncio.CancelledError) as error:
            if cancelling():
                raise
            await self._fail(error)

    async def _read(self) -> Finished:
        batch: Sequence[ParsedItem] | None = await self._first
        async with aclosing(self._batches):
            while batch is not None:
                for number, piece in enumerate(slices(batch)):
                    if number:
                        await turn()
                    for item in piece:
                        if isinstance(item, Finished):
                            return item
                        self._answer.take(item)
                    # Not read on while too much waits: the pause travels back to the upstream's socket.
                    await self._outbox.room()
                batch = await anext(self._batches, None)
        raise UpstreamError("the upstream's answer was cut off before its end")

    async def _write_prompt_summary(self) -> None:
        if not self._prompt_summary:
            self._put(PromptSummaryDone(text="", written_by="none"))
            return
        await self._summaries.write_prompt()
        self._transcript.mark("prompt_summary")

    async def _close_sections(self, everything: bool) -> None:
        """Close the open sections in order: all at the end of an answer, only those that have begun at a failure."""
        await self._prompt_task
        if everything or self._transcript.begun:
            self._answer.end_reasoning()
        if everything or self._transcript.answered:
            self._answer.end_response()
        if not self._transcript.reasoning_open:
            await self._summary_task

    async def _fail(self, error: BaseException) -> None:
        """End the stream with a failure; what was received before it is kept and closed in order."""
        if isinstance(error, GatewayError):
            failure = error.failure()
        else:
            log.exception("stream %s failed", self.id, exc_info=error)
            failure = GatewayError("the gateway failed; its log says why").failure()
        failed = StreamFailed(error=failure)
        try:
            self._summaries.expire()
            await self._close_sections(everything=False)
            self._put(failed)
        except (Exception, asyncio.CancelledError):
            if cancelling():
                raise
            log.exception("stream %s could not be closed in order", self.id)
            self._outbox.abort(failed)

    async def _stop(self) -> None:
        """Cancel everything that still runs and wait until it has stopped."""
        for task in self._side_tasks:
            task.cancel()
        await asyncio.gather(*self._side_tasks, return_exceptions=True)
        await self._batches.aclose()


OnBatch = Callable[[list[Event]], object]
SessionObserver = Callable[[Session], AbstractContextManager[OnBatch]]
"""A context manager around a session, yielding a callback that is given each batch of events just before it is sent."""

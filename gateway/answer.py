"""The upstream's answer to one request: kept in the transcript, sent to the client, and told to the summaries.

Knows nothing of tasks, deadlines or failures: those are the session's.
"""

from collections.abc import Callable
from dataclasses import replace

from gateway.events import Event, ReasoningDelta, ResponseDelta
from gateway.reasoning import Segment
from gateway.summaries.stream_summaries import StreamSummaries
from gateway.transcript import Transcript
from gateway.upstream import Finished, ParsedItem, ThinkingEnded, ToolPiece


class Answer:
    """`take` each item as it comes; its events are passed to `put`.

    Without `trace` the reasoning is only summarized. Unless the answer `awaits_prompt`, the prompt's summary ends when
    the first of it comes.
    """

    def __init__(
        self,
        transcript: Transcript,
        summaries: StreamSummaries,
        put: Callable[[Event], None],
        *,
        trace: bool,
        awaits_prompt: bool,
    ) -> None:
        self._transcript, self._summaries, self._put = transcript, summaries, put
        self._trace, self._awaits_prompt = trace, awaits_prompt

    def take(self, item: ParsedItem) -> None:
        match item:
            case Segment(kind="reasoning", text=text):
                self._take_reasoning(text)
            case Segment(kind="response", text=text):
                self._transcript.add_response(text)
                self.end_reasoning()
                self._put(ResponseDelta(delta=text))
            case ToolPiece() as piece:
                delta = self._transcript.add_call(piece)
                self.end_reasoning()
                self._put(delta)
            case ThinkingEnded() as ended:
                self._transcript.thinking_ended = ended
                self.end_reasoning()
            case _:
                pass

    def end_reasoning(self) -> None:
        """Close the reasoning and let its summary end; only the first call does anything."""
        if not self._transcript.reasoning_open:
            return
        self._release_prompt()
        self._put(self._transcript.end_reasoning())
        self._summaries.close()

    def end_response(self) -> None:
        """Close the response."""
        self._put(self._transcript.end_response())

    async def end(self, finished: Finished, seconds: float | None) -> None:
        """Complete a stream whose sections are closed; the summary of late reasoning may take so many `seconds`."""
        late = self._transcript.late_reasoning
        summary = await self._summaries.write_late(late, seconds) if late else ""
        finished = replace(finished, usage=self._summaries.charged(finished.usage))
        self._put(self._transcript.completed(finished, late if self._trace else "", summary))

    def _take_reasoning(self, text: str) -> None:
        if not self._transcript.add_reasoning(text):
            return
        self._release_prompt()
        if self._trace:
            self._put(ReasoningDelta(delta=text))
        self._summaries.feed(text)

    def _release_prompt(self) -> None:
        """End the prompt's summary, so that the answer that begins does not wait for it; only the first call does."""
        if not self._awaits_prompt:
            self._awaits_prompt = True
            self._summaries.expire_prompt()

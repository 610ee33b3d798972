"""One summary as the session receives it, against a deadline; what it summarizes is the owner's."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from gateway.errors import GatewayError
from gateway.events import WrittenBy
from gateway.summaries.protocol import SummaryCandidate, SummaryEnd, SummaryItem, SummaryTitle, SummaryUsage

log = logging.getLogger(__name__)


class TimedDraft:
    """Passes text to `emit` as it arrives, until the source ends or fails, or the deadline passes.

    A failure of the source is logged and ends the draft; it is never raised. `text` and `title` are what has arrived,
    `rejected` is the number of the model's drafts that the grounding check has ended, and `usage` the tokens of all of
    them, as far as they are known.
    """

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._deadline: asyncio.Timeout | None = None
        self._end: SummaryEnd | None = None
        self.text = self.title = self._candidate = ""
        self.usage = SummaryUsage()
        self.expired = False

    @property
    def rejected(self) -> int:
        return self._end.rejected if self._end else 0

    async def run(self, source: AsyncGenerator[Sequence[SummaryItem]], seconds: float | None) -> None:
        """Receive the summary, for at most `seconds`, without a limit if that is None."""
        try:
            async with asyncio.timeout(0 if self.expired else seconds) as self._deadline, aclosing(source):
                async for batch in source:
                    self._receive(batch)
        except TimeoutError:
            log.info("a summary met its deadline after %d characters", len(self.text))
        except GatewayError as error:
            log.warning("a summary failed: %s", error)
        except Exception:
            log.exception("a summary failed")
        finally:
            self._deadline = None

    def expire(self) -> None:
        """Let the deadline pass now, or at once if `run` is still to come."""
        self.expired = True
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())

    def fall_back_to(self, extract: Callable[[], str]) -> WrittenBy:
        """Emit the last candidate if no text has arrived, or the extract, which is made only if there is none, and
        return the author of the text."""
        if not self.text.strip():
            self._say(self._candidate)
        if self.text.strip():
            return "model"
        self._say(text := extract())
        return "extract" if text else "none"

    def _receive(self, batch: Sequence[SummaryItem]) -> None:
        self._say("".join(item for item in batch if isinstance(item, str)))
        for item in batch:
            match item:
                case SummaryTitle(text=title):
                    self.title = title
                case SummaryCandidate(text=text):
                    self._candidate = text
                case SummaryUsage():
                    self.usage = item
                case SummaryEnd(title=title):
                    self.title, self._end = title, item

    def _say(self, text: str) -> None:
        if text:
            self.text += text
            self._emit(text)

"""One answer of the model to a request for a summary, checked while it is written."""

import logging
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from gateway.errors import GatewayError
from gateway.reasoning import Segment
from gateway.summaries.breaker import Resting
from gateway.summaries.part_decoder import PartDecoder
from gateway.summaries.sentence_gate import SentenceGate, SentenceLimit, Ungrounded
from gateway.summaries.usability import Reason
from gateway.upstream import Finished, ParsedItem

log = logging.getLogger(__name__)

SLOW_SECONDS = 1.0
"""A draft that is closed without text after this many seconds was too slow; sooner, its client may have left."""
Note = Callable[[Reason | None, str], None]
"""Called at the end of a draft with the reason for which no text was released, or None, and its details."""


class Draft:
    """One draft; `text` is what has been released of it, `rejected` 1 if the check has ended it.

    `note` is called at the end.
    """

    def __init__(self, decoder: SentenceGate | PartDecoder, note: Note) -> None:
        self._decoder, self._note = decoder, note
        self._responded = self._reasoned = False
        self.text = ""
        self.rejected = 0

    async def sentences(self, answer: AsyncGenerator[Sequence[ParsedItem]]) -> AsyncGenerator[str]:
        """Yield checked text, "" for a batch that releases none. The answer is closed as soon as nothing more of it can
        be used."""
        began = time.monotonic()
        reason: Reason | None = None
        detail = ""
        cut = False
        try:
            async with aclosing(answer):
                async for items in answer:
                    cut = any(isinstance(item, Finished) and item.finish_reason == "length" for item in items)
                    text = self._decoder.feed(self._response_text(items))
                    self.text += text
                    yield text
            if text := self._decoder.close(cut):
                self.text += text
                yield text
            reason = self._silence() or "empty"
        except SentenceLimit:
            pass  # a draft is that long; what it has said is released
        except Ungrounded as error:
            self.rejected = 1
            reason, detail = self._silence() or "rejected", str(error)
            log.info("a summary was rejected: %s", error)
        except GatewayError as error:
            reason, detail = "resting" if isinstance(error, Resting) else "failed", str(error)
            log.info("a summary failed: %s", error)
        except BaseException:
            if time.monotonic() - began >= SLOW_SECONDS:
                reason = "deadline"
            raise
        finally:
            if self.text:
                self._note(None, "")
            elif reason:
                self._note(reason, detail)

    def _response_text(self, items: Sequence[ParsedItem]) -> str:
        segments = [item for item in items if isinstance(item, Segment)]
        self._reasoned |= any(segment.kind == "reasoning" for segment in segments)
        text = "".join(segment.text for segment in segments if segment.kind == "response")
        self._responded |= bool(text.strip())
        return text

    def _silence(self) -> Reason | None:
        """Return in which way the model said nothing, if it did."""
        return None if self._responded else "only_reasoning" if self._reasoned else "empty"

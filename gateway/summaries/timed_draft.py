"""One summary being written against a deadline. Knows nothing of what it summarizes or where its text goes."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from gateway.errors import GatewayError
from gateway.events import WrittenBy
from gateway.summaries.sentence_gate import SentenceLimit, Ungrounded

log = logging.getLogger(__name__)


class Writing:
    """Text goes to `emit` as it is written, until the source ends, fails, or the deadline passes.

    A failure of the source is logged and ends the writing; it never passes on. `ungrounded` says whether text that
    nothing supports has ended it.
    """

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._deadline: asyncio.Timeout | None = None
        self.text = ""
        self.ungrounded = self.hurried = False

    async def run(
        self,
        source: AsyncGenerator[Sequence[str]],
        seconds: float | None,
        take: Callable[[str], str] = str,
        rest: Callable[[], str] = str,
    ) -> None:
        """Write; `take` turns what the source says into text of the summary, `rest` gives what `take` held back."""
        self.ungrounded = False
        try:
            async with asyncio.timeout(0 if self.hurried else seconds) as self._deadline, aclosing(source):
                async for batch in source:
                    self._say(take("".join(batch)))
                self._say(rest())
        except TimeoutError:
            log.info("a summary met its deadline after %d characters", len(self.text))
        except SentenceLimit:
            pass
        except Ungrounded as error:
            self.ungrounded = True
            log.info("a summary ended: %s", error)
        except GatewayError as error:
            log.warning("a summary failed: %s", error)
        except Exception:
            log.exception("a summary failed")
        finally:
            self._deadline = None

    def hurry(self) -> None:
        """Let the deadline be now."""
        self.hurried = True
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(asyncio.get_running_loop().time())

    def or_else(self, extract: str) -> WrittenBy:
        """Say the extract if nothing has been written; tell who wrote what stands."""
        if self.text.strip():
            return "model"
        self._say(extract)
        return "extract" if extract else "none"

    def _say(self, text: str) -> None:
        if text:
            self.text += text
            self._emit(text)

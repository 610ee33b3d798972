"""The tokens that summaries cost, counted while a model writes: most drafts end before their upstream says its usage.

Knows nothing of what the drafts are for.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from gateway.reasoning import Segment
from gateway.summaries.protocol import SummaryUsage
from gateway.upstream import Accepted, Finished, ParsedItem, UpstreamRequest

BYTES_PER_TOKEN = 4
"""Bytes of UTF-8 that are taken for one token if nobody has counted: so English, Russian and Chinese differ little."""
REPORT_TOKENS = 16
"""Tokens of a draft after which its usage is reported again, so that a draft which is cut off is missed by fewer."""


class TokenMeter:
    """Counts the tokens of all drafts of one summary; `count` is called with the usage of each that has ended."""

    def __init__(self, count: Callable[[SummaryUsage], None]) -> None:
        self._count = count
        self._ended = self._draft = self._reported = SummaryUsage()

    @property
    def usage(self) -> SummaryUsage:
        """The tokens of all drafts so far, used or not."""
        return self._ended + self._draft

    def report(self) -> Sequence[SummaryUsage]:
        """Return the usage if it has grown by more than a few tokens since the last report, else nothing."""
        usage, last = self.usage, self._reported
        if usage.prompt_tokens == last.prompt_tokens and usage.tokens - last.tokens < REPORT_TOKENS:
            return ()
        self._reported = usage
        return (usage,)

    async def metered(
        self, request: UpstreamRequest, answer: AsyncGenerator[Sequence[ParsedItem]]
    ) -> AsyncGenerator[Sequence[ParsedItem]]:
        """Pass an answer on and count its tokens, from the moment when it was accepted. Raises as the answer does."""
        size = 0
        try:
            async with aclosing(answer):
                async for items in answer:
                    size += sum(_size(item.text) for item in items if isinstance(item, Segment))
                    self._draft = _usage(items, self._draft.prompt_tokens or _prompt_tokens(request), size)
                    yield items
        finally:
            if self._draft.prompt_tokens:
                self._count(self._draft)
            self._ended, self._draft = self.usage, SummaryUsage()


def _usage(items: Sequence[ParsedItem], prompt_tokens: int, size: int) -> SummaryUsage:
    """Return the usage of a draft of `size` bytes: what its upstream has counted, estimates for the rest."""
    estimate = SummaryUsage(prompt_tokens=prompt_tokens, tokens=-(-size // BYTES_PER_TOKEN))
    for item in items:
        match item:
            case Accepted(prompt_tokens=int(counted)):
                estimate = SummaryUsage(prompt_tokens=counted, tokens=estimate.tokens)
            case Finished(usage=usage):
                return SummaryUsage(
                    prompt_tokens=usage.prompt_tokens or estimate.prompt_tokens,
                    cached_tokens=usage.cached_tokens,
                    tokens=usage.completion_tokens,
                )
            case _:
                pass
    return estimate


def _prompt_tokens(request: UpstreamRequest) -> int:
    return sum(_size(message.content) for message in request.messages) // BYTES_PER_TOKEN + 1


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))

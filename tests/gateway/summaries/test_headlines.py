"""Headlines: at most one every few seconds and characters, by the model if it has one, else made of the text."""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Sequence

import pytest

from gateway.events import Event, ReasoningSummaryHeadline
from gateway.summaries.headlines import FIRST_CHARACTERS, LEAST_CHARACTERS, LEAST_SECONDS, Headlines
from gateway.summaries.part_scheduler import PartScheduler
from gateway.summaries.protocol import PartTask, SummaryItem, SummaryTitle

SENTENCE = "The train needs two hours for the way to Rome. "
OTHER = "The second train to Milan is slower than that by far. "


class Stream:
    """A trace that grows in an event loop whose time is `seconds`, with the headlines that come of it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, title: str = "") -> None:
        self.seconds, self.put = 0.0, list[Event]()
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.seconds)
        self._title = title
        self.parts = PartScheduler(self._source, lambda _: None, 5, request="How long?")
        self._headlines = Headlines(self.parts, self.put.append)
        self.characters = 0

    def feed(self, text: str) -> None:
        self.parts.feed(text)
        self._headlines.feed(text)
        self.characters += len(text)

    async def close(self) -> None:
        running = asyncio.create_task(self.parts.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def _source(self, index: int, task: PartTask) -> AsyncGenerator[Sequence[SummaryItem]]:
        yield [SummaryTitle(self._title)]
        await asyncio.Event().wait()


def said(stream: Stream) -> list[tuple[int, int, float]]:
    headlines = [event for event in stream.put if isinstance(event, ReasoningSummaryHeadline)]
    assert all(0 < len(event.text.split()) <= 8 for event in headlines)
    return [(event.index, event.characters, event.seconds) for event in headlines]


async def test_there_is_one_headline_for_so_many_characters_and_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(monkeypatch)
    stream.feed("So. ")
    while stream.characters < FIRST_CHARACTERS:
        assert stream.put == []
        stream.feed(SENTENCE)
    first = stream.characters
    assert said(stream) == [(0, first, 0.0)]
    while stream.characters < first + LEAST_CHARACTERS + 100:
        stream.feed(OTHER)
    assert len(stream.put) == 1  # since it is too soon
    stream.seconds = LEAST_SECONDS
    stream.feed(OTHER)
    assert said(stream)[1:] == [(1, stream.characters, LEAST_SECONDS)]
    stream.seconds = 100.0
    stream.feed(SENTENCE)
    assert len(stream.put) == 2  # since it says too little
    await stream.close()


async def test_the_same_headline_is_not_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(monkeypatch, title="Looking for the time")
    for _ in range(80):
        stream.feed(SENTENCE)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        stream.seconds += 1
    texts = [event.text for event in stream.put if isinstance(event, ReasoningSummaryHeadline)]
    assert "Looking for the time" in texts
    assert all(text != before for before, text in itertools.pairwise(texts))
    await stream.close()


@pytest.mark.parametrize("title", ["Comparing two trains", "a title of more words than a headline ever has"])
async def test_a_headline_is_the_title_of_the_part_being_written_if_that_is_one(
    monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    stream = Stream(monkeypatch, title=title)
    stream.feed(SENTENCE * 5)
    stream.feed(SENTENCE * 8)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    stream.seconds = LEAST_SECONDS
    stream.feed(OTHER * 5)
    *_, last = (event for event in stream.put if isinstance(event, ReasoningSummaryHeadline))
    assert (last.text == title) == (len(title.split()) <= 8)
    await stream.close()

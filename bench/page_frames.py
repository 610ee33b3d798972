"""Frames a second, first paint and weight of the page, with a trace of 200,000 characters.

    python -m bench.page_frames

The page is served by the gateway's application over a scripted model, in a thread of this program, and shown by
Debian's chromium without a screen. An empty page beside it says what the machine gives at most.
"""

import asyncio
import statistics
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from playwright.sync_api import Page

from gateway.events import Usage
from gateway.reasoning import Segment
from gateway.upstream import Accepted, Finished, ParsedItem, ThinkingEnded, UpstreamRequest
from tests.fakes.browser import Browser, chromium
from tests.fakes.page_api import RESPONSE, TRACE, pieces
from tests.fakes.scripted_gateway import scripted_gateway
from tests.fakes.session import ScriptedParser
from tests.fakes.web_server import served

CHARACTERS = 200_000
SHORT, FEW_CHARACTERS = "Think briefly", 4000
PIECE, PIECES_PER_SECOND = 40, 100
SECONDS = 4
PAINTS = 7
FRAMES = """async (seconds) => {
    const frames = []; let last = performance.now(); const end = last + seconds * 1000;
    await new Promise((resolve) => { const next = (now) => { frames.push(now - last); last = now;
        now < end ? requestAnimationFrame(next) : resolve(); }; requestAnimationFrame(next); });
    return frames.slice(1);
}"""
WHILE_SCROLLING = """async (seconds) => {
    const trace = document.querySelector(".trace"); let top = 0;
    const timer = setInterval(() => { top += 60; trace.scrollTop = top %% trace.scrollHeight; }, 16);
    const frames = await (%s)(seconds); clearInterval(timer); return frames;
}"""
WHILE_POINTING = """async (seconds) => {
    const steps = [...document.querySelectorAll(".step")]; let n = 0;
    const point = () => steps[(n++ * 37) %% steps.length].dispatchEvent(new PointerEvent("pointerenter"));
    const timer = setInterval(point, 250);
    const frames = await (%s)(seconds); clearInterval(timer); return frames;
}"""
LENGTH = "document.querySelector('.trace')?.textContent.length ?? 0"
TRANSFERRED = """performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
    .filter((entry) => !entry.name.includes("/v1/")).reduce((sum, entry) => sum + entry.transferSize, 0)"""


class LongThinker(ScriptedParser):
    """Thinks of `CHARACTERS`: the first and the last tenth at a steady pace, the rest at once. To `SHORT` of a few."""

    async def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[ParsedItem]]:
        trace = (TRACE + "\n\n") * (CHARACTERS // len(TRACE) + 1)
        if request.messages[-1].content == SHORT:
            yield [Accepted(prompt_tokens=1), Segment("reasoning", trace[:FEW_CHARACTERS])]
            yield [ThinkingEnded(tokens=1, ended_by="marker"), Segment("response", RESPONSE)]
            yield [Finished(finish_reason="stop", usage=Usage(completion_tokens=1))]
            return
        early = CHARACTERS * 9 // 10
        yield [Accepted(prompt_tokens=1)]
        for start, end, pause in ((0, early // 10, 1 / PIECES_PER_SECOND), (early // 10, early, 0.0)):
            for piece in pieces(trace[start:end], PIECE):
                yield [Segment("reasoning", piece)]
                await asyncio.sleep(pause)
        for piece in pieces(trace[early:CHARACTERS], PIECE):
            yield [Segment("reasoning", piece)]
            await asyncio.sleep(1 / PIECES_PER_SECOND)
        yield [ThinkingEnded(tokens=CHARACTERS // 4, ended_by="marker"), Segment("response", RESPONSE)]
        yield [Finished(finish_reason="stop", usage=Usage(completion_tokens=CHARACTERS // 4))]


@contextmanager
def served_in_thread() -> Iterator[str]:
    """Serve the application in a thread, and yield its address."""
    ready, over, urls = Event(), Event(), []

    async def serve() -> None:
        async with served(scripted_gateway(LongThinker())) as url:
            urls.append(url)
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    yield f"{urls[0]}/"
    over.set()
    thread.join()


def report(name: str, frames: list[float]) -> None:
    rate = 1000 / statistics.mean(frames)
    slow = sum(frame > 25 for frame in frames) / len(frames)
    print(f"{name:<46} {rate:5.1f} frames/s, {slow:6.1%} slower than 25 ms, longest {max(frames):.0f} ms", flush=True)


def until_long(page: Page, characters: int) -> None:
    page.wait_for_function(f"({LENGTH}) > {characters}", timeout=200_000)


def main() -> None:
    with served_in_thread() as url, chromium() as browser:
        paints, weight = [], 0
        for _ in range(PAINTS):
            with Browser.open(browser, url) as tab:
                tab.page.locator("#examples button").first.wait_for()
                tab.page.wait_for_timeout(300)
                entries: Any = tab.page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
                paints.append(entries)
                weight = tab.page.evaluate(TRANSFERRED)
        print(
            f"first paint {statistics.median(paints):.0f} ms (median of {PAINTS}), {weight / 1000:.1f} KB transferred"
        )
        with Browser.open(browser, url, bypass_csp=True) as tab:  # playwright waits with `eval`
            page = tab.page
            report("an empty page", page.evaluate(FRAMES, SECONDS))
            tab.ask_to_the_end(SHORT)
            report("while 4,000 characters are scrolled", page.evaluate(WHILE_SCROLLING % FRAMES, SECONDS))
            report("while their steps are pointed at", page.evaluate(WHILE_POINTING % FRAMES, SECONDS))
            page.locator("#new").click()
            tab.ask("Think long")
            until_long(page, 1000)
            report("while it writes, at the beginning", page.evaluate(FRAMES, SECONDS))
            until_long(page, CHARACTERS * 9 // 10)
            report("while it writes, behind 180,000 characters", page.evaluate(FRAMES, SECONDS))
            page.locator(".turn footer .actions").wait_for(timeout=200_000)
            report("at rest, with 200,000 characters", page.evaluate(FRAMES, SECONDS))
            report("while they are scrolled", page.evaluate(WHILE_SCROLLING % FRAMES, SECONDS))
            report("while their steps are pointed at", page.evaluate(WHILE_POINTING % FRAMES, SECONDS))


if __name__ == "__main__":
    main()

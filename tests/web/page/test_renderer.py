"""The process that renders: it answers in turn, and ends at its limits without anything else ending."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from gateway.errors import InvalidRequest, Overloaded
from web.page.renderer import MAX_WAITING, RenderProcess

pytestmark = pytest.mark.slow
MINUTES = "```c\n" + "/" * 19_000
"""Takes Pygments minutes."""


@pytest.fixture
def renderer() -> Iterator[RenderProcess]:
    process = RenderProcess()
    yield process
    process.close()


async def rendered(process: RenderProcess, text: str) -> list[str]:
    return [block["html"] for block in json.loads(await process.render(text))]


async def test_texts_are_rendered_in_turn(renderer: RenderProcess) -> None:
    answers = await asyncio.gather(*(rendered(renderer, f"{n}\n\né\u2028*e*") for n in range(5)))
    assert answers == [[f"<p>{n}</p>\n", "<p>é\u2028<em>e</em></p>\n"] for n in range(5)]


async def test_a_text_that_takes_minutes_is_refused_and_the_next_is_rendered(renderer: RenderProcess) -> None:
    slow = asyncio.create_task(renderer.render(MINUTES))
    after = await asyncio.gather(slow, rendered(renderer, "a"), return_exceptions=True)
    assert isinstance(after[0], InvalidRequest)
    assert after[1] == ["<p>a</p>\n"]


async def test_more_texts_than_may_wait_are_refused(renderer: RenderProcess) -> None:
    answers = await asyncio.gather(*(renderer.render("a") for _ in range(MAX_WAITING + 1)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [*[bytes] * MAX_WAITING, Overloaded]


async def test_a_process_that_has_ended_is_started_again(renderer: RenderProcess) -> None:
    await renderer.render("a")
    assert renderer._process is not None
    renderer._process.kill()
    renderer._process.wait()
    assert await rendered(renderer, "b") == ["<p>b</p>\n"]

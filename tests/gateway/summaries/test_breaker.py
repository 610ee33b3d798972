"""A dead API is not asked again by every stream; one that answers is."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from typing import Any

import pytest

from gateway.errors import InvalidRequest, Overloaded, UpstreamCut, UpstreamRejected, UpstreamUnreachable
from gateway.summaries.breaker import FAILURES, REST_SECONDS, SILENT_SECONDS, Breaker, Resting

DEAD = UpstreamUnreachable("no connection")


class Api:
    """A breaker before an API that plays what it is given, on a clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now, self.asked = 100.0, 0
        self.hanging = asyncio.Event()
        self.breaker = Breaker("an API", lambda: self.now)

    async def answer(self, *script: Any) -> AsyncGenerator[str]:
        self.asked += 1
        for step in script:
            match step:
                case BaseException():
                    raise step
                case asyncio.Event() if step is self.hanging:
                    step.set()
                case asyncio.Event():
                    await step.wait()
                case float():
                    self.now += step
                case _:
                    yield step

    async def call(self, *script: Any) -> str:
        """Return what came of one call: its text, or the name of its failure."""
        try:
            return "".join([item async for item in self.breaker.guard(self.answer(*script))])
        except Exception as error:
            return type(error).__name__

    async def given_up(self, call: Coroutine[Any, Any, str]) -> None:
        """Cancel the call once its script has come to `hanging`."""
        self.hanging.clear()
        running = asyncio.create_task(call)
        await self.hanging.wait()
        running.cancel()
        await asyncio.wait({running})


async def dead() -> Api:
    api = Api()
    for _ in range(FAILURES):
        assert await api.call(DEAD) == "UpstreamUnreachable"
    return api


async def test_after_some_failures_in_a_row_nothing_is_asked() -> None:
    api = await dead()
    assert [await api.call("text") for _ in range(5)] == ["Resting"] * 5
    assert api.asked == FAILURES


async def test_after_its_rest_one_trial_closes_the_breaker() -> None:
    api = await dead()
    api.now += REST_SECONDS
    assert [await api.call("text") for _ in range(3)] == ["text"] * 3
    assert await api.call(DEAD) == "UpstreamUnreachable"
    assert await api.call("text") == "text"


async def test_a_trial_that_fails_opens_it_again() -> None:
    api = await dead()
    api.now += REST_SECONDS
    assert [await api.call(DEAD), await api.call("text")] == ["UpstreamUnreachable", "Resting"]
    api.now += REST_SECONDS
    assert await api.call("text") == "text"


async def test_there_is_one_trial_at_a_time_and_one_that_is_given_up_frees_its_place() -> None:
    api = await dead()
    api.now += REST_SECONDS
    trial = asyncio.create_task(api.call(api.hanging, asyncio.Event()))
    await api.hanging.wait()
    assert await api.call("text") == "Resting"
    trial.cancel()
    await asyncio.wait({trial})
    assert await api.call("text") == "text"


@pytest.mark.parametrize(
    "script",
    [
        ("text", UpstreamCut("cut")),
        (InvalidRequest("too long"),),
        (UpstreamRejected("too long", 400),),
        (Overloaded("the gateway is busy"),),
        ("text",),
        (),
    ],
    ids=["begun", "refused", "rejected", "ours", "answered", "empty"],
)
async def test_what_shows_that_the_api_lives_does_not_open_it(script: tuple[Any, ...]) -> None:
    api = Api()
    for _ in range(FAILURES * 2):
        assert await api.call(*script) != "Resting"


async def test_an_answer_in_between_counts_anew() -> None:
    api = Api()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            await api.call(DEAD)
        assert await api.call("text") == "text"


@pytest.mark.parametrize(("seconds", "then"), [(SILENT_SECONDS, "Resting"), (SILENT_SECONDS / 2, "text")])
async def test_an_api_that_hangs_until_it_is_given_up_is_dead(seconds: float, then: str) -> None:
    api = Api()
    for _ in range(FAILURES):
        await api.given_up(api.call(seconds, api.hanging, asyncio.Event()))
    assert await api.call("text") == then


async def test_a_failure_after_a_long_silence_counts_once() -> None:
    api = Api()
    await api.call(SILENT_SECONDS, DEAD)
    assert api.breaker.failures == 1


async def test_the_log_says_once_that_it_opens_and_that_it_closes(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        api = await dead()
        for script in ("text", DEAD, "text"):
            await api.call(script)
            api.now += REST_SECONDS
        await api.call("text")
    first, last = caplog.messages
    assert first.startswith(f"an API has failed {FAILURES} summaries in a row (no connection)")
    assert last == "an API answers requests for summaries again"


def test_a_rest_is_no_failure_of_the_upstream() -> None:
    assert Resting("resting").failure().stage == "session"

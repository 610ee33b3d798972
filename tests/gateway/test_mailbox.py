"""A mailbox: everything that has gathered is taken at once, and the end comes behind it."""

import asyncio

import pytest

from gateway.errors import UpstreamError
from gateway.mailbox import Mailbox
from tests.fakes.garbage import is_freed_at_once


async def test_everything_that_was_put_is_taken_at_once() -> None:
    mailbox = Mailbox[str]()
    mailbox.put(["a"])
    mailbox.put(["b", "c"])
    assert len(mailbox) == 3
    assert await mailbox.take() == ["a", "b", "c"]
    assert len(mailbox) == 0


async def test_take_waits_for_an_item() -> None:
    mailbox = Mailbox[str]()
    waiting = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    mailbox.put([])
    await asyncio.sleep(0)
    assert not waiting.done()
    mailbox.put(["a"])
    assert await waiting == ["a"]


async def test_the_end_is_an_empty_list_behind_all_items() -> None:
    mailbox = Mailbox[str]()
    mailbox.put(["a"])
    mailbox.close()
    assert not mailbox.over
    assert await mailbox.take() == ["a"]
    assert mailbox.over
    assert await mailbox.take() == []


async def test_an_error_is_raised_behind_all_items() -> None:
    mailbox = Mailbox[str]()
    mailbox.put(["a"])
    mailbox.close(ZeroDivisionError())
    assert await mailbox.take() == ["a"]
    with pytest.raises(ZeroDivisionError):
        await mailbox.take()


async def test_closing_wakes_a_waiting_reader() -> None:
    mailbox = Mailbox[str]()
    waiting = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    mailbox.close()
    assert await waiting == []


async def test_a_cancelled_take_loses_nothing() -> None:
    mailbox = Mailbox[str]()
    waiting = asyncio.create_task(mailbox.take())
    await asyncio.sleep(0)
    waiting.cancel()
    mailbox.put(["a"])
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await mailbox.take() == ["a"]


async def test_an_error_that_was_raised_is_not_kept() -> None:
    mailbox = Mailbox[str]()
    mailbox.close(UpstreamError("gone"))
    assert await is_freed_at_once(mailbox.take(), UpstreamError)
    assert await mailbox.take() == []

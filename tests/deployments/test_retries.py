"""What is asked again, and what only a failure costs."""

import gc
from collections.abc import Iterator

import pytest
import stamina

from deployments.retries import with_retries

ATTEMPTS = 3


@pytest.fixture(autouse=True)
def no_wait_between_attempts() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS):
        yield


class Attempts:
    """Fails with `errors`, one after the other, and gives `whole` then; `log` has their numbers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.log: list[int] = []

    async def run(self) -> str:
        return await with_retries(self._attempt, on=KeyError, attempts=ATTEMPTS)

    async def _attempt(self, number: int) -> str:
        self.log.append(number)
        if self._errors:
            raise self._errors.pop(0)
        return "whole"


async def test_what_failed_is_attempted_again() -> None:
    attempts = Attempts(KeyError(1), KeyError(2))
    assert await attempts.run() == "whole"
    assert attempts.log == [1, 2, 3]


async def test_the_last_failure_is_raised() -> None:
    attempts = Attempts(*(KeyError(n) for n in range(ATTEMPTS)))
    with pytest.raises(KeyError, match="2"):
        await attempts.run()
    assert attempts.log == [1, 2, 3]


async def test_another_failure_is_raised_at_once() -> None:
    attempts = Attempts(ValueError("other"))
    with pytest.raises(ValueError, match="other"):
        await attempts.run()
    assert attempts.log == [1]


async def test_what_does_not_fail_leaves_nothing_to_collect() -> None:
    attempts = Attempts()
    gc.collect()
    gc.disable()
    try:
        await attempts.run()
        assert gc.collect() == 0
    finally:
        gc.enable()

"""Bodies of requests: large ones are parsed in another thread."""

import subprocess
import sys
import threading

import pytest

from web.parsing import LARGE_BYTES, SWITCH_SECONDS, parsed


@pytest.mark.parametrize(("size", "in_loop"), [(LARGE_BYTES, True), (LARGE_BYTES + 1, False)])
async def test_only_a_large_body_is_parsed_in_a_thread(size: int, in_loop: bool) -> None:
    loop = threading.get_ident()
    assert await parsed(bytes(size), lambda body: (len(body), threading.get_ident() == loop)) == (size, in_loop)


async def test_a_failure_is_raised_as_it_is() -> None:
    def refuse(body: bytes) -> None:
        raise ValueError(len(body))

    with pytest.raises(ValueError, match="100001"):
        await parsed(bytes(LARGE_BYTES + 1), refuse)


def test_the_event_loop_soon_gets_the_interpreter_back_from_a_large_body() -> None:
    code = (
        "import asyncio, sys\nfrom web.parsing import LARGE_BYTES, parsed\n"
        "asyncio.run(parsed(bytes(LARGE_BYTES + 1), len))\nprint(sys.getswitchinterval())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(told.stdout) == SWITCH_SECONDS

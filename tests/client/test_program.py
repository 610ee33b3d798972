"""`python -m client` as people run it: a process of its own, a server with canned answers, pipes and a terminal."""

import os
import pty
import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from gateway.events import (
    Event,
    PromptSummaryDelta,
    PromptSummaryDone,
    ReasoningDelta,
    ReasoningDone,
    ReasoningSummaryDone,
    ReasoningSummaryPart,
    ResponseDelta,
    ResponseDone,
    Span,
    StreamCompleted,
    StreamStarted,
    Timings,
    Usage,
)
from gateway.wire import native
from tests.fakes.canned_server import CannedServer
from tests.fakes.native import stream as sent

pytestmark = pytest.mark.slow  # each test starts a process

Serve = Callable[..., CannedServer]
Run = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[bytes]"]

STARTED = StreamStarted(sequence_number=0, id="rsn-1", model="tiny", created=1)
COMPLETED = StreamCompleted(
    sequence_number=9,
    finish_reason="stop",
    usage=Usage(prompt_tokens=5, completion_tokens=30, reasoning_tokens=20),
    timings=Timings(total=2.0),
)
ANSWER: list[Event] = [
    STARTED,
    PromptSummaryDelta(sequence_number=1, delta="You ask why."),
    PromptSummaryDone(sequence_number=2, text="You ask why.", written_by="model"),
    ReasoningDelta(sequence_number=3, delta="Hm\u2028hm."),
    ReasoningDone(sequence_number=4, characters=6, tokens=20, seconds=0.5, ended_by="marker"),
    ReasoningSummaryPart(
        sequence_number=5,
        index=0,
        title="Humming",
        text="It hums.",
        span=Span(start=0, end=6),
        written_by="model",
    ),
    ReasoningSummaryDone(sequence_number=6, text="It hums."),
    ResponseDelta(sequence_number=7, delta="Weil es „so“ ist 👍."),
    ResponseDone(sequence_number=8, text="Weil es „so“ ist 👍."),
    COMPLETED,
]
PLAIN = """\
[PROMPT]
You ask why.

[REASONING]
Hm\u2028hm.

[REASONING SUMMARY]
Humming
It hums.

[FINAL RESPONSE]
Weil es „so“ ist 👍.

2.0 s · 30 tokens (20 reasoning) · 15.0 tokens/s
"""


def test_a_pipe_gets_plain_text(serve: Serve, run: Run) -> None:
    assert run("--url", serve(sent(ANSWER)).url, "Why?") == (0, PLAIN, "")


def test_json_prints_one_event_per_line(serve: Serve, run: Run) -> None:
    lines = "".join(native.encode(event).decode() + "\n" for event in ANSWER)
    assert run("--json", "--url", serve(sent(ANSWER)).url, "Why?") == (0, lines, "")


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ((), {}),
        (("--no-reasoning",), {"reasoning": {"trace": False}}),
        (("--budget", "0"), {"reasoning": {"budget": 0}}),
        (("--model", "tiny", "--max-tokens", "9"), {"model": "tiny", "max_tokens": 9}),
    ],
)
def test_each_option_is_sent(serve: Serve, run: Run, options: tuple[str, ...], asked: dict[str, Any]) -> None:
    gateway = serve(sent(ANSWER))
    code, _, errors = run(*options, "--url", gateway.url, "Wörter?")
    assert (code, errors) == (0, "")
    assert gateway.requests == [("/v1/reasoning", {"messages": [{"role": "user", "content": "Wörter?"}], **asked})]


def test_reads_the_prompt_from_stdin_and_the_url_from_the_environment(serve: Serve, run: Run) -> None:
    gateway = serve(sent(ANSWER))
    assert run(stdin="Wörter\nlang?\n".encode(), env={"REASONING_GATEWAY_URL": gateway.url}) == (0, PLAIN, "")
    assert gateway.requests[0][1]["messages"] == [{"role": "user", "content": "Wörter\nlang?\n"}]


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        ((), b" \n", "the prompt is empty"),
        ((), b"\xff", "the prompt is not UTF-8 text"),
        (("--url", "localhost:8000", "hi"), b"", "is not a URL"),
    ],
)
def test_wrong_usage_exits_with_2(run: Run, arguments: tuple[str, ...], stdin: bytes, message: str) -> None:
    code, out, errors = run(*arguments, stdin=stdin)
    assert (code, out) == (2, "")
    assert message in errors


def test_no_prompt_is_read_from_a_terminal(start: Start) -> None:
    controller, terminal = pty.openpty()
    try:
        process = start(stdin=terminal)
        assert process.stderr is not None
        assert b"no prompt" in process.stderr.read()
        assert process.wait() == 2
    finally:
        os.close(controller)
        os.close(terminal)


def test_a_terminal_gets_colours(serve: Serve, start: Start) -> None:
    controller, terminal = pty.openpty()
    try:
        process = start("--url", serve(sent(ANSWER)).url, "Why?", stdout=terminal)
        os.close(terminal)
        shown = read_terminal(controller)
        assert process.wait() == 0
    finally:
        os.close(controller)
    places = [shown.find(text) for text in TERMINAL]
    assert -1 not in places
    assert places == sorted(places)
    erased = r"[^\n]*\n(?:\x1b\[\?25h)?\r\x1b\[1A\x1b\[2K"  # the line of the status, which the next text takes back
    assert re.sub(r"\x1b\[[\d;]+m", "", re.sub(erased, "", shown)) == PLAIN.replace("\n", "\r\n")


TERMINAL = [
    "\x1b[1;36m[PROMPT]\x1b[0m",
    "\x1b[1;35m[REASONING]\x1b[0m",
    "\x1b[2mHm\u2028hm.\x1b[0m",
    "\x1b[1;33m[REASONING SUMMARY]\x1b[0m",
    "\x1b[1mHumming\x1b[0m",
    "\x1b[1;32m[FINAL RESPONSE]\x1b[0m",
    "\x1b[2m2.0 s · ",
]


def read_terminal(controller: int) -> str:
    """All that was written until the last writer closed, which Linux reports as an error."""
    shown = b""
    with suppress(OSError):
        while piece := os.read(controller, 4096):
            shown += piece
    return shown.decode()


def test_the_key_is_read_from_the_environment(serve: Serve, run: Run) -> None:
    gateway = serve(sent([STARTED, COMPLETED]))
    run("--url", gateway.url, "hi", env={"REASONING_GATEWAY_KEY": "sk-1"})
    assert gateway.keys == ["Bearer sk-1"]

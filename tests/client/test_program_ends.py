"""How `python -m client` ends when the answer does not: exit codes, one line on stderr, Ctrl-C, a closed pipe."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable

import pytest

from gateway.errors import Failure
from gateway.events import ReasoningDelta, ResponseDelta, StreamFailed
from gateway.wire import native, sse
from tests.fakes.native import stream as sent

Serve = Callable[..., str]
Run = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[bytes]"]

HUMMING = ReasoningDelta(sequence_number=1, delta="Hm")
FAILED = StreamFailed(
    sequence_number=2,
    error=Failure(type="upstream_error", message="the model\nstopped", stage="upstream", retryable=True),
)


def test_no_server(run: Run) -> None:
    with socket.socket() as bound_but_deaf:
        bound_but_deaf.bind(("127.0.0.1", 0))
        code, out, errors = run("--url", f"http://127.0.0.1:{bound_but_deaf.getsockname()[1]}", "hi")
    assert (code, out) == (3, "")
    assert re.fullmatch(r"error: nobody answers at http://.*refused; start a gateway with `make demo`.*\n", errors)


@pytest.mark.parametrize(("status", "code"), [(400, 2), (503, 1)])
def test_refused(serve: Serve, run: Run, status: int, code: int) -> None:
    body = {"error": {"message": "reasoning.budget: too small", "type": "x", "param": "reasoning.budget"}}
    url = serve(json.dumps(body).encode(), status=status)
    assert run("--url", url, "hi") == (code, "", f"error: HTTP {status}: reasoning.budget: too small\n")


@pytest.mark.parametrize("status", [200, 404])
def test_another_server(serve: Serve, run: Run, status: int) -> None:
    code, out, errors = run("--url", serve(b"<html>\x1b[2J", status, {"Content-Type": "text/html"}), "hi")
    assert (code, out) == (1, "")
    assert errors.endswith("; name the address of a gateway with --url\n")
    assert "\x1b" not in errors


def test_a_failed_stream(serve: Serve, run: Run) -> None:
    url = serve(sent([HUMMING, FAILED]))
    message = "error: the model stopped (upstream_error, at the upstream stage; ask again, it may well succeed)\n"
    assert run("--url", url, "hi") == (1, "[REASONING]\nHm\n", message)


@pytest.mark.parametrize(("options", "length"), [((), {}), (("--json",), {"Content-Length": "9999"})])
def test_cut_off(serve: Serve, run: Run, options: tuple[str, ...], length: dict[str, str]) -> None:
    delta = ResponseDelta(sequence_number=1, delta="Be")
    url = serve(sent([delta]), headers={"Content-Type": sse.MEDIA_TYPE, **length})
    code, out, errors = run(*options, "--url", url, "hi")
    came = native.encode(delta).decode() + "\n" if options else "[FINAL RESPONSE]\nBe\n"
    assert (code, out) == (1, came)
    assert errors.count("\n") == 1
    assert "before its last event" in errors or "before the last event" in errors


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_ctrl_c_cancels_at_the_server(serve: Serve, start: Start, options: tuple[str, ...]) -> None:
    gone = threading.Event()
    url = serve(sent([HUMMING]), endless=True, gone=gone)
    process = start(*options, "--url", url, "hi")
    assert process.stdout is not None and process.stderr is not None
    came = b""
    while b"Hm" not in came:
        came += os.read(process.stdout.fileno(), 4096)
    process.send_signal(signal.SIGINT)
    assert process.stderr.read() == b"\ncancelled\n"
    assert process.wait() == 130
    assert gone.wait(10)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_reader_that_has_enough(serve: Serve, start: Start, options: tuple[str, ...]) -> None:
    process = start(*options, "--url", serve(sent([HUMMING])), stdin=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    assert process.communicate(b"hi")[1] == b""
    assert process.returncode == 141

"""`python -m client` without an answer: exit codes, one line on stderr, Ctrl-C, a closed pipe."""

import json
import os
import re
import signal
import socket
import subprocess
from collections.abc import Callable

import pytest

from gateway.errors import Failure
from gateway.events import ReasoningDelta, ResponseDelta, StreamFailed
from gateway.wire import native, sse
from tests.fakes.canned_server import CannedServer
from tests.fakes.native import stream as sent

pytestmark = pytest.mark.slow  # each test starts a process

Serve = Callable[..., CannedServer]
Run = Callable[..., tuple[int, str, str]]
Start = Callable[..., "subprocess.Popen[bytes]"]

HUMMING = ReasoningDelta(sequence_number=1, delta="Hm")
FAILED = StreamFailed(
    sequence_number=2,
    error=Failure(type="upstream_error", message="the model\nstopped", stage="upstream", retryable=True),
)


def test_no_server_exits_with_3(run: Run) -> None:
    with socket.socket() as not_listening:
        not_listening.bind(("127.0.0.1", 0))
        code, out, errors = run("--url", f"http://127.0.0.1:{not_listening.getsockname()[1]}", "hi")
    assert (code, out) == (3, "")
    next_step = "start a gateway with `reasoning-gateway up`, or name another with --url"
    assert re.fullmatch(rf"error: no server answers at http://.*refused; {next_step}\n", errors)


@pytest.mark.parametrize(("status", "code"), [(400, 2), (503, 1)])
def test_a_refusal_is_one_line(serve: Serve, run: Run, status: int, code: int) -> None:
    body = {"error": {"message": "reasoning.budget: too small", "type": "x", "param": "reasoning.budget"}}
    url = serve(json.dumps(body).encode(), status=status).url
    assert run("--url", url, "hi") == (code, "", f"error: HTTP {status}: reasoning.budget: too small\n")


@pytest.mark.parametrize("status", [200, 404])
def test_another_server_is_named_as_the_problem(serve: Serve, run: Run, status: int) -> None:
    code, out, errors = run("--url", serve(b"<html>\x1b[2J", status, {"Content-Type": "text/html"}).url, "hi")
    assert (code, out) == (1, "")
    assert errors.endswith("; name the address of a gateway with --url\n")
    assert "\x1b" not in errors


def test_a_failed_stream_exits_with_1(serve: Serve, run: Run) -> None:
    url = serve(sent([HUMMING, FAILED])).url
    message = "error: the model stopped (upstream_error, at the upstream stage; asking again may succeed)\n"
    assert run("--url", url, "hi") == (1, "[REASONING]\nHm\n", message)


@pytest.mark.parametrize(("options", "length"), [((), {}), (("--json",), {"Content-Length": "9999"})])
def test_a_cut_stream_exits_with_1(serve: Serve, run: Run, options: tuple[str, ...], length: dict[str, str]) -> None:
    delta = ResponseDelta(sequence_number=1, delta="Be")
    url = serve(sent([delta]), headers={"Content-Type": sse.MEDIA_TYPE, **length}).url
    code, out, errors = run(*options, "--url", url, "hi")
    came = native.encode(delta).decode() + "\n" if options else "[FINAL RESPONSE]\nBe\n"
    assert (code, out) == (1, came)
    assert errors.count("\n") == 1
    assert "before its last event" in errors or "before the last event" in errors
    assert errors.endswith("; what has arrived is incomplete, so ask again\n")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_ctrl_c_cancels_at_the_server(serve: Serve, start: Start, options: tuple[str, ...]) -> None:
    gateway = serve(sent([HUMMING]), endless=True)
    process = start(*options, "--url", gateway.url, "hi")
    assert process.stdout is not None and process.stderr is not None
    came = b""
    while b"Hm" not in came:
        came += os.read(process.stdout.fileno(), 4096)
    process.send_signal(signal.SIGINT)
    assert process.stderr.read() == b"\ncancelled\n"
    assert process.wait() == 130
    assert gateway.disconnected.wait(10)


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_closed_pipe_exits_with_141_silently(serve: Serve, start: Start, options: tuple[str, ...]) -> None:
    process = start(*options, "--url", serve(sent([HUMMING])).url, stdin=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    assert process.communicate(b"hi")[1] == b""
    assert process.returncode == 141

"""`client.stream` against a server with canned answers on a real socket: what it sends, yields and raises."""

import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

import client
from client import CutOff, NoServer, Refused, StreamError, Unreadable, stream
from gateway.errors import Failure
from gateway.events import Event, ResponseDelta, StreamCompleted, StreamFailed, StreamStarted, Usage
from gateway.wire import sse
from gateway.wire.native import NativeWriter
from tests.fakes.canned_server import CannedServer
from tests.fakes.native import stream as sent

Serve = Callable[..., CannedServer]

STARTED = StreamStarted(sequence_number=0, id="rsn-1", model="tiny", created=1)
HELLO = ResponseDelta(sequence_number=1, delta="Hello")
COMPLETED = StreamCompleted(sequence_number=2, finish_reason="stop", usage=Usage(completion_tokens=3))
FAILED = StreamFailed(
    sequence_number=2,
    error=Failure(type="upstream_error", message="it broke", stage="upstream", retryable=True),
)


def test_exported_names() -> None:
    assert client.__all__ == [
        "CutOff", "Message", "NoServer", "Refused", "StreamError", "Unreadable", "stream"
    ]  # fmt: skip
    assert all(issubclass(error, StreamError) for error in (CutOff, NoServer, Refused, Unreadable))


@pytest.mark.parametrize("last", [COMPLETED, FAILED])
def test_yields_events_up_to_the_last_one(serve: Serve, last: Event) -> None:
    after_the_end = sent([HELLO])
    assert list(stream(serve(sent([STARTED, HELLO, last]) + after_the_end).url, "hi")) == [
        STARTED,
        HELLO,
        last,
    ]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_unicode_line_separators_are_text(serve: Serve, separator: str) -> None:
    events: list[Event] = [STARTED, ResponseDelta(sequence_number=1, delta=f"one{separator}two"), COMPLETED]
    body = sent(events)
    assert separator.encode() in body
    assert list(stream(serve(body).url, "hi")) == events


@pytest.mark.parametrize("end_of_line", [b"\n", b"\r\n", b"\r"])
def test_accepts_every_line_end_and_ignores_comments(serve: Serve, end_of_line: bytes) -> None:
    body = sse.PING + sent([STARTED]) + sse.PING + b"retry: 5\n\nid: 7\n\n" + sent([COMPLETED])
    assert list(stream(serve(body.replace(b"\n", end_of_line)).url, "hi")) == [STARTED, COMPLETED]


def test_a_sign_of_life_is_no_event(serve: Serve) -> None:
    alive = NativeWriter().keep_alive()
    body = alive + sent([STARTED]) + sse.PING + alive + alive + sent([COMPLETED])
    assert list(stream(serve(body).url, "hi")) == [STARTED, COMPLETED]


def test_a_prompt_is_sent_as_one_message_without_options(serve: Serve) -> None:
    gateway = serve(sent([COMPLETED]))
    list(stream(gateway.url + "/", "Why?"))
    assert gateway.requests == [("/v1/reasoning", {"messages": [{"role": "user", "content": "Why?"}]})]


def test_sends_messages_and_every_option(serve: Serve) -> None:
    gateway = serve(sent([COMPLETED]))
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Wörter \u2028?"}]
    sampling: dict[str, Any] = {"max_tokens": 9, "temperature": 0.0, "top_p": 0.5, "stop": ["END"], "seed": 0}
    reasoning: dict[str, Any] = {"budget": 0, "trace": False, "summary": "final", "order": "eager"}
    list(stream(gateway.url, messages, model="tiny", prompt_summary=False, **sampling, **reasoning))
    assert gateway.requests[0][1] == {
        "messages": messages,
        "model": "tiny",
        **sampling,
        "reasoning": reasoning,
        "prompt_summary": False,
    }


def test_sends_the_key_if_there_is_one(serve: Serve) -> None:
    gateway = serve(sent([COMPLETED]))
    list(stream(gateway.url, "hi", key="sk-1"))
    list(stream(gateway.url, "hi"))
    assert gateway.keys == ["Bearer sk-1", None]


def test_no_server_raises_no_server() -> None:
    with socket.socket() as not_listening:
        not_listening.bind(("127.0.0.1", 0))
        port = not_listening.getsockname()[1]
        with pytest.raises(NoServer, match=rf"no server answers at http://127\.0\.0\.1:{port}/.*refused"):
            list(stream(f"http://127.0.0.1:{port}", "hi"))


def test_loopback_is_asked_without_a_proxy(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert list(stream(serve(sent([COMPLETED])).url, "hi")) == [COMPLETED]


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "http://host:port", ""])
def test_a_bad_url_raises_value_error(url: str) -> None:
    with pytest.raises(ValueError, match="is not a URL"):
        next(stream(url, "hi"))


def test_a_refusal_has_the_gateways_error(serve: Serve) -> None:
    error = {"message": "budget: too small", "type": "invalid_request_error", "param": "reasoning.budget"}
    with pytest.raises(Refused, match="HTTP 400: budget: too small") as caught:
        list(stream(serve(json.dumps({"error": error}).encode(), status=400).url, "hi"))
    refused = caught.value
    assert (refused.status, refused.message, refused.type, refused.param) == (400, *error.values())


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"Path '/v1/reasoning' not found.", "Path '/v1/reasoning' not found."),
        (b"", "Not Found"),
        (b"[]", "[]"),
    ],
)
def test_a_refusal_without_an_error_object_has_the_body(serve: Serve, body: bytes, message: str) -> None:
    with pytest.raises(Refused) as caught:
        list(stream(serve(body, status=404, headers={"Content-Type": "text/plain"}).url, "hi"))
    assert (caught.value.status, caught.value.message, caught.value.type) == (404, message, None)


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"<html>", "text/html"),
        (b"data: [DONE]\n\n", sse.MEDIA_TYPE),
        (b'data: {"type": "x"}\n\n', sse.MEDIA_TYPE),
    ],
)
def test_an_answer_of_another_server_is_unreadable(serve: Serve, body: bytes, media_type: str) -> None:
    with pytest.raises(Unreadable):
        list(stream(serve(body, headers={"Content-Type": media_type}).url, "hi"))


def test_an_event_of_a_newer_gateway_is_skipped(serve: Serve) -> None:
    body = sse.encode("reasoning_summary.mood", b'{"type":"reasoning_summary.mood","sequence_number":1}')
    events: list[Event] = [StreamStarted(id="rsn-1", model="m", created=1), FAILED]
    first, last = (NativeWriter().stream([event]) for event in events)
    server = serve(first + body + last, headers={"Content-Type": sse.MEDIA_TYPE})
    assert [event.type for event in stream(server.url, "hi")] == ["stream.started", "stream.failed"]


@pytest.mark.parametrize("length", [{}, {"Content-Length": "9999"}], ids=["ended", "broken off"])
def test_a_stream_without_a_last_event_is_cut_off(serve: Serve, length: dict[str, str]) -> None:
    half_an_event = sent([COMPLETED])[:-1]
    url = serve(sent([STARTED, HELLO]) + half_an_event, headers={"Content-Type": sse.MEDIA_TYPE, **length}).url
    received: list[Event] = []
    with pytest.raises(CutOff):
        received.extend(_received_into(received, url))
    assert received == [STARTED, HELLO]


def _received_into(received: list[Event], url: str) -> list[Event]:
    for event in stream(url, "hi"):
        received.append(event)
    return []


def test_closing_the_stream_closes_the_connection(serve: Serve) -> None:
    gateway = serve(sent([STARTED]), endless=True)
    events = stream(gateway.url, "hi")
    assert next(events) == STARTED
    events.close()
    assert gateway.disconnected.wait(10)

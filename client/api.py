"""A small Python client: one function that posts a conversation and yields the events as they arrive.

Its exceptions:

    StreamError
    ├── NoServer      no server answers at the address
    ├── Refused       an HTTP error before the first event: `status`, `message`, `type`, `param`
    ├── Unreadable    the server's answer is not a stream of the gateway's events
    └── CutOff        the stream ended without a last event

`stream.failed` raises no exception: it is the last event, and the events before it are valid. Knows nothing of
terminals.
"""

from collections.abc import Generator, Mapping, Sequence
from typing import Any, Literal

import httpx
import orjson
from httpx_sse import EventSource, SSEError, connect_sse

from gateway.events import LAST_EVENTS, Event
from gateway.wire import native

Message = Mapping[str, Any]

# No read timeout: a model may think, or wait in a queue, for minutes, and the gateway sends comments meanwhile.
TIMEOUT = httpx.Timeout(None, connect=5.0)
# Never through a proxy of the environment: it could not reach this machine's loopback.
NO_PROXY: dict[str, None] = {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}
EXCERPT_CHARACTERS = 200
"""Length to which an error body that is not OpenAI's is shortened in a message."""


class StreamError(Exception):
    """The base of all exceptions of `stream`. Its text is one line for the user."""


class NoServer(StreamError):
    """No server answers at the address."""


class Unreadable(StreamError):
    """The server's answer is not a stream of the gateway's events."""


class CutOff(StreamError):
    """The stream ended without a last event: the gateway that made it has died, or the network failed.

    The events before it are valid. A stream cannot be taken up again: ask anew.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; what has arrived is incomplete, so ask again")


class Refused(StreamError):
    """An HTTP error. `param` is the field at fault; `type` is None if the body is not OpenAI's error object."""

    def __init__(self, status: int, message: str, type: str | None = None, param: str | None = None) -> None:
        super().__init__(f"HTTP {status}: {message}")
        self.status, self.message, self.type, self.param = status, message, type, param


def stream(
    url: str,
    prompt: str | Sequence[Message],
    *,
    model: str | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    stop: str | Sequence[str] | None = None,
    seed: int | None = None,
    budget: int | None = None,
    trace: bool | None = None,
    summary: Literal["live", "final", "none"] | None = None,
    headline: bool | None = None,
    order: Literal["strict", "eager"] | None = None,
    prompt_summary: bool | None = None,
    key: str | None = None,
) -> Generator[Event]:
    """Ask the gateway at `url` (such as "http://127.0.0.1:8000") and yield its events, up to and with the last one.

    `prompt` is a question, or messages in OpenAI's format; `key` is one of the gateway's keys, if it has any. The
    gateway chooses the options that are None. `budget` and `max_tokens` are in tokens. The request is sent at the first
    `next()`; `close()` closes the connection, which cancels the generation.
    Raises StreamError, and ValueError if `url` is not an http or https URL.
    """
    reasoning = {"budget": budget, "trace": trace, "summary": summary, "headline": headline, "order": order}
    body = {
        "messages": [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt),
        "model": model,
        "max_tokens": max_tokens,
        "temperature": temperature,
        "top_p": top_p,
        "stop": stop,
        "seed": seed,
        "reasoning": _without_none(reasoning) or None,
        "prompt_summary": prompt_summary,
    }
    yield from _post(endpoint(url), orjson.dumps(_without_none(body)), key)


def endpoint(url: str) -> httpx.URL:
    """Return the address to post to. Raises ValueError if `url` is not an http or https URL."""
    try:
        base = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"{url!r} is not a URL: {error}") from None
    if base.scheme not in ("http", "https") or not base.host:
        raise ValueError(f"{url!r} is not a URL like http://127.0.0.1:8000")
    return base.copy_with(path=base.path.rstrip("/") + "/v1/reasoning")


def _without_none(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _post(url: httpx.URL, body: bytes, key: str | None) -> Generator[Event]:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    try:
        with (
            httpx.Client(timeout=TIMEOUT, mounts=NO_PROXY) as http,
            connect_sse(http, "POST", str(url), content=body, headers=headers) as source,
        ):
            _raise_for_error(source.response)
            yield from _events(source)
    except SSEError as error:
        raise Unreadable(f"there is no gateway at {url}: {error}") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise NoServer(f"no server answers at {url}: {error}") from error
    except httpx.RequestError as error:
        raise CutOff(f"the connection broke before the last event: {error}") from error


def _raise_for_error(response: httpx.Response) -> None:
    if not response.is_success:
        response.read()
        raise _refused(response)


def _refused(response: httpx.Response) -> Refused:
    match _json(response.content):
        case {"error": {"message": str(message)} as error}:
            return Refused(response.status_code, message, error.get("type"), error.get("param"))
        case _:
            return Refused(response.status_code, response.text[:EXCERPT_CHARACTERS].strip() or response.reason_phrase)


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _events(source: EventSource) -> Generator[Event]:
    # EventSource splits lines at CR and LF only; httpx's iter_lines would split JSON at U+2028 and similar characters.
    begun = False
    for message in source.iter_sse():
        if not message.data or message.event == native.PING_NAME:
            continue
        try:
            event = native.decode(message.data)
        except ValueError as error:
            if begun and isinstance(error, native.UnknownEvent):
                continue  # of a newer gateway
            raise Unreadable(f"this client does not know an event: {error}") from error
        begun = True
        yield event
        if isinstance(event, LAST_EVENTS):
            return
    raise CutOff("the stream ended before its last event")

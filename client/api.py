"""A small Python client: one function, which posts a conversation and yields the events as they come.

Its failures:

    StreamError
    ├── NoServer      nobody answers at the address
    ├── Refused       an HTTP error before the first event: `status`, `message`, `type`, `param`
    ├── Unreadable    what answers does not speak the gateway's events
    └── CutOff        the stream ended without a last event

A `stream.failed` is no exception but the last event, since what came before it stands. Knows nothing of
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

# A model may think, or wait for its turn, for longer than any read timeout worth having.
TIMEOUT = httpx.Timeout(None, connect=5.0)
# A proxy from the environment cannot reach this machine's own loopback.
DIRECT: dict[str, None] = {"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None}
EXCERPT = 200


class StreamError(Exception):
    """Base of what `stream` raises; its text is one line for people."""


class NoServer(StreamError):
    pass


class Unreadable(StreamError):
    pass


class CutOff(StreamError):
    pass


class Refused(StreamError):
    """`param` is the field at fault; `type` is None where the body is not OpenAI's error object."""

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
    order: Literal["strict", "eager"] | None = None,
    prompt_summary: bool | None = None,
    key: str | None = None,
) -> Generator[Event]:
    """Ask the gateway at `url` (as "http://127.0.0.1:8000") and yield its events until a last one.

    `prompt` is one question, or messages in OpenAI's shape; `key` is one that the gateway knows, where it has keys.
    What is None is left to the gateway. The request goes out at the first `next()`; `close()` closes the connection,
    which cancels generation.
    Raises StreamError, and ValueError for a `url` that is not http or https.
    """
    reasoning = {"budget": budget, "trace": trace, "summary": summary, "order": order}
    body = {
        "messages": [{"role": "user", "content": prompt}] if isinstance(prompt, str) else list(prompt),
        "model": model,
        "max_tokens": max_tokens,
        "temperature": temperature,
        "top_p": top_p,
        "stop": stop,
        "seed": seed,
        "reasoning": _given(reasoning) or None,
        "prompt_summary": prompt_summary,
    }
    yield from _post(endpoint(url), orjson.dumps(_given(body)), key)


def endpoint(url: str) -> httpx.URL:
    """The address to post to. Raises ValueError where `url` is not one of http or https."""
    try:
        base = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"{url!r} is not a URL: {error}") from None
    if base.scheme not in ("http", "https") or not base.host:
        raise ValueError(f"{url!r} is not a URL like http://127.0.0.1:8000")
    return base.copy_with(path=base.path.rstrip("/") + "/v1/reasoning")


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _post(url: httpx.URL, body: bytes, key: str | None) -> Generator[Event]:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    try:
        with (
            httpx.Client(timeout=TIMEOUT, mounts=DIRECT) as http,
            connect_sse(http, "POST", str(url), content=body, headers=headers) as source,
        ):
            _accept(source.response)
            yield from _events(source)
    except SSEError as error:
        raise Unreadable(f"no gateway at {url}: {error}") from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        raise NoServer(f"nobody answers at {url}: {error}") from error
    except httpx.RequestError as error:
        raise CutOff(f"the connection broke before the last event: {error}") from error


def _accept(response: httpx.Response) -> None:
    if not response.is_success:
        response.read()
        raise _refusal(response)


def _refusal(response: httpx.Response) -> Refused:
    match _json(response.content):
        case {"error": {"message": str(message)} as error}:
            return Refused(response.status_code, message, error.get("type"), error.get("param"))
        case _:
            return Refused(response.status_code, response.text[:EXCERPT].strip() or response.reason_phrase)


def _json(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return None


def _events(source: EventSource) -> Generator[Event]:
    # EventSource cuts lines at CR and LF alone; httpx's iter_lines would cut JSON at U+2028 and its like.
    for message in source.iter_sse():
        if not message.data:
            continue
        try:
            event = native.decode(message.data)
        except ValueError as error:
            raise Unreadable(f"an event that this client does not know: {error}") from error
        yield event
        if isinstance(event, LAST_EVENTS):
            return
    raise CutOff("the stream ended before its last event")

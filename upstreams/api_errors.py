"""An API's refusal over HTTP: status and body to a failure of ours, which says whether to ask again and when.

Knows nothing of what was asked.
"""

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from gateway.errors import UpstreamNotAStream, UpstreamRateLimited, UpstreamUnavailable
from gateway.wire import sse
from gateway.wire.chat_errors import read_error, refused
from upstreams.api_client import ApiResponse, Undecodable

ERROR_BYTES = 20_000
"""The most bytes of a refusal that are read for its message."""


async def check(response: ApiResponse, key: str) -> None:
    """Raise an UpstreamError unless the status is 200 and the body an event stream. `key` is masked in its message."""
    kind = response.headers.get("content-type", sse.MEDIA_TYPE).lower()
    if response.status == HTTPStatus.OK and kind.startswith("text/event-stream"):
        return
    body = await _beginning(response)
    error = read_error(body.replace(key.encode(), "…".encode()) if key else body, response.status)
    if response.status == HTTPStatus.OK:
        raise UpstreamNotAStream(f"the upstream answered with {kind} instead of an event stream: {error.reason}")
    message = f"the upstream answered {response.status}: {error.reason}"
    if response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise UpstreamRateLimited(message, _retry_after(response))
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise UpstreamUnavailable(message, _retry_after(response))
    raise refused(response.status, error)


async def _beginning(response: ApiResponse) -> bytes:
    body = b""
    with suppress(Undecodable):
        while len(body) <= ERROR_BYTES and (chunk := await response.read()):
            body += chunk
    return body[:ERROR_BYTES]


def _retry_after(response: ApiResponse) -> float | None:
    """Return the seconds that the API asks to wait, from either form of the header (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "")
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when - datetime.now(UTC)).total_seconds()) if when.tzinfo else None

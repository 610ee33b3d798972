"""How an API says no over HTTP: its status and body to a failure of ours, which says whether to ask again and when.

Knows nothing of Ray, nor of what was asked.
"""

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from gateway.errors import UpstreamNotAStream, UpstreamRateLimited, UpstreamRefused, UpstreamUnavailable
from gateway.wire import sse
from gateway.wire.chat_chunks import said
from upstreams.api_client import ApiResponse, Undecodable

ERROR_BYTES = 20_000


async def check(answer: ApiResponse, key: str) -> None:
    """Raises what stands for a status other than 200, or for a body that is no event stream."""
    kind = answer.headers.get("content-type", sse.MEDIA_TYPE).lower()
    if answer.status == HTTPStatus.OK and kind.startswith("text/event-stream"):
        return
    reason = said(await _beginning(answer))
    reason = reason.replace(key, "…") if key else reason
    if answer.status == HTTPStatus.OK:
        raise UpstreamNotAStream(f"the upstream answered with {kind} instead of an event stream: {reason}")
    message = f"the upstream answered {answer.status}: {reason}"
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise UpstreamRateLimited(message, _retry_after(answer))
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise UpstreamUnavailable(message, _retry_after(answer))
    raise UpstreamRefused(message)


async def _beginning(answer: ApiResponse) -> bytes:
    body = b""
    with suppress(Undecodable):
        while len(body) <= ERROR_BYTES and (chunk := await answer.read()):
            body += chunk
    return body[:ERROR_BYTES]


def _retry_after(answer: ApiResponse) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3)."""
    value = answer.headers.get("retry-after", "")
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when - datetime.now(UTC)).total_seconds()) if when.tzinfo else None

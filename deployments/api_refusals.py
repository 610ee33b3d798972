"""How an API says no over HTTP: its status and body to a failure of ours, which says whether to ask again and when.

Knows nothing of Ray, nor of what was asked.
"""

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from gateway.errors import UpstreamNotAStream, UpstreamRateLimited, UpstreamRefused, UpstreamUnavailable
from gateway.wire import sse
from gateway.wire.chat_chunks import said

ERROR_BYTES = 20_000


async def check(response: httpx.Response, key: str) -> None:
    """Raises what stands for a status other than 200, or for a body that is no event stream."""
    kind = response.headers.get("content-type", sse.MEDIA_TYPE).lower()
    if response.status_code == httpx.codes.OK and kind.startswith("text/event-stream"):
        return
    reason = said(await _beginning(response))
    reason = reason.replace(key, "…") if key else reason
    if response.status_code == httpx.codes.OK:
        raise UpstreamNotAStream(f"the upstream answered with {kind} instead of an event stream: {reason}")
    message = f"the upstream answered {response.status_code}: {reason}"
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise UpstreamRateLimited(message, _retry_after(response))
    if response.is_server_error:
        raise UpstreamUnavailable(message, _retry_after(response))
    raise UpstreamRefused(message)


async def _beginning(response: httpx.Response) -> bytes:
    body = b""
    with suppress(httpx.DecodingError):
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > ERROR_BYTES:
                break
    return body[:ERROR_BYTES]


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3)."""
    value = response.headers.get("retry-after", "")
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when - datetime.now(UTC)).total_seconds()) if when.tzinfo else None

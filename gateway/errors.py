"""The failures of the gateway, its clients and its upstreams, as a tree of exceptions.

    GatewayError
    ├── ClientError              the client's fault; `stage` is "request"
    │   ├── InvalidRequest         400: a field is wrong; `param` names it
    │   ├── ContextTooLong         400: the prompt does not fit the context window
    │   ├── InvalidKey             401: no key, or an unknown one
    │   ├── PermissionDenied       403: there are no keys, and the request is a foreign page's or for a foreign host
    │   ├── UnknownModel           404: no upstream serves that model
    │   ├── RequestTimeout         408: the rest of the request did not come in time
    │   ├── RequestTooLarge        413: the body is larger than the limit
    │   ├── UnknownEncoding        415: the body has a Content-Encoding that is not decoded here
    │   ├── TooManyStreams         429: too many concurrent streams for this key
    │   └── ClientTooSlow          the client does not read its stream
    ├── UpstreamError            502: the model or the API that serves it failed; `stage` is "upstream"
    │   ├── UpstreamUnreachable    no connection, or it was lost before the first byte
    │   ├── UpstreamRateLimited    it answered 429
    │   ├── UpstreamUnavailable    it answered 5xx
    │   ├── UpstreamRejected       400, 413 or 422, as it answered: the request is wrong, in its own words
    │   ├── UpstreamModelUnknown   404: it does not know the model
    │   ├── UpstreamKeyRefused     it answered 401, 402 or 403: it refuses the gateway's own key
    │   ├── UpstreamRefused        it answered with any other status
    │   ├── UpstreamTimeout        504: no first byte in time
    │   ├── UpstreamSilent         nothing more came in the middle of a stream
    │   ├── UpstreamCut            the connection ended before the answer did
    │   ├── UpstreamEndless        it went on beyond the limits of an answer, without a response
    │   ├── UpstreamNotAStream     something other than an event stream came, such as an HTML page
    │   └── UpstreamNotJson        a chunk is not a JSON object
    └── OurError                 the gateway's own fault
        ├── Overloaded             503: too many requests at once
        ├── Stopping               503: the gateway is being stopped
        ├── NotReady               503: the model is still loading
        ├── ModelUnavailable       503: the model's files could not be fetched, checked or converted
        └── OrderViolation         500: an event is out of order; raised before a byte is sent

Knows nothing of HTTP beyond the status of a failure.
"""

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Literal

Stage = Literal["request", "upstream", "parser", "session", "delivery"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A failure as data, as it travels between deployments and is sent in `stream.failed`.

    `type` is one of the snake_case names below, `message` says what to do next, `retryable` whether the same request
    may succeed later. `status` is its HTTP status if the stream has not begun, `param` the field at fault. `code` is an
    API's own word for its failure; it defaults to the type.
    """

    type: str
    message: str
    stage: Stage
    retryable: bool = False
    status: int = 500
    param: str | None = None
    code: str = ""

    def __post_init__(self) -> None:
        if not self.code:
            object.__setattr__(self, "code", self.type)


class GatewayError(Exception):
    """The base of all failures; `failure()` returns it as data."""

    type: ClassVar[str] = "internal_error"
    stage: ClassVar[Stage] = "session"
    status: int = 500
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, param: str | None = None, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code

    def failure(self) -> Failure:
        return Failure(
            type=self.type,
            message=self.message,
            stage=self.stage,
            retryable=self.retryable,
            status=self.status,
            param=self.param,
            code=self.code,
        )


class ClientError(GatewayError):
    type = "invalid_request_error"
    stage: ClassVar[Stage] = "request"
    status = 400


class InvalidRequest(ClientError):
    pass


class ContextTooLong(ClientError):
    type = "context_length_exceeded"


class UnknownModel(ClientError):
    type = "model_not_found"
    status = 404


class InvalidKey(ClientError):
    type = "invalid_api_key"
    status = 401


class PermissionDenied(ClientError):
    type = "permission_denied"
    status = 403


class RequestTimeout(ClientError):
    type = "request_timeout"
    status = 408
    retryable = True


class RequestTooLarge(ClientError):
    type = "request_too_large"
    status = 413


class UnknownEncoding(ClientError):
    type = "unsupported_media_type"
    status = 415


class TooManyStreams(ClientError):
    type = "rate_limit_exceeded"
    status = 429
    retryable = True


class ClientTooSlow(ClientError):
    type = "client_too_slow"
    stage = "delivery"
    status = 408


class UpstreamError(GatewayError):
    type = "upstream_error"
    stage = "upstream"
    status = 502
    retryable = True


class BeforeFirstByte(UpstreamError):
    """A failure after which the request may be sent again, `retry_after` seconds later if the API asked for that."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UpstreamUnreachable(BeforeFirstByte):
    type = "upstream_unreachable"


class UpstreamRateLimited(BeforeFirstByte):
    type = "upstream_rate_limited"
    status = 503


class UpstreamUnavailable(BeforeFirstByte):
    type = "upstream_unavailable"


class UpstreamRejected(UpstreamError):
    """The client's mistake, as the API sees it: its status, its message, and its code and its param if it has them."""

    type = "invalid_request_error"
    retryable = False

    def __init__(self, message: str, status: int, param: str | None = None, code: str = "") -> None:
        super().__init__(message, param, code)
        self.status = status


class UpstreamModelUnknown(UpstreamError):
    type = "model_not_found"
    status = 404
    retryable = False


class UpstreamKeyRefused(UpstreamError):
    type = "upstream_key_refused"
    retryable = False


class UpstreamRefused(UpstreamError):
    type = "upstream_refused"
    retryable = False


class UpstreamTimeout(UpstreamError):
    type = "upstream_timeout"
    status = 504


class UpstreamSilent(UpstreamError):
    type = "upstream_silent"


class UpstreamCut(UpstreamError):
    type = "upstream_cut"


class UpstreamEndless(UpstreamError):
    type = "upstream_endless"
    retryable = False


class UpstreamNotAStream(UpstreamError):
    type = "upstream_not_a_stream"
    retryable = False


class UpstreamNotJson(UpstreamError):
    type = "upstream_not_json"
    retryable = False


class OurError(GatewayError):
    pass


class Overloaded(OurError):
    type = "overloaded"
    stage = "request"
    status = 503
    retryable = True


class Stopping(OurError):
    type = "stopping"
    stage = "delivery"
    status = 503
    retryable = True


class NotReady(OurError):
    type = "not_ready"
    stage = "request"
    status = 503
    retryable = True


class ModelUnavailable(OurError):
    type = "model_unavailable"
    stage = "upstream"
    status = 503


class OrderViolation(OurError):
    type = "order_violation"


class Failed(GatewayError):
    """A failure that came as data from another deployment, raised again here."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message, failure.param)
        self._failure = failure

    def failure(self) -> Failure:
        return self._failure


def cancelling() -> bool:
    """Return whether this task is being cancelled.

    A CancelledError can also come from something that the task waits for, and is a failure like any other then.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

"""The failures of a model, or of the API that serves it."""

from gateway.errors.base import GatewayError


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

"""The failures that are the client's fault."""

from typing import ClassVar

from gateway.errors.base import GatewayError, Stage


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

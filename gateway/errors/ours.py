"""The failures that are the gateway's own fault."""

from gateway.errors.base import GatewayError


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

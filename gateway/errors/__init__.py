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

from gateway.errors.base import (
    Failed,
    Failure,
    GatewayError,
    Stage,
)
from gateway.errors.client import (
    ClientError,
    ClientTooSlow,
    ContextTooLong,
    InvalidKey,
    InvalidRequest,
    PermissionDenied,
    RequestTimeout,
    RequestTooLarge,
    TooManyStreams,
    UnknownEncoding,
    UnknownModel,
)
from gateway.errors.ours import (
    ModelUnavailable,
    NotReady,
    OrderViolation,
    OurError,
    Overloaded,
    Stopping,
)
from gateway.errors.upstream import (
    BeforeFirstByte,
    UpstreamCut,
    UpstreamEndless,
    UpstreamError,
    UpstreamKeyRefused,
    UpstreamModelUnknown,
    UpstreamNotAStream,
    UpstreamNotJson,
    UpstreamRateLimited,
    UpstreamRefused,
    UpstreamRejected,
    UpstreamSilent,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)

__all__ = [
    "BeforeFirstByte",
    "ClientError",
    "ClientTooSlow",
    "ContextTooLong",
    "Failed",
    "Failure",
    "GatewayError",
    "InvalidKey",
    "InvalidRequest",
    "ModelUnavailable",
    "NotReady",
    "OrderViolation",
    "OurError",
    "Overloaded",
    "PermissionDenied",
    "RequestTimeout",
    "RequestTooLarge",
    "Stage",
    "Stopping",
    "TooManyStreams",
    "UnknownEncoding",
    "UnknownModel",
    "UpstreamCut",
    "UpstreamEndless",
    "UpstreamError",
    "UpstreamKeyRefused",
    "UpstreamModelUnknown",
    "UpstreamNotAStream",
    "UpstreamNotJson",
    "UpstreamRateLimited",
    "UpstreamRefused",
    "UpstreamRejected",
    "UpstreamSilent",
    "UpstreamTimeout",
    "UpstreamUnavailable",
    "UpstreamUnreachable",
]

"""The OpenAPI document of the routes: their requests and refusals, which FastAPI cannot see in their signatures."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from gateway.requests.base import BaseRequest
from gateway.wire import sse

ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": "string"},
            },
        }
    },
}
STREAMED = {
    "type": "object",
    "required": ["data"],
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
}
"""A server-sent event."""
REFUSALS = {
    400: "Invalid request; `param` names the field",
    401: "Missing or unknown key",
    403: "There are no keys, and the request comes from a page of another origin or is for another host",
    404: "Unknown model",
    413: "The request is too large",
    415: "The request has a Content-Encoding that is not decoded",
    422: "Invalid request, in the words of the upstream",
    429: "Too many concurrent streams for this key",
    502: "The upstream failed",
    503: "The gateway is overloaded, or the model is still loading",
    504: "The upstream did not answer in time",
}


def documented(request: type[BaseRequest] | None = None, refusals: Sequence[int] = tuple(REFUSALS)) -> dict[str, Any]:
    """Return the arguments of a FastAPI route: the body that it reads itself, if any, and the statuses of answers."""
    responses: dict[int, Any] = {
        status: {"description": REFUSALS[status], "content": {"application/json": {"schema": ERROR}}}
        for status in refusals
    }
    if request is None:
        return {"responses": responses}
    media = sse.MEDIA_TYPE.partition(";")[0]
    responses[200] = {
        "description": "The answer, as one JSON object or as a stream of server-sent events",
        "content": {"application/json": {"schema": {"type": "object"}}, media: {"schema": STREAMED}},
    }
    body = {"required": True, "content": {"application/json": {"schema": _schema(request)}}}
    return {"responses": responses, "openapi_extra": {"requestBody": body}}


@cache
def _schema(request: type[BaseRequest]) -> Any:
    return _inlined(request.model_json_schema())


def _inlined(schema: dict[str, Any]) -> Any:
    """Return the schema without references: they would be resolved from the root of the document."""
    definitions = schema.pop("$defs", {})

    def inline(part: Any) -> Any:
        match part:
            case {"$ref": str(name), **rest}:
                return inline(definitions[name.rpartition("/")[2]]) | rest
            case dict():
                return {key: inline(value) for key, value in part.items() if key != "discriminator"}
            case list():
                return [inline(value) for value in part]
        return part

    return inline(schema)

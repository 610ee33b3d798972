"""What the OpenAPI document says of the routes, which read their bodies themselves. What Ray adds here: nothing."""

from collections.abc import Sequence
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
    400: "The request is wrong; param names the field",
    401: "No key, or one that is not known",
    404: "No such model",
    429: "As many streams at once as the key may have",
    502: "The upstream failed",
    503: "Too many requests, or the model is not there yet",
    504: "The upstream did not answer in time",
}


def documented(request: type[BaseRequest] | None = None, refusals: Sequence[int] = tuple(REFUSALS)) -> dict[str, Any]:
    """The arguments of a FastAPI route: its body where it has one, and the statuses that it may answer with."""
    responses: dict[int, Any] = {
        status: {"description": REFUSALS[status], "content": {"application/json": {"schema": ERROR}}}
        for status in refusals
    }
    if request is None:
        return {"responses": responses}
    media = sse.MEDIA_TYPE.partition(";")[0]
    responses[200] = {
        "description": "The answer, whole or as a stream of events",
        "content": {"application/json": {"schema": {"type": "object"}}, media: {"schema": STREAMED}},
    }
    body = {"required": True, "content": {"application/json": {"schema": _inlined(request.model_json_schema())}}}
    return {"responses": responses, "openapi_extra": {"requestBody": body}}


def _inlined(schema: dict[str, Any]) -> Any:
    """The schema without references: they would be read from the root of the document."""
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

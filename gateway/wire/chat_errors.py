"""An API's error in all known shapes, in a body or in a chunk: what it says, and whose fault it is.

Knows nothing of how the API was reached, nor of what was asked.
"""

import re
from typing import Any, NamedTuple

from gateway.errors import (
    UpstreamError,
    UpstreamKeyRefused,
    UpstreamModelUnknown,
    UpstreamRefused,
    UpstreamRejected,
)
from gateway.wire.chat_json import load, without_halves

LONGEST_MESSAGE = 4000
"""Characters of an API's message that are passed on."""
LONGEST_TEXT = 300
"""Characters of a body without a message, such as a page, that are passed on."""
LONGEST_CODE = 100
BAD_REQUEST, NOT_FOUND, TOO_LARGE, HIGHEST = 400, 404, 413, 599
REJECTED = (BAD_REQUEST, TOO_LARGE, 422)
KEY_REFUSED = (401, 402, 403)
STATUS_NAMES = ("code", "status", "status_code", "http_code")
MESSAGE_NAMES = ("message", "detail", "msg", "error_msg", "error")
CLIENT_ERRORS = ("invalid_request_error", "context_length_exceeded")
"""Types and codes that mean a mistake of the client's, whatever the status."""
_MODEL = re.compile(r"model|deployment|endpoints found", re.IGNORECASE)


class ApiError(NamedTuple):
    """An API's word on its failure. `message` is "" if it is in no known place, `text` is then the body's beginning."""

    message: str
    code: str
    param: str | None
    status: int | None
    text: str
    is_json: bool

    @property
    def reason(self) -> str:
        return self.message or self.text or "nothing"


def read_error(body: bytes | str, status: int | None = None) -> ApiError:
    """Read a body, or the data of a chunk. `status` is the HTTP status; by default the error's own, if it has one."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    try:
        return _read(text, load(text)[0], status)
    except RecursionError:
        return _read(text, None, status)


def _read(text: str, value: Any, status: int | None) -> ApiError:
    outer = _object(value)
    error = _object(outer.get("error")) or _object(_object(outer.get("choices")).get("error"))
    nested = _nested(error)
    places = [place for place in (error, outer, nested) if place]
    status = status or next(filter(None, map(_status, places)), None)
    message = _message(error) or _message(outer)
    if detail := _message(nested):
        message = detail if detail in message else ": ".join(filter(None, (message, detail)))
    return ApiError(
        message=without_halves(message.strip())[:LONGEST_MESSAGE],
        code=_code(places, status),
        param=_param(error) or _param(outer),
        status=status,
        text=" ".join(without_halves(text).split())[:LONGEST_TEXT],
        is_json=bool(outer),
    )


def refused(status: int, error: ApiError) -> UpstreamError:
    """Return the failure for a status of 400 or above at which asking again is no use."""
    said = f"it answered {status}: {error.reason}"
    if status in REJECTED:
        too_large = "request_too_large" if status == TOO_LARGE else ""
        message = error.message or f"the upstream rejected the request; {said}"
        return UpstreamRejected(message, status, error.param, error.code or too_large)
    if status in KEY_REFUSED:
        return UpstreamKeyRefused(f"the upstream refused the gateway's own key, not yours; {said}")
    if status == NOT_FOUND:
        if error.is_json and _MODEL.search(f"{error.code} {error.param} {error.reason}"):
            return UpstreamModelUnknown(error.reason, error.param)
        return UpstreamRefused(f"the upstream has no such path: check the API's url, which includes /v1; {said}")
    return UpstreamRefused(f"the upstream refused the request; {said}")


def failed(data: str) -> UpstreamError:
    """Return the failure for an error in the middle of an answer; one with the status of a refusal is a refusal."""
    error = read_error(data)
    if error.status in (*REJECTED, *KEY_REFUSED, NOT_FOUND):
        return refused(error.status, error)
    return UpstreamError(f"the upstream failed: {error.reason}", code=error.code)


def is_error(chunk: dict[str, Any]) -> bool:
    """Return whether a chunk without choices is an error rather than usage, or news that do not matter."""
    if "error" in (chunk.get("object"), chunk.get("type")):
        return True
    return "usage" not in chunk and ("code" in chunk or "detail" in chunk) and bool(_message(chunk))


def _object(value: Any) -> dict[str, Any]:
    """Return a JSON object, also one that stands alone in a list (Gemini) or in a string; else an empty one."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = load(value)[0]
    return value if isinstance(value, dict) else {}


def _nested(error: dict[str, Any]) -> dict[str, Any]:
    """Return the error of the provider behind a router (OpenRouter), if it is in there."""
    metadata = error.get("metadata")
    raw = _object(metadata.get("raw")) if isinstance(metadata, dict) else {}
    return _object(raw.get("error")) or raw


def _message(error: dict[str, Any]) -> str:
    for name in MESSAGE_NAMES:
        match error.get(name):
            case str(message) if message.strip():
                return message
            case [{"msg": str(message)}, *_]:
                return message
    unknown = error.get("error")
    return str(unknown) if unknown and not isinstance(unknown, bool) else ""


def _code(places: list[dict[str, Any]], status: int | None) -> str:
    """Return the error's code, else its type. A status is no code, and neither is the word that it is an error."""
    for names in (("code",), ("type", "status")):
        for place in places:
            for name in names:
                value = place.get(name)
                if isinstance(value, str | int) and not isinstance(value, bool):
                    code = without_halves(str(value)).strip()
                    if code and code not in ("error", "0", str(status)):
                        return code[:LONGEST_CODE]
    return ""


def _status(error: dict[str, Any]) -> int | None:
    for name in STATUS_NAMES:
        value = error.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, int) and BAD_REQUEST <= value <= HIGHEST:
            return value
    if any(error.get(name) in CLIENT_ERRORS for name in ("code", "type")):
        return BAD_REQUEST
    return None


def _param(error: dict[str, Any]) -> str | None:
    match error.get("param"), error.get("detail"):
        case str(param), _ if param:
            return param[:LONGEST_CODE]
        case _, [{"loc": [*loc]}, *_]:
            return ".".join(str(part) for part in loc if part != "body")[:LONGEST_CODE] or None
    return None

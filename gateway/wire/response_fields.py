"""Fields of a response object that do not grow with its output: its usage and its error."""

from typing import Any

from gateway.errors import (
    ContextTooLong,
    Failure,
    InvalidRequest,
    TooManyStreams,
    UnknownModel,
    UpstreamRateLimited,
)
from gateway.events import Usage
from gateway.wire.openai import completion_details

OPENAI_CODES = (
    *("server_error", "rate_limit_exceeded", "invalid_prompt", "data_residency_mismatch", "bio_policy"),
    *("misalignment_policy_violation", "vector_store_timeout", "invalid_image", "invalid_image_format"),
    *("invalid_base64_image", "invalid_image_url", "image_too_large", "image_too_small", "image_parse_error"),
    *("image_content_policy_violation", "invalid_image_mode", "image_file_too_large"),
    *("unsupported_image_media_type", "empty_image_file", "failed_to_download_image", "image_file_not_found"),
    ContextTooLong.type,
)
"""The codes of a failed response: those of openai-python's ResponseError, and the one at which Codex compacts."""
CODES = {
    TooManyStreams.type: "rate_limit_exceeded",
    UpstreamRateLimited.type: "rate_limit_exceeded",
    InvalidRequest.type: "invalid_prompt",
    UnknownModel.type: "invalid_prompt",
}
"""Codes by the type of a failure that has no code of the list; all others are a `server_error`."""


def response_error(failure: Failure) -> dict[str, Any]:
    """Return the error of a failed response. Its `type` is the failure's own code, as the other routes give it."""
    code = failure.code if failure.code in OPENAI_CODES else CODES.get(failure.type, "server_error")
    return {"code": code, "message": failure.message, "type": failure.code, "param": failure.param}


def usage_object(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": completion_details(usage),
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        **({"estimated": True} if usage.estimated else {}),
    }

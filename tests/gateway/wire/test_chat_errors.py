"""An API's error, in the shapes that APIs really send: its message, its code, its param, and whose fault it is."""

import json
from typing import Any

import pytest

from gateway.errors import Failure, InvalidRequest, Overloaded, TooManyStreams, UpstreamCut, UpstreamRateLimited
from gateway.wire.chat_errors import LONGEST_MESSAGE, failed, read_error, refused
from gateway.wire.response_fields import response_error

LONG = "too long by 12 tokens"
OPENAI = {"error": {"message": LONG, "type": "invalid_request_error", "param": "messages", "code": "context_length"}}


def refusal(status: int, body: Any) -> Failure:
    text = body if isinstance(body, str) else json.dumps(body)
    return refused(status, read_error(text.encode(), status)).failure()


REJECTIONS: dict[str, tuple[Any, str, str, str | None]] = {
    "OpenAI": (OPENAI, LONG, "context_length", "messages"),
    "without a code": (
        {"error": {"message": LONG, "type": "invalid_request_error", "param": None, "code": None}},
        LONG,
        "invalid_request_error",
        None,
    ),
    "vLLM": (
        {"object": "error", "message": LONG, "type": "BadRequestError", "param": None, "code": 400},
        LONG,
        "BadRequestError",
        None,
    ),
    "vLLM now": (
        {"error": {"message": LONG, "type": "BadRequestError", "param": "max_tokens", "code": 400}},
        LONG,
        "BadRequestError",
        "max_tokens",
    ),
    "llama.cpp": (
        {"error": {"code": 400, "message": LONG, "type": "exceed_context_size_error", "n_ctx": 4096}},
        LONG,
        "exceed_context_size_error",
        None,
    ),
    "Mistral": (
        {"object": "error", "message": LONG, "type": "invalid_request_prompt", "param": None, "code": "3051"},
        LONG,
        "3051",
        None,
    ),
    "Zhipu": ({"error": {"code": "1261", "message": LONG}}, LONG, "1261", None),
    "SiliconFlow": ({"code": 20015, "message": LONG, "data": None}, LONG, "20015", None),
    "Gemini": (
        [{"error": {"code": 400, "message": LONG, "status": "INVALID_ARGUMENT"}}],
        LONG,
        "INVALID_ARGUMENT",
        None,
    ),
    "Anthropic": (
        {"type": "error", "error": {"type": "invalid_request_error", "message": LONG}},
        LONG,
        "invalid_request_error",
        None,
    ),
    "FastAPI": (
        {"detail": [{"type": "missing", "loc": ["body", "messages", 0], "msg": LONG}]},
        LONG,
        "invalid_request_error",
        "messages.0",
    ),
    "OpenRouter": ({"error": {"message": LONG, "code": 400}, "user_id": "u"}, LONG, "invalid_request_error", None),
    "a provider behind OpenRouter": (
        {"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": json.dumps(OPENAI)}}},
        f"Provider returned error: {LONG}",
        "context_length",
        None,
    ),
    "a message of several lines": ({"error": {"message": "a\nb", "code": "c"}}, "a\nb", "c", None),
    "a string": ({"error": LONG}, LONG, "invalid_request_error", None),
    "half an emoji": ('{"error": {"message": "a \\ud83d", "code": "c"}}', "a \ufffd", "c", None),
}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(("body", "message", "code", "param"), REJECTIONS.values(), ids=REJECTIONS)
def test_a_rejected_request_keeps_status_message_code_and_param(
    body: Any, message: str, code: str, param: str | None, status: int
) -> None:
    failure = refusal(status, json.loads(json.dumps(body).replace("400", str(status))))
    assert failure == Failure(
        type="invalid_request_error",
        message=message,
        stage="upstream",
        retryable=False,
        status=status,
        param=param,
        code=code,
    )


@pytest.mark.parametrize("body", ["<html><h1>413 Too Large</h1></html>", "", "{}", "[]", "null"])
def test_a_body_that_is_too_large_says_so_whatever_the_proxy_sends(body: str) -> None:
    failure = refusal(413, body)
    assert (failure.status, failure.code, failure.retryable) == (413, "request_too_large", False)
    assert "answered 413" in failure.message


def test_a_long_message_is_whole_and_one_without_end_is_cut() -> None:
    assert refusal(400, {"error": {"message": "x" * 2000}}).message == "x" * 2000
    assert len(refusal(400, {"error": {"message": "x" * 19_000}}).message) == LONGEST_MESSAGE
    assert len(refusal(400, {"error": {"message": "x", "code": "y" * 19_000}}).code) < 200


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_key_is_the_gateways_own(status: int) -> None:
    failure = refusal(status, {"error": {"message": "Incorrect API key", "code": "invalid_api_key"}})
    assert (failure.type, failure.code, failure.status, failure.retryable) == (
        "upstream_key_refused",
        "upstream_key_refused",
        502,
        False,
    )
    assert "gateway's own key" in failure.message
    assert f"{status}: Incorrect API key" in failure.message


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}},
        {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404},
        {"error": {"message": 'model "x" not found, try pulling it first', "type": "api_error"}},
        {"error": {"message": "No endpoints found for x.", "code": 404}},
        {"error": {"code": "DeploymentNotFound", "message": "It does not exist."}},
        [{"error": {"code": 404, "message": "models/x is not found for API version v1", "status": "NOT_FOUND"}}],
        {"type": "error", "error": {"type": "not_found_error", "message": "model: x"}},
        {"error": "model 'x' not found"},
    ],
)
def test_a_model_that_the_api_does_not_know_is_not_found(body: Any) -> None:
    failure = refusal(404, body)
    assert (failure.type, failure.code, failure.status, failure.retryable) == (
        "model_not_found",
        "model_not_found",
        404,
        False,
    )
    assert not failure.message.startswith("the upstream")


@pytest.mark.parametrize(
    "body",
    [
        {"detail": "Not Found"},
        {"error": {"code": 404, "message": "File Not Found", "type": "not_found_error"}},
        {"error": {"message": "Invalid URL (POST /v1/chat)", "type": "invalid_request_error"}},
        "<html><title>404 Not Found: our models</title></html>",
        "404 page not found",
        "",
    ],
)
def test_a_wrong_path_is_the_operators_to_mend(body: Any) -> None:
    failure = refusal(404, body)
    assert (failure.type, failure.code, failure.status, failure.retryable) == (
        "upstream_refused",
        "upstream_refused",
        502,
        False,
    )
    assert "url" in failure.message


@pytest.mark.parametrize(
    ("error", "type", "code", "status", "retryable"),
    [
        ({"message": LONG, "code": "hot"}, "upstream_error", "hot", 502, True),
        ({"message": LONG, "code": 500, "type": "server_error"}, "upstream_error", "server_error", 502, True),
        ({"message": LONG, "code": 502}, "upstream_error", "upstream_error", 502, True),
        ({"message": LONG, "code": 429, "type": "rate_limit"}, "upstream_error", "rate_limit", 502, True),
        (
            {"message": LONG, "code": "context_length_exceeded"},
            "invalid_request_error",
            "context_length_exceeded",
            400,
            False,
        ),
        (
            {"message": LONG, "type": "invalid_request_error"},
            "invalid_request_error",
            "invalid_request_error",
            400,
            False,
        ),
        ({"message": LONG, "code": 400, "type": "x"}, "invalid_request_error", "x", 400, False),
        ({"message": LONG, "status": "413"}, "invalid_request_error", "request_too_large", 413, False),
        ({"message": LONG, "code": 402}, "upstream_key_refused", "upstream_key_refused", 502, False),
    ],
)
def test_an_error_in_mid_stream_keeps_message_and_code(
    error: dict[str, Any], type: str, code: str, status: int, retryable: bool
) -> None:
    for data in ({"error": error}, error):
        failure = failed(json.dumps(data)).failure()
        assert (failure.type, failure.code, failure.status, failure.retryable) == (type, code, status, retryable)
        assert LONG in failure.message


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (UpstreamCut("x").failure(), "server_error"),
        (Overloaded("x").failure(), "server_error"),
        (TooManyStreams("x").failure(), "rate_limit_exceeded"),
        (UpstreamRateLimited("x").failure(), "rate_limit_exceeded"),
        (InvalidRequest("x").failure(), "invalid_prompt"),
        (refusal(400, OPENAI), "invalid_prompt"),
        (refusal(404, {"error": "no such model"}), "invalid_prompt"),
        (refusal(401, OPENAI), "server_error"),
        (refusal(400, {"error": {"message": "x", "code": "context_length_exceeded"}}), "context_length_exceeded"),
        (refusal(400, {"error": {"message": "x", "code": "image_too_large"}}), "image_too_large"),
    ],
)
def test_a_failed_response_has_a_code_of_openais_list(failure: Failure, code: str) -> None:
    assert response_error(failure) == {
        "code": code,
        "message": failure.message,
        "type": failure.code,
        "param": failure.param,
    }


@pytest.mark.parametrize("depth", [10, 300, 700, 990, 1_100, 100_000])
@pytest.mark.parametrize("opening", ["[", '{"error":', '{"message":', '[{"text":'])
def test_an_error_that_is_nested_too_deeply_is_read_all_the_same(depth: int, opening: str) -> None:
    closing = "".join({"[": "]", "{": "}"}[mark] for mark in reversed(opening) if mark in "[{")
    error = read_error('{"error": ' + opening * depth + '"x"' + closing * depth + "}")
    assert error.reason

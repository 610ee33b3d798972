"""What OpenAI's two wire formats have in common: the error body, and summaries as text for a person."""

from typing import Any

import orjson

from gateway.errors import Failure

DONE = b"data: [DONE]\n\n"
PROMPT_TITLE = "Prompt"


def error_body(failure: Failure) -> dict[str, Any]:
    """OpenAI's error body."""
    error = {"message": failure.message, "type": failure.type, "param": failure.param, "code": failure.type}
    return {"error": error}


def data(body: dict[str, Any]) -> bytes:
    """An event without a name."""
    return b"data: %b\n\n" % orjson.dumps(body)


def heading(title: str) -> str:
    """How a part of a summary begins: Codex takes the first bold phrase for a headline."""
    return f"**{title}**\n\n"


PART_END = "\n\n"
"""How a part ends: a client that takes no notice of parts would run them together."""

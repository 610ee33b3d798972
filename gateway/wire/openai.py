"""The common parts of OpenAI's two wire formats: the error body, and summaries as text for people."""

from typing import Any

import orjson

from gateway.errors import Failure
from gateway.events import Usage

DONE = b"data: [DONE]\n\n"
PROMPT_TITLE = "Prompt"


def error_body(failure: Failure) -> dict[str, Any]:
    """Return OpenAI's error body."""
    error = {"message": failure.message, "type": failure.type, "param": failure.param, "code": failure.code}
    return {"error": error}


def data(body: dict[str, Any]) -> bytes:
    """Return a server-sent event without a name."""
    return b"data: %b\n\n" % orjson.dumps(body)


def completion_details(usage: Usage) -> dict[str, int]:
    """Return the details of the tokens that were generated. Those of summaries have names of ours, if there are any."""
    names = ("summary_tokens", "summary_prompt_tokens", "summary_cached_tokens")
    summaries = {name: count for name in names if (count := getattr(usage, name))}
    return {"reasoning_tokens": usage.reasoning_tokens, **summaries}


def heading(title: str) -> str:
    """Return the beginning of a summary part: Codex takes its first bold phrase for a headline."""
    return f"**{title}**\n\n"


PART_END = "\n\n"
"""The end of a summary part: clients that ignore parts would otherwise run them together."""

"""A scripted API with DeepSeek's rule for tool loops: it must get back what it thought before it called a tool.

DeepSeek says so in https://api-docs.deepseek.com/guides/thinking_mode. Knows nothing of the gateway.
"""

from typing import Any

from tests.fakes.scripted_api import ScriptedApi

FIELD = "reasoning_content"


class DeepSeekApi(ScriptedApi):
    """Answers 400 if, since the user's last message, a turn that called tools lacks its reasoning."""

    def refusal(self, messages: list[Any]) -> list[Any] | None:
        asked = max((n for n, message in enumerate(messages) if message["role"] == "user"), default=-1)
        for n, message in enumerate(messages):
            if n > asked and message.get("tool_calls") and not message.get(FIELD):
                error = {"message": _REFUSAL.format(n=n), "type": "invalid_request_error", "param": None}
                return [{"status": 400, "body": {"error": {**error, "code": "invalid_request_error"}}}]
        return None


_REFUSAL = f"Missing `{FIELD}` field in the assistant message at message index {{n}}"

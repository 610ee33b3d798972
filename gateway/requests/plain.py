"""The request of `POST /upstream/v1/chat/completions`: the cluster's Qwen as a plain API, without tools."""

from typing import Any

from gateway.requests.chat import ChatRequest
from gateway.requests.tools import TOOL_FIELDS


class PlainRequest(ChatRequest):
    """The whole request. The Qwen is not told of tools: its calls would be text that no client of this API reads."""

    stream: bool = False

    def _asked(self) -> dict[str, Any]:
        return {name: value for name, value in super()._asked().items() if name not in TOOL_FIELDS}

    def _left(self) -> list[str]:
        return [name for name in TOOL_FIELDS if self._body.get(name)]

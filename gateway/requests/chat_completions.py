"""The request of `POST /v1/chat/completions`: OpenAI's chat completions."""

from typing import ClassVar

from gateway.requests.base import ReasoningOptions
from gateway.requests.chat import ChatRequest


class ChatCompletionsRequest(ChatRequest):
    """The whole request."""

    waits_for_summaries: ClassVar[bool] = False  # few clients show `reasoning_details`
    stream: bool = False

    @property
    def reasoning(self) -> ReasoningOptions:
        return ReasoningOptions(budget=None if self.thinks else 0, order="eager")

    @property
    def seals_trace(self) -> bool:
        """True if there are tools: between their calls some models need their reasoning."""
        return bool(self.tools)

    @property
    def prompt_summary(self) -> bool:
        """False after a tool's result, which continues an earlier question."""
        return self.asks

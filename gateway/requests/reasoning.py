"""The request of `POST /v1/reasoning`, the native route: a chat completion with options of the gateway's own."""

from typing import Any, ClassVar

from pydantic import model_validator

from gateway.requests.base import ReasoningOptions
from gateway.requests.chat import ChatRequest
from gateway.requests.fields import present
from gateway.requests.thinking import wants_no_thinking


class ReasoningRequest(ChatRequest):
    """The whole request."""

    own: ClassVar[frozenset[str]] = frozenset(("reasoning", "prompt_summary"))
    stream: bool = True
    reasoning: ReasoningOptions = ReasoningOptions()
    prompt_summary: bool = True

    @model_validator(mode="before")
    @classmethod
    def _thinking_may_be_off_in_an_apis_words(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(options := data.get("reasoning") or {}, dict):
            return data
        asked = {name: value for name, value in data.items() if name not in cls.own}
        return {**data, "reasoning": {"budget": 0, **present(options)}} if wants_no_thinking(asked) else data

    @property
    def asks_for_summaries(self) -> bool:
        named = "summary" in self.reasoning.model_fields_set and self.reasoning.summary != "none"
        return named or ("prompt_summary" in self.model_fields_set and self.prompt_summary)

    def _view(self) -> dict[str, Any]:
        return {**super()._view(), "budget": self.reasoning.budget}

    def _qwen_fields(self) -> dict[str, Any]:
        fields = super()._qwen_fields()
        return fields | {"budget": self.reasoning.budget} if self.reasoning.budget is not None else fields

"""The request of `POST /v1/chat/completions`: OpenAI's chat completions."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PrivateAttr

from gateway.requests.base import ReasoningOptions, View
from gateway.requests.chat import ChatRequest
from gateway.requests.fields import without
from gateway.upstream_settings import Show


class AskedReasoning(View):
    """The gateway's own option among those that APIs have under this name."""

    show: Show | None = None


class ChatCompletionsRequest(ChatRequest):
    """The whole request. Of `reasoning`, an object or whatever an API takes there, only `show` is the gateway's."""

    stream: bool = False
    asked_reasoning: Annotated[
        AskedReasoning,
        Field(alias="reasoning"),
        BeforeValidator(lambda asked: asked if isinstance(asked, dict) else {}),
    ] = AskedReasoning()
    _default: Show = PrivateAttr(default="trace")

    def show_by_default(self, show: Show) -> None:
        """Set what is shown of the reasoning if the body does not say."""
        self._default = show

    @property
    def show(self) -> Show:
        """The reasoning that `reasoning_content` carries."""
        return self.asked_reasoning.show or self._default

    @property
    def reasoning(self) -> ReasoningOptions:
        """The options of the session: a summary that is shown is in its place before the response."""
        return ReasoningOptions(budget=None if self.thinks else 0, order="eager" if self.show == "trace" else "strict")

    @property
    def waits_for_summaries(self) -> bool:
        """False if they are in `reasoning_details` alone, which few clients show."""
        return self.show != "trace"

    @property
    def parts_come_first(self) -> bool:
        return self.show == "both"

    @property
    def seals_trace(self) -> bool:
        """True if the client may need the trace to send it back: it does not get it, or not by itself, or there are
        tools: between their calls some models need their reasoning."""
        return self.show != "trace" or bool(self.tools)

    @property
    def prompt_summary(self) -> bool:
        """False after a tool's result, which continues an earlier question."""
        return self.asks

    def _asked(self) -> dict[str, Any]:
        asked = super()._asked()
        rest: dict[str, Any] = without(asked, "reasoning.show")
        if rest is not asked and not rest["reasoning"]:
            del rest["reasoning"]
        return rest

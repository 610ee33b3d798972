"""The options that the cluster's Qwen honours: its harness and sampler know these, within these bounds.

The same bodies as in front of an API are read once more for it, by models that derive from `QwenOptions`.
"""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator

from gateway.requests.base import MAX_SEED, MAX_TOKENS, View, text_or_list
from gateway.requests.tools import chosen, functions

TokenCount = Annotated[int, Field(ge=1, le=MAX_TOKENS)]
Penalty = Annotated[float, Field(ge=-2, le=2)]
Stop = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=4), Tag("<list>")],
    Discriminator(text_or_list),
]
MAX_BIASES = 1024


class PlainText(View):
    """A format of the response: JSON cannot be promised."""

    type: Literal["text"] = "text"


class QwenOptions(View):
    """Options of sampling, by OpenAI's and vLLM's names."""

    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    top_k: Annotated[int, Field(ge=-1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    logit_bias: Annotated[dict[str, Annotated[float, Field(ge=-100, le=100)]], Field(max_length=MAX_BIASES)] | None = (
        None
    )
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    stop: Stop | None = None
    parallel_tool_calls: bool | None = None

    @field_validator("logit_bias")
    @classmethod
    def _names_tokens(cls, biases: dict[str, float] | None) -> dict[str, float] | None:
        if wrong := next((token for token in biases or () if not (token.isascii() and token.isdecimal())), None):
            raise ValueError(f"{wrong!r} is not the id of a token")
        return biases

    def sampling(self) -> dict[str, Any]:
        """Return the options as fields of an `UpstreamRequest`."""
        named = ("temperature", "top_p", "min_p", "presence_penalty", "frequency_penalty", "repetition_penalty", "seed")
        return {
            **{name: getattr(self, name) for name in named},
            "top_k": None if self.top_k is None else max(self.top_k, 0),
            "logit_bias": {int(token): bias for token, bias in self.logit_bias.items()} if self.logit_bias else None,
            "stop": stop_strings(self.stop),
            "parallel_tool_calls": self.parallel_tool_calls,
        }


class WithTools(QwenOptions):
    """Options, and tools with the choice among them in the form of a route."""

    tools: list[Any] = Field(default=[])
    tool_choice: Any = None

    @field_validator("tool_choice")
    @classmethod
    def _can_be_met(cls, choice: Any, info: ValidationInfo) -> Any:
        chosen(choice, functions(info.data.get("tools", ())))
        return choice

    def with_tools(self) -> dict[str, Any]:
        """Return the options and the tools as fields of an `UpstreamRequest`."""
        tools = functions(self.tools)
        return {**self.sampling(), "tools": tools, "tool_choice": chosen(self.tool_choice, tools)}


def stop_strings(stop: Any) -> tuple[str, ...]:
    """Return the strings among what was asked for, without empty ones."""
    asked = stop if isinstance(stop, list) else [stop]
    return tuple(text for text in asked if isinstance(text, str) and text)

"""The settings of upstreams: the Qwen that the cluster serves, APIs elsewhere, and the routes to them.

Unknown keys are refused by name. Sizes are in tokens, times in seconds, as each name says.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from gateway.reasoning.formats import FORMATS, Format, custom, detect
from gateway.reasoning.names import never_thinks
from gateway.upstream import Effort

ReasoningBack = Literal["never", "tools", "always"]
Show = Literal["trace", "summary", "both"]
"""The reasoning in the field `reasoning_content` of chat completions: as it came, its summary, or each part of that
above its stretch of the trace."""

Prefill = Literal["turn", "prefix", "continue_final_message"]
"""The way in which an API is asked to go on from the beginning of an answer: by a last turn of the assistant, by one
that is marked `prefix`, or by one and the fields of vLLM and SGLang."""

EMBEDDED_NAMES = {
    "embedded": "qwen2.5-coder-1.5b-instruct",
    "embedded-0.5b": "qwen2.5-coder-0.5b-instruct",
}
"""The ids of the embedded models in requests, by the sources that name them in a configuration."""


THINKING_BUDGETS = {"embedded": 256, "embedded-0.5b": 0}
"""Tokens of thinking by default, by the sources that name models in a configuration: 0 for those whose answers thinking
makes worse, as `make bench-answers` measures it. `OTHER_BUDGET` is that of all other models."""
OTHER_BUDGET = 256


def public_name(source: str) -> str:
    """Return the id in requests of the model at `source`: a directory or a Hugging Face id goes by its last part."""
    return EMBEDDED_NAMES.get(source) or source.rstrip("/").split("/")[-1]


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EffortSettings(Settings):
    """Tokens of thinking for each `reasoning_effort`."""

    minimal: PositiveInt = 64
    low: PositiveInt = 128
    medium: PositiveInt = 256
    high: PositiveInt = 512
    xhigh: PositiveInt = 1024
    max: PositiveInt = 2048

    def budget(self, effort: Effort) -> int:
        budget: int = getattr(self, effort)
        return budget


class UpstreamSettings(Settings):
    """The Qwen that the cluster serves.

    `model` is `embedded`, `embedded-0.5b`, a local directory or a Hugging Face id. `device` auto takes a GPU if the
    cluster has one; `num_gpus` is the share of it that a replica reserves, fractions allowed. `threads` is torch's
    number of threads on a CPU, None for one per core. `kv_cache_tokens` is shared by all requests of a replica and must
    hold at least one of `context_tokens`. Requests beyond `max_streams` per replica are refused as overloaded.
    `thinking_budget` and `max_tokens` apply if a request names none, `efforts` translate its `reasoning_effort`. With a
    budget of 0 it does not think; None stands for the model's own, from `THINKING_BUDGETS`.
    `show` goes before the gateway's.
    """

    model: str = "embedded"
    device: Literal["auto", "cuda", "cpu"] = "auto"
    num_gpus: Annotated[float, Field(gt=0)] = 1.0
    threads: PositiveInt | None = None
    context_tokens: PositiveInt = 8192
    kv_cache_tokens: PositiveInt = 32768
    max_batch_tokens: PositiveInt = 512
    max_streams: PositiveInt = 128
    thinking_budget: NonNegativeInt | None = None
    efforts: EffortSettings = EffortSettings()
    max_tokens: PositiveInt = 1024
    show: Show | None = None

    @model_validator(mode="after")
    def _cache_holds_a_context(self) -> "UpstreamSettings":
        if self.kv_cache_tokens < self.context_tokens:
            raise ValueError("kv_cache_tokens must be at least context_tokens")
        return self

    @property
    def default_budget(self) -> int:
        """The tokens of thinking of a request that names neither a budget nor an effort."""
        if self.thinking_budget is not None:
            return self.thinking_budget
        return THINKING_BUDGETS.get(self.model, OTHER_BUDGET)

    @property
    def name(self) -> str:
        """The id of the model in requests and in `GET /v1/models`."""
        return public_name(self.model)


class HttpUpstreamSettings(Settings):
    """One /chat/completions API and the models that it serves.

    `url` includes `/v1`; `api_key_env` names the environment variable with the key. `format` is the way in which the
    text marks reasoning, `auto` chooses by the model's name; a field for reasoning is always read. `starts_inside` says
    whether the text begins in reasoning without a marker. None leaves that to a `format` that is named here, and to
    what earlier answers of the model have shown with `auto`. `markers` are the start and the end marker of format
    `custom`. With `promote_truncated`, reasoning that was cut at the token limit is repeated as the response, as
    reasoning that the model itself left unfinished always is.
    `headers` and `body` are added to each request, `no_thinking` to the body of requests without thinking, such as
    those for summaries; then `drop_fields`, such as `service_tier` or `messages.name`, are taken out of it.
    `reasoning_back` says on which earlier turns the API is told their reasoning: on all, or on those since the user's
    last turn that called `tools`. `show` goes before the gateway's.
    `silence_seconds` bounds the silence in the middle of an answer. Before the first byte a request is sent up to
    `attempts` times.
    """

    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    models: Annotated[tuple[str, ...], Field(min_length=1)]
    api_key_env: str | None = None
    format: str = "auto"
    starts_inside: bool | None = None
    markers: tuple[str, str] | None = None
    promote_truncated: bool = False
    headers: dict[str, str] = {}
    body: dict[str, Any] = {}
    no_thinking: dict[str, Any] = {}
    drop_fields: tuple[str, ...] = ()
    reasoning_back: ReasoningBack = "tools"
    show: Show | None = None
    prefill: Prefill | None = None
    connect_seconds: PositiveFloat = 5.0
    first_byte_seconds: PositiveFloat = 60.0
    silence_seconds: PositiveFloat = 60.0
    attempts: PositiveInt = 3

    @field_validator("format")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in FORMATS:
            raise ValueError(f"unknown format; known are {', '.join(sorted(FORMATS))}")
        return name

    @field_validator("drop_fields")
    @classmethod
    def _names_fields_that_can_be_missing(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        for path in paths:
            if path in ("model", "messages", "stream") or not all(path.split(".")):
                raise ValueError(f"{path!r} cannot be taken out of a request")
        return paths

    @model_validator(mode="after")
    def _markers_belong_to_custom(self) -> "HttpUpstreamSettings":
        if (self.format == "custom") != (self.markers is not None):
            raise ValueError("markers go with format: custom, and it needs them")
        if self.markers:
            custom(*self.markers)
        return self

    def format_of(self, model: str) -> Format:
        if self.markers:
            return custom(*self.markers)
        return detect(model) if self.format == "auto" else FORMATS[self.format]

    def route(self, model: str) -> "ModelRoute":
        format, inside = self.format_of(model), self.starts_inside
        by_request = False
        if inside is None and self.format == "auto":
            inside = False if never_thinks(model) else None
        elif inside is None and format.starts_inside:
            inside, by_request = True, format.by_request
        return ModelRoute(
            upstream="http",
            format=format,
            starts_inside=inside,
            by_request=by_request,
            promote_truncated=self.promote_truncated,
            drop_fields=self.drop_fields,
        )


@dataclass(frozen=True, kw_only=True)
class ModelRoute:
    """The upstream that answers for a model, and the way its answers are read.

    `starts_inside` says whether they begin inside the reasoning, with `by_request` only if the request wants thinking.
    None leaves it to what earlier answers have shown.
    `silence_seconds` is how long it may send nothing at all; None for an API, whose client watches the socket itself: a
    comment there is a sign of life that nobody else sees.
    `show` is what chat completions show of the reasoning if the request does not say.
    """

    upstream: Literal["qwen", "http", "own"]
    format: Format
    starts_inside: bool | None = None
    by_request: bool = False
    promote_truncated: bool = False
    drop_fields: tuple[str, ...] = ()
    silence_seconds: float | None = None
    show: Show = "trace"

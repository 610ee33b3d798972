"""What an operator may set: the `args` of the application in serve_config.yaml.

Unknown keys are refused by name. Sizes are in tokens, characters or bytes, times in seconds, as each name says.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, field_validator, model_validator

from gateway.reasoning.formats import FORMATS, Format, custom, detect
from gateway.upstream import Effort


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EffortSettings(Settings):
    """Tokens of thinking that each word for an effort stands for."""

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

    `model` is `embedded`, a local directory or a Hugging Face id. `device` auto takes a GPU where the cluster has one;
    `num_gpus` is what a replica reserves there, fractions allowed. `threads` is torch's on a CPU, None for one a core.
    `kv_cache_tokens` is shared by all requests of a replica and must hold at least one of `context_tokens`.
    More than `max_streams` at once are told to come back.
    `thinking_budget` and `max_tokens` stand in where a request names none, `efforts` where it names a word.
    """

    model: str = "embedded"
    device: Literal["auto", "cuda", "cpu"] = "auto"
    num_gpus: Annotated[float, Field(gt=0)] = 1.0
    threads: PositiveInt | None = None
    context_tokens: PositiveInt = 8192
    kv_cache_tokens: PositiveInt = 32768
    max_batch_tokens: PositiveInt = 512
    max_streams: PositiveInt = 128
    thinking_budget: PositiveInt = 256
    efforts: EffortSettings = EffortSettings()
    max_tokens: PositiveInt = 1024

    @model_validator(mode="after")
    def _cache_holds_a_context(self) -> "UpstreamSettings":
        if self.kv_cache_tokens < self.context_tokens:
            raise ValueError("kv_cache_tokens must be at least context_tokens")
        return self

    @property
    def name(self) -> str:
        """The id that requests and `GET /v1/models` know the model by."""
        return EMBEDDED_NAME if self.model == "embedded" else self.model.rstrip("/").split("/")[-1]


EMBEDDED_NAME = "qwen2.5-coder-0.5b-instruct"


class DeadlineSettings(Settings):
    """Seconds that reasoning waits for the prompt summary, the response for the last summary part, and a stream for
    anything at all from its upstream: long enough for a request that waits for its place in a batch."""

    prompt_summary: PositiveFloat = 5.0
    reasoning_summary: PositiveFloat = 1.5
    upstream_silence: PositiveFloat = 120.0


class LimitSettings(Settings):
    """`early_characters` may wait for their turn before the upstream is read no further; `unread_characters` may wait
    for a slow client before its stream fails. `streams` are those that a key, or an address where there are no keys,
    may have at once on a replica of the ingress; `calls` those that a replica behind it answers at once."""

    request_bytes: PositiveInt = 1_000_000
    messages: PositiveInt = 1000
    streams: PositiveInt = 256
    calls: PositiveInt = 1024
    early_characters: PositiveInt = 200_000
    unread_characters: PositiveInt = 1_000_000


class AccessSettings(Settings):
    """Who may ask: with keys, who sends one as `Authorization: Bearer`; without, this machine, or with
    `allow_anonymous` anybody.

    Keys are given as their SHA-256 in hex, one a line with a name behind it if you like, as `sha256sum` prints them: in
    the file `keys_file`, or in the environment variable `keys_env`, on the nodes of the cluster. `cors_origins` are
    those whose pages may ask, `*` for all.
    """

    keys_file: str | None = None
    keys_env: str | None = None
    allow_anonymous: bool = False
    cors_origins: tuple[str, ...] = ()


class HttpUpstreamSettings(Settings):
    """One /chat/completions API, and the models that are asked of it.

    `url` goes up to and with `/v1`; `api_key_env` names the environment variable with the key. `format` says how the
    text marks reasoning, `auto` goes by each model's name; a field for reasoning is always read. `starts_inside` says
    whether the text begins in reasoning without a marker, None leaves that to the format. `markers` are the start and
    the end of format `custom`. With `promote_truncated`, reasoning that never ended is the response too. `headers` and
    `body` are added to each request, `no_thinking` to the body of those that want none, a summary's among them. Before
    the first byte a request is sent up to `attempts` times.
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
    connect_seconds: PositiveFloat = 5.0
    first_byte_seconds: PositiveFloat = 60.0
    silence_seconds: PositiveFloat = 60.0
    attempts: PositiveInt = 3

    @field_validator("format")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in FORMATS:
            raise ValueError(f"no such format; there are {', '.join(sorted(FORMATS))}")
        return name

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


@dataclass(frozen=True)
class ModelRoute:
    """A model that requests may name: the upstream that answers for it, and how its text is read."""

    upstream: Literal["qwen", "http", "own"]
    format: Format
    starts_inside: bool | None
    promote_truncated: bool


class PlainApiSettings(Settings):
    """The Qwen of another application, by the names that Serve knows it by; requests know it as `model`."""

    application: str = "reasoning-gateway"
    deployment: str = "QwenUpstream"
    model: str = EMBEDDED_NAME
    access: AccessSettings = AccessSettings()


class SummarizerSettings(Settings):
    """`model` writes the summaries, one of those that requests may name; None: the first, which is the cluster's Qwen
    where it has one. `own` is a model for summaries alone, usually a small one on a fraction of a GPU."""

    model: str | None = None
    own: UpstreamSettings | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "SummarizerSettings":
        if self.model and self.own:
            raise ValueError("summarizer takes model or own, not both")
        return self


class GatewaySettings(Settings):
    """`upstream` is the Qwen on the cluster, null for none; `http_upstreams` are APIs elsewhere. A stream says that it
    is alive after each `heartbeat` seconds of silence."""

    upstream: UpstreamSettings | None = UpstreamSettings()
    http_upstreams: tuple[HttpUpstreamSettings, ...] = ()
    summarizer: SummarizerSettings = SummarizerSettings()
    deadlines: DeadlineSettings = DeadlineSettings()
    limits: LimitSettings = LimitSettings()
    access: AccessSettings = AccessSettings()
    heartbeat: PositiveFloat = 15.0

    @model_validator(mode="after")
    def _models_are_told_apart(self) -> "GatewaySettings":
        names = [self.upstream.name] if self.upstream else []
        names += [model for api in self.http_upstreams for model in api.models]
        if not names:
            raise ValueError("nothing to ask: set upstream, http_upstreams, or both")
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"served twice: {', '.join(sorted(twice))}")
        if self.summarizer.model not in (None, *names):
            raise ValueError(f"summarizer.model is none of {', '.join(names)}")
        return self

    @property
    def models(self) -> dict[str, ModelRoute]:
        """What `GET /v1/models` lists; the first one answers requests that name none."""
        models = {self.upstream.name: _qwen("qwen")} if self.upstream else {}
        for api in self.http_upstreams:
            for model in api.models:
                models[model] = ModelRoute("http", api.format_of(model), api.starts_inside, api.promote_truncated)
        return models

    @property
    def writers(self) -> dict[str, ModelRoute]:
        """The model that writes the summaries, as a dictionary of one."""
        if self.summarizer.own:
            return {self.summarizer.own.name: _qwen("own")}
        name = self.summarizer.model or next(iter(self.models))
        return {name: self.models[name]}


def _qwen(upstream: Literal["qwen", "own"]) -> ModelRoute:
    return ModelRoute(upstream, FORMATS["qwen3"], starts_inside=False, promote_truncated=False)

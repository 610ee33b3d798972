"""The settings of an operator: the `args` of the applications in serve_config.yaml; those of upstreams have a file of
their own.

Unknown keys are refused by name. Sizes are in characters or bytes, times in seconds, as each name says.
"""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, AliasChoices, Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from gateway.reasoning.formats import FORMATS
from gateway.summaries.languages import AUTO, checked_tag
from gateway.upstream_settings import HttpUpstreamSettings, ModelRoute, Settings, Show, UpstreamSettings, public_name

STREAMS_PER_CORE = 64
"""Streams of 50 deltas a second that the whole gateway carries on one core (`make bench` sustains 128 on two). Beyond
them every stream is late: with 256 on two cores, a delta's p99 grew from 120 ms to 447 ms and more."""
MOST_STREAMS = 400
"""Streams of one replica of the ingress, which is one process, however many cores its node has."""


class DeadlineSettings(Settings):
    """Seconds.

    `prompt_summary`: how long reasoning waits for the prompt summary. `reasoning_summary`: how long the response waits
    for the last part of the reasoning summary, or, if that is more, for a share of the time that the model has thought,
    `reasoning_summary_share`. `heading`: how long a stretch of the trace that has come waits for its
    part, if that is shown above it. `upstream_silence`: how long an upstream may send nothing at all; long
    enough for a request that waits for its place in a batch.
    """

    prompt_summary: PositiveFloat = 5.0
    reasoning_summary: PositiveFloat = 1.5
    reasoning_summary_share: NonNegativeFloat = 0.1
    heading: PositiveFloat = 5.0
    upstream_silence: PositiveFloat = 120.0


class LimitSettings(Settings):
    """Bounds on requests and streams.

    `request_bytes`: a request's body, once decoded. `early_characters`: text of one stream that may wait for its turn
    before reading from the upstream pauses. `unread_characters`: text that may wait for a slow client before its stream
    fails. `streams_per_replica`: concurrent streams of all clients per replica of the ingress; more are refused as
    overloaded. `streams_per_client`: those of one client, which is a key or, without keys, an address; clients whose
    address a proxy hides are not told apart. `streams` is its former name. For `auto`, see `places`. `calls`:
    concurrent calls per replica behind the ingress. `answer_characters` and `answer_seconds`: an upstream's whole
    answer. Beyond them it ends as if at its token limit if a response has begun, else it fails.
    """

    request_bytes: PositiveInt = 8_000_000
    messages: PositiveInt = 1000
    streams_per_replica: PositiveInt | Literal["auto"] = "auto"
    streams_per_client: Annotated[
        PositiveInt | Literal["auto"], Field(validation_alias=AliasChoices("streams_per_client", "streams"))
    ] = "auto"
    calls: PositiveInt = 1024
    early_characters: PositiveInt = 200_000
    unread_characters: PositiveInt = 1_000_000
    answer_characters: PositiveInt = 10_000_000
    answer_seconds: PositiveFloat = 3600.0

    def places(self, cores: float) -> tuple[int, int]:
        """Return the most concurrent streams of one client, and of all, on a replica that has `cores` of its node.

        The limit of all follows from what a core carries, and three quarters of it are the limit of one client.
        """
        sustained = max(1, min(MOST_STREAMS, int(STREAMS_PER_CORE * cores)))
        in_all = sustained if self.streams_per_replica == "auto" else self.streams_per_replica
        per_client = max(1, in_all * 3 // 4) if self.streams_per_client == "auto" else self.streams_per_client
        return per_client, in_all


class AccessSettings(Settings):
    """Access control: with keys, clients send one as `Authorization: Bearer`. Without, only this machine is answered,
    or anybody with `allow_anonymous`.

    Keys are given as SHA-256 hashes in hex, one per line and optionally followed by a name, as `sha256sum` prints them:
    in the file `keys_file` or in the environment variable `keys_env`, on the nodes of the cluster. `cors_origins` lists
    the origins whose pages may use the gateway, `*` for all.
    """

    keys_file: str | None = None
    keys_env: str | None = None
    allow_anonymous: bool = False
    cors_origins: tuple[str, ...] = ()


class SealingSettings(Settings):
    """The secret from which the key for `encrypted_content` is derived.

    `key_env` names an environment variable of the nodes with one secret in each line, of 16 characters or more: the
    first seals, all open. Without it the cluster makes a secret of its own, which goes with the cluster.
    """

    key_env: str | None = None


class PlainApiSettings(Settings):
    """The Qwen of another Serve application, named by `application` and `deployment`.

    `model` is that one's `upstream.model`, or the last part of it, which is the id in requests.
    """

    application: str = "reasoning-gateway"
    deployment: str = "QwenUpstream"
    model: str = "embedded"
    access: AccessSettings = AccessSettings()

    @property
    def name(self) -> str:
        return public_name(self.model)


class SummarizerSettings(Settings):
    """The model that writes the summaries.

    `model` is one of those that requests may name; None for the first, which is the cluster's Qwen if it has one.
    `own` deploys a model for summaries alone, usually a small one on a fraction of a GPU. `language` is a BCP 47 tag,
    or `auto` for the language of each request; a request may name another. With `mask_secrets`, keys, tokens and
    passwords are masked in summaries, whoever has written them; the trace has them as they are.
    """

    model: str | None = None
    own: UpstreamSettings | None = None
    language: Annotated[str, AfterValidator(checked_tag)] = AUTO
    mask_secrets: bool = True

    @model_validator(mode="after")
    def _one_of_them(self) -> "SummarizerSettings":
        if self.model and self.own:
            raise ValueError("summarizer takes model or own, not both")
        return self


class GatewaySettings(Settings):
    """The gateway: `upstream` is the Qwen on the cluster, null for none, `http_upstreams` are APIs elsewhere.

    A silent stream sends a sign of life every `heartbeat` seconds. `show` says what chat completions show of the
    reasoning in `reasoning_content`, unless an upstream or a request says otherwise. `page: false` leaves out the page
    at `/`.
    """

    upstream: UpstreamSettings | None = UpstreamSettings()
    http_upstreams: tuple[HttpUpstreamSettings, ...] = ()
    summarizer: SummarizerSettings = SummarizerSettings()
    deadlines: DeadlineSettings = DeadlineSettings()
    limits: LimitSettings = LimitSettings()
    access: AccessSettings = AccessSettings()
    sealing: SealingSettings = SealingSettings()
    heartbeat: PositiveFloat = 15.0
    show: Show = "trace"
    page: bool = True

    @model_validator(mode="after")
    def _each_model_is_served_once(self) -> "GatewaySettings":
        names = [self.upstream.name] if self.upstream else []
        names += [model for api in self.http_upstreams for model in api.models]
        if not names:
            raise ValueError("there is no model: set upstream, http_upstreams, or both")
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two upstreams serve the same model: {', '.join(sorted(twice))}")
        if self.summarizer.model not in (None, *names):
            raise ValueError(f"summarizer.model must be one of {', '.join(names)}")
        return self

    @property
    def models(self) -> dict[str, ModelRoute]:
        """The routes of all models that requests may name; the first one answers requests that name none."""
        models = {self.upstream.name: self._qwen("qwen", self.upstream.show)} if self.upstream else {}
        for api in self.http_upstreams:
            models |= {model: replace(api.route(model), show=api.show or self.show) for model in api.models}
        return models

    @property
    def summary_model(self) -> tuple[str, ModelRoute]:
        """The name and the route of the model that writes the summaries."""
        if self.summarizer.own:
            return self.summarizer.own.name, self._qwen("own")
        name = self.summarizer.model or next(iter(self.models))
        return name, self.models[name]

    def _qwen(self, upstream: Literal["qwen", "own"], show: Show | None = None) -> ModelRoute:
        return ModelRoute(
            upstream=upstream,
            format=FORMATS["qwen3"],
            starts_inside=False,
            silence_seconds=self.deadlines.upstream_silence,
            show=show or self.show,
        )

"""Settings: their defaults, and refusals that name the key."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.config import DeadlineSettings, GatewaySettings, LimitSettings, PlainApiSettings
from gateway.reasoning.formats import FORMATS, custom
from gateway.upstream_settings import HttpUpstreamSettings, UpstreamSettings

API = {"url": "https://api.example.com/v1", "models": ["deepseek-r1"]}


def named(args: dict[str, Any]) -> list[tuple[str, str]]:
    """Every refused key with the kind of its error."""
    with pytest.raises(ValidationError) as refused:
        GatewaySettings.model_validate(args)
    errors = refused.value.errors()
    assert all(".".join(map(str, error["loc"])) in str(refused.value) for error in errors)
    return [(".".join(map(str, error["loc"])), error["type"]) for error in errors]


def test_the_former_name_of_the_limit_of_a_client_is_taken() -> None:
    assert GatewaySettings.model_validate({"limits": {"streams": 3}}).limits == LimitSettings(streams_per_client=3)


@pytest.mark.parametrize(
    ("limits", "cores", "places"),
    [
        ({}, 2, (96, 128)),
        ({}, 0.5, (24, 32)),
        ({}, 0.01, (1, 1)),
        ({}, 64, (300, 400)),
        ({"streams_per_replica": 40}, 2, (30, 40)),
        ({"streams_per_client": 5}, 2, (5, 128)),
        ({"streams_per_client": 5, "streams_per_replica": 1000}, 2, (5, 1000)),
    ],
)
def test_a_replica_has_places_for_its_share_of_cores_unless_told_otherwise(
    limits: dict[str, int], cores: float, places: tuple[int, int]
) -> None:
    assert LimitSettings(**limits).places(cores) == places


@pytest.mark.parametrize(
    ("settings", "budget"),
    [
        ({}, 256),
        ({"model": "some/other"}, 256),
        ({"model": "embedded-0.5b"}, 0),
        ({"model": "embedded-0.5b", "thinking_budget": 8}, 8),
        ({"model": "some/other", "thinking_budget": 0}, 0),
        ({"model": "some/other", "thinking_budget": None}, 256),
    ],
)
def test_thinking_is_as_long_as_the_setting_says_or_as_suits_the_model(settings: dict[str, Any], budget: int) -> None:
    assert UpstreamSettings(**settings).default_budget == budget


def test_empty_settings_are_the_defaults() -> None:
    assert GatewaySettings().model_dump() == {
        "upstream": {
            "model": "embedded",
            "device": "auto",
            "num_gpus": 1.0,
            "threads": None,
            "context_tokens": 8192,
            "kv_cache_tokens": 32768,
            "max_batch_tokens": 512,
            "max_streams": 128,
            "thinking_budget": None,
            "efforts": {"minimal": 64, "low": 128, "medium": 256, "high": 512, "xhigh": 1024, "max": 2048},
            "max_tokens": 1024,
            "show": None,
        },
        "http_upstreams": (),
        "summarizer": {"model": None, "own": None, "language": "auto", "mask_secrets": True},
        "deadlines": {
            "prompt_summary": 5.0,
            "reasoning_summary": 1.5,
            "reasoning_summary_share": 0.1,
            "heading": 5.0,
            "upstream_silence": 120.0,
        },
        "limits": {
            "request_bytes": 8_000_000,
            "messages": 1000,
            "streams_per_replica": "auto",
            "streams_per_client": "auto",
            "calls": 1024,
            "early_characters": 200_000,
            "unread_characters": 1_000_000,
            "answer_characters": 10_000_000,
            "answer_seconds": 3600.0,
        },
        "access": {"keys_file": None, "keys_env": None, "allow_anonymous": False, "cors_origins": ()},
        "sealing": {"key_env": None},
        "heartbeat": 15.0,
        "show": "trace",
        "page": True,
    }


def test_setting_one_key_keeps_the_other_defaults() -> None:
    settings = GatewaySettings.model_validate({"deadlines": {"prompt_summary": 2}, "upstream": {"device": "cpu"}})
    assert settings == GatewaySettings(
        upstream=UpstreamSettings(device="cpu"), deadlines=DeadlineSettings(prompt_summary=2.0)
    )


@pytest.mark.parametrize(
    ("args", "key"),
    [
        ({"upstreams": {}}, "upstreams"),
        ({"upstream": {"modle": "embedded"}}, "upstream.modle"),
        ({"http_upstreams": [{**API, "formats": "x"}]}, "http_upstreams.0.formats"),
        ({"deadlines": {"prompt-summary": 5}}, "deadlines.prompt-summary"),
        ({"limits": {"request_byte": 5}}, "limits.request_byte"),
    ],
)
def test_an_unknown_key_is_named(args: dict[str, Any], key: str) -> None:
    assert named(args) == [(key, "extra_forbidden")]


def test_all_unknown_keys_are_named_at_once() -> None:
    assert named({"a": 1, "upstream": {"b": 2}, "limits": {"c": 3}}) == [
        ("upstream.b", "extra_forbidden"),
        ("limits.c", "extra_forbidden"),
        ("a", "extra_forbidden"),
    ]


@pytest.mark.parametrize(
    ("args", "key"),
    [
        ({"http_upstreams": None}, "http_upstreams"),
        ({"upstream": {"device": "tpu"}}, "upstream.device"),
        ({"upstream": {"num_gpus": 0}}, "upstream.num_gpus"),
        ({"upstream": {"threads": 0}}, "upstream.threads"),
        ({"upstream": {"context_tokens": -1}}, "upstream.context_tokens"),
        ({"upstream": {"kv_cache_tokens": 1.5}}, "upstream.kv_cache_tokens"),
        ({"upstream": {"max_batch_tokens": "many"}}, "upstream.max_batch_tokens"),
        ({"upstream": {"thinking_budget": -1}}, "upstream.thinking_budget"),
        ({"upstream": {"max_tokens": None}}, "upstream.max_tokens"),
        ({"http_upstreams": [{**API, "starts_inside": "maybe"}]}, "http_upstreams.0.starts_inside"),
        ({"deadlines": {"prompt_summary": 0}}, "deadlines.prompt_summary"),
        ({"deadlines": {"reasoning_summary": -1}}, "deadlines.reasoning_summary"),
        ({"deadlines": {"reasoning_summary_share": -0.1}}, "deadlines.reasoning_summary_share"),
        ({"limits": {"request_bytes": 0}}, "limits.request_bytes"),
        ({"limits": {"early_characters": -5}}, "limits.early_characters"),
        ({"limits": {"unread_characters": None}}, "limits.unread_characters"),
    ],
)
def test_an_impossible_value_is_refused_by_name(args: dict[str, Any], key: str) -> None:
    assert [name for name, _ in named(args)] == [key]


@pytest.mark.parametrize(
    "upstream",
    [{"context_tokens": 32769}, {"kv_cache_tokens": 8191}, {"context_tokens": 2, "kv_cache_tokens": 1}],
    ids=str,
)
def test_a_cache_that_cannot_hold_one_context_is_refused(upstream: dict[str, int]) -> None:
    assert named({"upstream": upstream}) == [("upstream", "value_error")]
    with pytest.raises(ValidationError, match="kv_cache_tokens must be at least context_tokens"):
        UpstreamSettings.model_validate(upstream)


def test_a_cache_of_exactly_one_context_is_enough() -> None:
    settings = UpstreamSettings(context_tokens=4096, kv_cache_tokens=4096)
    assert (settings.context_tokens, settings.kv_cache_tokens) == (4096, 4096)


@pytest.mark.parametrize("name", ["qwen4", "", "Qwen3", "qwen3 "])
def test_an_unknown_format_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ValidationError, match="unknown format; known are ") as refused:
        HttpUpstreamSettings.model_validate({**API, "format": name})
    assert named({"http_upstreams": [{**API, "format": name}]}) == [("http_upstreams.0.format", "value_error")]
    assert all(known in str(refused.value) for known in FORMATS)


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"auto", "custom"}))
def test_every_format_of_the_table_may_be_set(name: str) -> None:
    assert HttpUpstreamSettings.model_validate({**API, "format": name}).format_of("any") is FORMATS[name]


def test_the_format_of_a_model_goes_by_its_name_or_its_markers() -> None:
    assert HttpUpstreamSettings.model_validate(API).format_of("deepseek-r1").name == "deepseek_r1"
    assert HttpUpstreamSettings.model_validate(API).format_of("gpt-4o").name == "auto"
    settings = HttpUpstreamSettings.model_validate({**API, "format": "custom", "markers": ("<a>", "</a>")})
    assert settings.format_of("any").markers == custom("<a>", "</a>").markers


@pytest.mark.parametrize("fields", [{"format": "custom"}, {"markers": ("<a>", "</a>")}, {"url": "ftp://x/v1"}])
def test_settings_of_an_api_that_contradict_each_other_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HttpUpstreamSettings.model_validate({**API, **fields})


@pytest.mark.parametrize("models", [["a", "a"], ["qwen2.5-coder-1.5b-instruct"]])
def test_a_model_that_is_served_twice_is_refused(models: list[str]) -> None:
    with pytest.raises(ValidationError, match="two upstreams serve the same model"):
        GatewaySettings.model_validate({"http_upstreams": [{**API, "models": models}]})


def test_a_gateway_without_models_or_with_an_unknown_summarizer_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no model"):
        GatewaySettings(upstream=None)
    with pytest.raises(ValidationError, match="must be one of qwen"):
        GatewaySettings.model_validate({"summarizer": {"model": "gpt-9"}})
    with pytest.raises(ValidationError, match="not both"):
        GatewaySettings.model_validate({"summarizer": {"model": "x", "own": {}}})


@pytest.mark.parametrize(
    ("summarizer", "writer"),
    [
        ({}, ("qwen2.5-coder-1.5b-instruct", "qwen")),
        ({"model": "gpt-4o"}, ("gpt-4o", "http")),
        ({"own": {"model": "Qwen/Qwen3-0.6B", "num_gpus": 0.2}}, ("Qwen3-0.6B", "own")),
    ],
)
def test_the_summary_model_is_the_configured_one_or_the_first(
    summarizer: dict[str, Any], writer: tuple[str, str]
) -> None:
    settings = GatewaySettings.model_validate(
        {"http_upstreams": [{**API, "models": ["gpt-4o"]}], "summarizer": summarizer}
    )
    name, route = settings.summary_model
    assert (name, route.upstream) == writer
    assert "Qwen3-0.6B" not in settings.models


def test_the_models_in_order_each_with_its_upstream_and_format() -> None:
    apis = [{**API, "models": ["deepseek-r1", "gpt-4o"]}, {**API, "models": ["x"], "format": "kimi"}]
    models = GatewaySettings.model_validate({"http_upstreams": apis}).models
    assert [(name, served.upstream, served.format.name, served.starts_inside) for name, served in models.items()] == [
        ("qwen2.5-coder-1.5b-instruct", "qwen", "qwen3", False),
        ("deepseek-r1", "http", "deepseek_r1", None),
        ("gpt-4o", "http", "auto", False),
        ("x", "http", "kimi", None),
    ]


@pytest.mark.parametrize(
    ("fields", "inside", "by_request"),
    [
        ({"models": ["deepseek-r1"]}, None, False),
        ({"models": ["qwen3-8b"], "format": "auto"}, None, False),
        ({"models": ["qwen3-max"]}, False, False),
        ({"models": ["qwen3-max"], "starts_inside": True}, True, False),
        ({"models": ["qwen3-max"], "format": "qwen3"}, True, True),
        ({"models": ["x"], "format": "deepseek_r1"}, True, False),
        ({"models": ["x"], "format": "deepseek_r1", "starts_inside": False}, False, False),
        ({"models": ["x"], "format": "qwen3"}, True, True),
        ({"models": ["x"], "format": "qwen3", "starts_inside": True}, True, False),
        ({"models": ["x"], "format": "qwen3", "starts_inside": False}, False, False),
        ({"models": ["x"], "format": "apertus"}, None, False),
        ({"models": ["x"], "format": "custom", "markers": ["<a>", "</a>"]}, None, False),
        ({"models": ["x"], "format": "none"}, None, False),
    ],
)
def test_where_the_answers_of_a_model_begin(fields: dict[str, Any], inside: bool | None, by_request: bool) -> None:
    settings = GatewaySettings.model_validate({"upstream": None, "http_upstreams": [{**API, **fields}]})
    (route,) = settings.models.values()
    assert (route.starts_inside, route.by_request) == (inside, by_request)


def test_the_defaults_are_legal() -> None:
    """Pydantic does not check defaults of its own accord."""
    defaults = GatewaySettings()
    assert GatewaySettings.model_validate(defaults.model_dump()) == defaults


@pytest.mark.parametrize("settings", [GatewaySettings(), LimitSettings()])
def test_settings_are_frozen(settings: GatewaySettings | LimitSettings) -> None:
    name = next(iter(type(settings).model_fields))
    with pytest.raises(ValidationError, match=re.escape("Instance is frozen")):
        setattr(settings, name, getattr(settings, name))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("embedded", "qwen2.5-coder-1.5b-instruct"),
        ("embedded-0.5b", "qwen2.5-coder-0.5b-instruct"),
        ("Qwen/Qwen3-0.6B", "Qwen3-0.6B"),
        ("/models/my-qwen", "my-qwen"),
        ("/models/my-qwen/", "my-qwen"),
        ("my-qwen", "my-qwen"),
    ],
)
def test_a_model_is_named_by_the_last_part_of_its_source(model: str, name: str) -> None:
    assert (UpstreamSettings(model=model).name, PlainApiSettings(model=model).name) == (name, name)

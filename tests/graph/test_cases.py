"""The cases of tests/cases over Serve, on every route: the gateway in front of a scripted API, which writes the
summaries at another path."""

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bench.peers import ROOT
from gateway.config import DeadlineSettings, GatewaySettings, SummarizerSettings
from gateway.upstream_settings import HttpUpstreamSettings
from tests.fakes.answers import PATHS, Answer, Route, ask
from tests.fakes.cluster import Cluster
from tests.fakes.scripted_answer import Request
from tests.fakes.scripted_api import ScriptedApi, in_thread

CASES = {path.stem: json.loads(path.read_text()) for path in (ROOT / "tests" / "cases").glob("*.json")}
STREAMS, LANGUAGES = CASES["streams"], CASES["languages"]
MODEL, SUMMARY_MODEL = "gpt-4o", "summaries"
THOUGHT = ["<think>\nThe sky scatters blue light more than red light.\n</think>\n\nThat is why."]
QUIET: dict[Route, dict[str, Any]] = {
    "native": {"prompt_summary": False, "reasoning": {"summary": "none"}},
    "chat": {},
    "responses": {},
}
"""Fields for an answer without summaries; chat sends them beside the reasoning."""
NAMES = {
    **{"cs": "Czech", "el": "Greek", "en": "English", "fa": "Persian", "hi": "Hindi", "ja": "Japanese", "nl": "Dutch"},
    **{"pl": "Polish", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese", "zh": "Chinese"},
}
"""The names of languages in prompts."""


@pytest.fixture(scope="module")
def api() -> Iterator[ScriptedApi]:
    with in_thread(ScriptedApi(otherwise=THOUGHT, unscripted="/summaries/")) as api:
        yield api


def _name(case: dict[str, Any]) -> str:
    """Return the name of a case's model; with a format of its own the name has no meaning but must be another one."""
    return ":".join(filter(None, [case["model"], case.get("format")]))


@pytest.fixture(scope="module")
def url(cluster: Cluster, api: ScriptedApi) -> Iterator[str]:
    """Deploy a gateway with the models of all cases, and return its URL."""
    from ray import serve

    import graph

    models: dict[str, dict[str, None]] = {"auto": {MODEL: None}}
    for case in STREAMS:
        models.setdefault(case.get("format", "auto"), {})[_name(case)] = None
    upstreams = [
        HttpUpstreamSettings(url=api.url, models=tuple(names), format=format, silence_seconds=5)
        for format, names in models.items()
    ]
    summaries = HttpUpstreamSettings(url=api.url.replace("/v1", "/summaries/v1"), models=(SUMMARY_MODEL,))
    settings = GatewaySettings(
        upstream=None,
        http_upstreams=(*upstreams, summaries),
        summarizer=SummarizerSettings(model=SUMMARY_MODEL),
        deadlines=DeadlineSettings(prompt_summary=1, reasoning_summary=1),
    )
    serve.run(graph.build(settings), name="cases", route_prefix="/cases")
    yield cluster.url("/cases")
    serve.delete("cases", _blocking=False)


class Asked:
    """The requests that the API got for the one with this id."""

    def __init__(self, api: ScriptedApi) -> None:
        self._api, self.id = api, secrets.token_hex(8)

    @property
    def answers(self) -> list[Request]:
        return [request for request in self._all() if "/summaries/" not in request.path]

    @property
    def summaries(self) -> list[Request]:
        return [request for request in self._all() if "/summaries/" in request.path]

    def _all(self) -> list[Request]:
        return [request for request in self._api.requests if request.headers.get("x-request-id") == self.id]


@pytest.fixture
def asked(api: ScriptedApi) -> Asked:
    return Asked(api)


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("route", list(PATHS))
@pytest.mark.parametrize("case", STREAMS, ids=[case["id"] for case in STREAMS])
async def test_what_an_api_streams_arrives_on_every_route(
    http: httpx.AsyncClient, url: str, asked: Asked, case: dict[str, Any], route: Route, stream: bool
) -> None:
    script = json.dumps([*case["steps"], {"finish": case["finish"]}])
    body = {"model": _name(case), "stream": stream, **_question(route, script), **QUIET[route]}
    body |= _on_route(route, case.get("request", {}))
    got = await ask(http, url, route, body, **{"X-Request-Id": asked.id})
    expect = dict(case["expect"])
    if "status" in expect:
        assert (got.status, got.error["code"], len(asked.answers)) == (
            expect["status"],
            expect["code"],
            expect["asked"],
        )
        return
    if failed := expect.pop("failed", None):
        assert failed in got.error["message"]
        if not stream:  # a failure has no answer beside it
            return
    else:
        assert not got.error
    assert _comparable(got) == {"reasoning": "", "response": "", "calls": [], "late": ""} | _stripped(expect)


def _question(route: Route, text: str) -> dict[str, Any]:
    return {"input": text} if route == "responses" else {"messages": [{"role": "user", "content": text}]}


def _on_route(route: Route, fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields of a chat request as they are named on another route."""
    match route, fields:
        case "chat", _:
            return fields
        case "responses", {"reasoning_effort": effort, **rest}:
            return {"reasoning": {"effort": effort}, **_on_route(route, rest)}
        case "responses", {"max_tokens": tokens, **rest}:
            return {"max_output_tokens": tokens, **_on_route(route, rest)}
        case "native", {"reasoning_effort": "none", **rest}:
            return {"reasoning": {"summary": "none", "budget": 0}, **_on_route(route, rest)}
    return fields


def _comparable(got: Answer) -> dict[str, Any]:
    return _stripped({name: getattr(got, name) for name in ("reasoning", "response", "calls", "late")})


def _stripped(fields: dict[str, Any]) -> dict[str, Any]:
    stripped = {name: fields[name].strip() for name in ("reasoning", "late") if name in fields}
    calls = {"calls": [[name, json.loads(arguments)] for name, arguments in fields.get("calls", [])]}
    return fields | stripped | calls


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize(
    ("route", "case"),
    [(route, case) for route in ("chat", "responses") for case in CASES[f"{route}_requests"]],
    ids=lambda value: json.dumps(value["body"])[:60] if isinstance(value, dict) else None,
)
async def test_a_request_is_passed_on_or_taken_or_refused_by_name(
    http: httpx.AsyncClient, url: str, asked: Asked, route: Route, case: dict[str, Any], stream: bool
) -> None:
    body = {"model": MODEL, "stream": stream, **_question(route, "Say hi."), **case["body"]}
    got = await ask(http, url, route, body, **{"X-Request-Id": asked.id})
    if case["verdict"] == "400":
        assert (got.status, len(asked.answers)) == (400, 0)
        assert got.error["param"].startswith(tuple(case["body"]))
        return
    assert (got.status, got.error, got.response) == (200, {}, "That is why.")
    (sent,) = asked.answers
    if case["verdict"] == "passed on":
        assert {name: sent.body.get(name) for name in case["body"]} == case["body"]


@pytest.mark.parametrize(("language", "request_text"), LANGUAGES, ids=[language for language, _ in LANGUAGES])
async def test_summaries_are_asked_for_in_the_language_of_the_request(
    http: httpx.AsyncClient, url: str, asked: Asked, language: str, request_text: str
) -> None:
    body = {"model": MODEL, "stream": True, **_question("native", request_text)}
    got = await ask(http, url, "native", body, **{"X-Request-Id": asked.id})
    assert got.response == "That is why."
    prompts = [request.body["messages"][-1]["content"] for request in asked.summaries]  # examples are in others, too
    assert prompts
    others = [name for tag, name in NAMES.items() if tag not in (language, "en")]
    for prompt in prompts:
        assert NAMES[language] in prompt or language == "en"
        assert not any(name in prompt for name in others)

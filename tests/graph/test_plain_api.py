"""The plain API on Serve over another application's upstream, and the gateway in front of the plain API."""

import asyncio
import json
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse
from ray import serve
from ray.serve.exceptions import DeploymentUnavailableError

from deployments.plain_api import PlainApi
from gateway.config import PlainApiSettings
from tests.fakes.gateway_calls import (
    PLAIN_MODEL,
    THOUGHT,
    THOUGHT_WITHOUT_SUMMARIES,
    WITHOUT_SUMMARIES,
    body,
    running,
    stream,
    types_and_texts,
    until_running,
)

USAGE = {
    "prompt_tokens": 7,
    "completion_tokens": 3,
    "total_tokens": 10,
    "prompt_tokens_details": {"cached_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0},
}
BROKE = {"error": {"message": "it broke", "type": "upstream_error", "param": None, "code": "upstream_error"}}


@pytest.fixture(scope="module")
def url(scripted: str) -> str:
    import graph

    settings = PlainApiSettings(application="scripted", deployment="ScriptedUpstream", model=PLAIN_MODEL)
    serve.run(graph.build_upstream_api(settings), name="plain", route_prefix="/plain")
    return scripted.replace("/scripted", "/plain/v1")


async def chunks(http: httpx.AsyncClient, url: str, asked: dict[str, Any]) -> list[Any]:
    async with aconnect_sse(http, "POST", f"{url}/chat/completions", json=asked) as source:
        source.response.raise_for_status()
        events = [event.data async for event in source.aiter_sse()]
    return [event if event == "[DONE]" else json.loads(event) for event in events]


async def test_a_stream_has_the_models_text_with_its_markers(http: httpx.AsyncClient, url: str) -> None:
    asked = body(*THOUGHT, stream=True, stream_options={"include_usage": True}, model=PLAIN_MODEL)
    got = await chunks(http, url, asked)
    common = {"object": "chat.completion.chunk", "id": got[0]["id"], "created": got[0]["created"], "model": PLAIN_MODEL}

    def chunk(delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        return {**common, "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}]}

    assert got == [
        chunk({"role": "assistant", "content": THOUGHT[0]}),
        *(chunk({"content": text}) for text in THOUGHT[1:]),
        chunk({}, "stop"),
        {**common, "choices": [], "usage": USAGE},
        "[DONE]",
    ]


async def test_a_completion_that_is_not_streamed_has_the_whole_text(http: httpx.AsyncClient, url: str) -> None:
    answer = (await http.post(f"{url}/chat/completions", json=body(*THOUGHT))).json()
    message = {"role": "assistant", "content": "".join(THOUGHT)}
    assert answer == {
        "object": "chat.completion",
        **{name: answer[name] for name in ("id", "created")},
        "model": PLAIN_MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": USAGE,
    }


async def test_the_model_is_listed(http: httpx.AsyncClient, url: str) -> None:
    assert [model["id"] for model in (await http.get(f"{url}/models")).json()["data"]] == [PLAIN_MODEL]


@pytest.mark.parametrize(
    ("asked", "status", "param"),
    [
        ({"n": 2}, 400, "n"),
        ({"max_completion_tokens": 0}, 400, "max_completion_tokens"),
        ({"top_k": "many"}, 400, "top_k"),
        ({"stream_options": {"include_usage": "yes"}}, 400, "stream_options.include_usage"),
        ({"model": "gpt-9"}, 404, "model"),
    ],
)
async def test_a_bad_request_is_refused(
    http: httpx.AsyncClient, url: str, asked: dict[str, Any], status: int, param: str
) -> None:
    response = await http.post(f"{url}/chat/completions", json=body("a", **asked))
    assert (response.status_code, response.json()["error"]["param"]) == (status, param)
    assert param in response.json()["error"]["message"]


@pytest.mark.parametrize("streamed", [True, False])
async def test_what_the_model_is_not_told_is_named(http: httpx.AsyncClient, url: str, streamed: bool) -> None:
    asked = body("a", wish=1, tools=[{"type": "function"}], store=None, stream=streamed)
    response = await http.post(f"{url}/chat/completions", json=asked)
    assert (response.status_code, response.headers["x-gateway-ignored"]) == (200, "tools, wish")


async def test_a_wrong_path_or_method_is_refused_with_the_error_body(http: httpx.AsyncClient, url: str) -> None:
    responses = [await http.get(f"{url}/chat/completions"), await http.get(f"{url}/completions")]
    assert [(response.status_code, response.json()["error"]["message"]) for response in responses] == [
        (405, "Method Not Allowed"),
        (404, "Not Found"),
    ]
    assert responses[0].headers["allow"] == "POST"


async def refusal(api: PlainApi) -> httpx.Response:
    transport = httpx.ASGITransport(api.__serve_build_asgi_app__())
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        return await http.post("/v1/chat/completions", json=body("a"))


@pytest.mark.usefixtures("cluster")
async def test_an_application_that_has_not_started_is_not_ready() -> None:
    response = await refusal(PlainApi(PlainApiSettings(application="later")))
    assert (response.status_code, response.json()["error"]["type"]) == (503, "not_ready")
    assert response.headers["retry-after"] == "2"


async def test_an_application_that_has_stopped_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def remote() -> None:
        raise DeploymentUnavailableError("QwenUpstream of an application")  # type: ignore[arg-type]  # its id, private

    handle = SimpleNamespace(deployment_name="QwenUpstream", options=lambda **_: SimpleNamespace(remote=remote))
    monkeypatch.setattr(serve, "get_deployment_handle", lambda *_, **__: handle)
    response = await refusal(PlainApi(PlainApiSettings()))
    assert (response.status_code, response.json()["error"]["type"]) == (503, "not_ready")


async def test_an_error_in_mid_stream_is_the_last_event(http: httpx.AsyncClient, url: str) -> None:
    got = await chunks(http, url, body("So", {"fail": "it broke"}, stream=True))
    assert got[0]["choices"][0]["delta"] == {"role": "assistant", "content": "So"}
    assert got[1:] == [BROKE]


async def test_an_error_before_the_end_is_the_status_of_a_completion_that_is_not_streamed(
    http: httpx.AsyncClient, url: str
) -> None:
    response = await http.post(f"{url}/chat/completions", json=body("So", {"fail": "it broke"}))
    assert (response.status_code, response.json()) == (502, BROKE)


async def test_a_client_that_disconnects_from_a_stream_stops_the_generation(http: httpx.AsyncClient, url: str) -> None:
    gateway = url.replace("/plain/v1", "/scripted")
    asked = body("So", {"hang": True}, stream=True)
    async with http.stream("POST", f"{url}/chat/completions", json=asked) as response:
        pieces = response.aiter_bytes()
        await anext(pieces)
        assert await running(http, gateway) == 1
    await until_running(0, http, gateway)


async def test_a_client_that_disconnects_from_a_completion_stops_the_generation(
    http: httpx.AsyncClient, url: str
) -> None:
    gateway = url.replace("/plain/v1", "/scripted")
    asking = asyncio.create_task(http.post(f"{url}/chat/completions", json=body("So", {"hang": True})))
    await until_running(1, http, gateway)
    asking.cancel()
    await until_running(0, http, gateway)


@pytest.mark.usefixtures("url")
async def test_the_gateway_in_front_of_the_plain_api_sends_the_same_events(
    http: httpx.AsyncClient, over_http: str
) -> None:
    events = await stream(http, over_http, body(*THOUGHT, model=PLAIN_MODEL, **WITHOUT_SUMMARIES))
    assert types_and_texts(events) == THOUGHT_WITHOUT_SUMMARIES

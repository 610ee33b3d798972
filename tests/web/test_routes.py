"""Failures and limits of the routes, as HTTP has them and openai-python; the models and the OpenAPI document."""

import json
from collections.abc import Sequence
from typing import Any

import openai
import pytest

from gateway.errors import ContextTooLong, UpstreamCut, UpstreamRateLimited
from gateway.upstream import Accepted, Finished
from tests.fakes.scripted_gateway import (
    CALLS,
    CHAT,
    CHAT_TOOLS,
    GOOD,
    MODEL,
    QUESTION,
    TOOLS,
    USAGE,
    http,
    responses_events,
    scripted_gateway,
    sdk,
)
from tests.fakes.session import ScriptedParser


async def test_an_answer_cut_at_its_limit_is_incomplete() -> None:
    cut = [*CALLS[:-3], Finished(finish_reason="length", usage=USAGE)]
    async with sdk(*cut) as client:
        response: Any = await client.responses.create(model=MODEL, input=QUESTION, tools=TOOLS)
        completion = await client.chat.completions.create(**CHAT, tools=CHAT_TOOLS)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert [item.status for item in response.output] == ["completed", "completed", "incomplete"]
    assert completion.choices[0].finish_reason == "length"


FAILING = [*GOOD[:5], UpstreamCut("it was cut off")]


async def test_a_failure_in_mid_stream_reaches_the_sdk() -> None:
    async with sdk(*FAILING) as client:
        chunks: list[Any] = []
        with pytest.raises(openai.APIError, match="it was cut off") as raised:
            async for chunk in await client.chat.completions.create(**CHAT, stream=True):
                chunks.append(chunk)
        events = await responses_events(client, helper=False)
    assert raised.value.code == "upstream_cut"
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "It is 42."
    assert events[-1].type == "response.failed"
    assert (events[-1].response.status, events[-1].response.error.code) == ("failed", "server_error")
    assert events[-2].item.status == "incomplete"


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([ContextTooLong("too long", param="messages")], openai.BadRequestError),
        ([Accepted(), UpstreamRateLimited("later")], openai.InternalServerError),
        (FAILING, openai.InternalServerError),
    ],
)
async def test_a_failure_of_a_whole_answer_is_an_error_of_the_sdk(
    script: Sequence[Any], error: type[openai.APIStatusError]
) -> None:
    async with sdk(*script) as client:
        with pytest.raises(error) as chat:
            await client.chat.completions.create(**CHAT)
        with pytest.raises(error) as responses:
            await client.responses.create(model=MODEL, input=QUESTION)
    for raised in (chat.value, responses.value):
        assert isinstance(raised.body, dict)
        assert sorted(raised.body) == ["code", "message", "param", "type"]


async def test_a_refusal_before_the_stream_has_its_status() -> None:
    async with sdk(ContextTooLong("too long", param="messages")) as client:
        with pytest.raises(openai.BadRequestError) as raised:
            await client.responses.create(model=MODEL, input=QUESTION, stream=True)
        with pytest.raises(openai.NotFoundError):
            await client.chat.completions.create(**{**CHAT, "model": "gpt-9"}, stream=True)
        with pytest.raises(openai.BadRequestError, match="n: "):
            await client.chat.completions.create(**CHAT, n=2)
    assert raised.value.code == "context_length_exceeded"


async def test_more_messages_than_the_limit_are_refused() -> None:
    messages = [{"role": "user", "content": QUESTION}] * 4
    async with http(ScriptedParser(*GOOD), limits={"messages": 3}) as client:
        chat = await client.post("/v1/chat/completions", json={"messages": messages})
        responses = await client.post("/v1/responses", json={"input": messages})
    assert [(answer.status_code, answer.json()["error"]["param"]) for answer in (chat, responses)] == [
        (400, "messages"),
        (400, "input"),
    ]


def test_the_document_names_every_route() -> None:
    document = scripted_gateway(ScriptedParser()).openapi()
    assert "$ref" not in json.dumps(document["paths"]["/v1/responses"]["post"]["requestBody"])
    assert sorted(document["paths"]) == [
        "/v1/chat/completions",
        "/v1/models",
        "/v1/models/{id}",
        "/v1/reasoning",
        "/v1/responses",
    ]

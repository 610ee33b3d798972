"""Requests of the OpenAI routes: a refusal names the field, anything valid becomes an upstream request."""

import json
from typing import Any, Literal

import pytest

from gateway.errors import InvalidRequest
from gateway.requests.base import BaseRequest, ReasoningOptions
from gateway.requests.chat_completions import ChatCompletionsRequest
from gateway.requests.responses import ResponsesRequest
from gateway.upstream import Message, Tool, ToolCall, ToolChoice, UpstreamRequest

HI = {"role": "user", "content": "hi"}
FUNCTION = {"name": "f", "description": "Does.", "parameters": {"type": "object"}, "strict": True}
CHAT_TOOL = {"type": "function", "function": FUNCTION}
TOOL = Tool(name="f", description="Does.", parameters={"type": "object"}, strict=True)
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
ITEM_CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
ITEM_RESULT = {"type": "function_call_output", "call_id": "c", "output": "1"}


def chat(**asked: Any) -> ChatCompletionsRequest:
    """Return a request for the cluster's Qwen."""
    request = ChatCompletionsRequest.parse(json.dumps({"messages": [HI], **asked}).encode())
    request.admit("qwen")
    return request


def responses(**asked: Any) -> ResponsesRequest:
    """Return a request for the cluster's Qwen."""
    request = ResponsesRequest.parse(json.dumps({"input": "hi", **asked}).encode())
    request.admit("qwen")
    return request


def refused(kind: type[BaseRequest], body: dict[str, Any], upstream: Literal["qwen", "http"]) -> tuple[str | None, str]:
    with pytest.raises(InvalidRequest) as raised:
        kind.parse(json.dumps(body).encode()).admit(upstream)
    return raised.value.param, raised.value.message


@pytest.mark.parametrize("upstream", ["qwen", "http"])
@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"n": 2}, "n"),
        ({"n": 0}, "n"),
        ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage"),
        ({"reasoning_effort": 5}, "reasoning_effort"),
        ({"tools": "web_search"}, "tools"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{**HI, "tool_calls": CALL}]}, "messages.0.tool_calls"),
        ({"messages": [{"role": "assistant", "tool_calls": ["c"]}]}, "messages.0.tool_calls.0"),
    ],
)
def test_a_refusal_of_a_chat_completion_names_the_field(
    asked: dict[str, Any], param: str, upstream: Literal["qwen", "http"]
) -> None:
    named, message = refused(ChatCompletionsRequest, {"messages": [HI], **asked}, upstream)
    assert named == param
    assert message.startswith(f"{param}: ")


OTHER_TOOL = {"type": "web_search"}
NAMED = {"type": "function", "function": {"name": "g"}}


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"response_format": {"type": "json_object"}}, "response_format.type"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools.0.function.name"),
        ({"tools": [OTHER_TOOL, {"type": "function", "function": {}}]}, "tools.1.function.name"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tools": [CHAT_TOOL], "tool_choice": NAMED}, "tool_choice"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content.0.type"),
        ({"messages": [HI, {"role": "assistant", "content": "x"}]}, "messages"),
    ],
)
def test_a_chat_completion_that_the_qwen_cannot_do_goes_to_an_api_as_it_came(asked: dict[str, Any], param: str) -> None:
    body = {"messages": [HI], **asked}
    assert refused(ChatCompletionsRequest, body, "qwen")[0] == param
    request = ChatCompletionsRequest.parse(json.dumps(body).encode())
    left = request.admit("http")
    sent = request.chat()
    assert {name: sent[name] for name in asked if name != "tools"} == {k: v for k, v in asked.items() if k != "tools"}
    assert left == [f"tools.{n} (web_search)" for n, tool in enumerate(asked.get("tools", ())) if tool == OTHER_TOOL]


@pytest.mark.parametrize("upstream", ["qwen", "http"])
@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"background": True}, "background"),
        ({"conversation": "c"}, "conversation"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"reasoning": {"summary": "long"}}, "reasoning.summary"),
        ({"temperature": "hot"}, "temperature"),
        ({"metadata": "a"}, "metadata"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input.0.type"),
        ({"input": [{"id": "x"}]}, "input.0.type"),
        ({"input": [{"type": 5}]}, "input.0.type"),
        ({"input": [{"role": "user", "content": 5}]}, "input.0.content"),
        ({"input": [{"role": "user", "content": [{"type": "input_text"}]}]}, "input.0.content.0.text"),
        ({"input": [{"type": "web_search_call", "id": "w"}]}, "input"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input.0.content.0.type",
        ),
    ],
)
def test_a_refusal_of_a_response_names_the_field(
    asked: dict[str, Any], param: str, upstream: Literal["qwen", "http"]
) -> None:
    named, message = refused(ResponsesRequest, {"input": "hi", **asked}, upstream)
    assert named == param
    assert message.startswith(f"{param}: ")


def test_a_reference_to_an_item_is_told_what_to_send() -> None:
    _, message = refused(ResponsesRequest, {"input": [HI, {"type": "item_reference", "id": "x"}]}, "http")
    assert "store: false" in message


@pytest.mark.parametrize(
    ("asked", "param"),
    [
        ({"tools": [{"type": "function", "name": "a b"}]}, "tools.0.name"),
        ({"tool_choice": {"type": "function", "name": "g"}}, "tool_choice"),
        ({"text": {"format": {"type": "json_schema", "name": "x", "schema": {}}}}, "text.format.type"),
        ({"reasoning": {"effort": "huge"}}, "reasoning.effort"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"presence_penalty": 3}, "presence_penalty"),
        ({"input": ""}, "input"),
        ({"input": [HI, ITEM_CALL]}, "input"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "data:,"}]}]},
            "input.0.content.0.type",
        ),
        (
            {"input": [{**ITEM_RESULT, "output": [{"type": "input_file", "file_data": "data:,"}]}]},
            "input.0.output.0.type",
        ),
    ],
)
def test_a_response_that_the_qwen_cannot_do_goes_to_an_api(asked: dict[str, Any], param: str) -> None:
    body = {"input": "hi", **asked}
    assert refused(ResponsesRequest, body, "qwen")[0] == param
    assert ResponsesRequest.parse(json.dumps(body).encode()).admit("http") == []


def test_a_full_chat_completion_is_translated() -> None:
    request = chat(
        model="qwen",
        messages=[
            {"role": "developer", "content": "Be brief."},
            HI,
            {"role": "assistant", "content": None, "tool_calls": [CALL], "reasoning_content": "Secret."},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "1"}]},
        ],
        max_tokens=9,
        max_completion_tokens=64,
        temperature=0.5,
        top_p=0.9,
        stop="END",
        seed=7,
        user="me",
        n=1,
        response_format={"type": "text"},
        reasoning_effort="high",
        tools=[CHAT_TOOL],
        tool_choice={"type": "function", "function": {"name": "f"}},
        parallel_tool_calls=False,
        stream=True,
        stream_options={"include_usage": True},
    )
    assert request.to_upstream("1", "qwen") == UpstreamRequest(
        id="1",
        model="qwen",
        messages=(
            Message(role="system", content="Be brief."),
            Message(role="user", content="hi"),
            Message(
                role="assistant",
                content="",
                reasoning="Secret.",
                tool_calls=(ToolCall(id="c", name="f", arguments="{}"),),
            ),
            Message(role="tool", content="1", tool_call_id="c"),
        ),
        max_tokens=64,
        temperature=0.5,
        top_p=0.9,
        seed=7,
        stop=("END",),
        effort="high",
        tools=(TOOL,),
        tool_choice=ToolChoice(mode="required", name="f"),
        parallel_tool_calls=False,
    )
    assert (request.stream, request.include_usage, request.prompt_summary) == (True, True, False)
    assert request.reasoning == ReasoningOptions(order="eager")


def test_a_full_response_is_translated() -> None:
    request = responses(
        model="qwen",
        instructions="Be brief.",
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Secret."}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "So."}]},
            ITEM_CALL,
            ITEM_RESULT,
        ],
        max_output_tokens=64,
        temperature=0.5,
        top_p=0.9,
        metadata={"a": "b"},
        reasoning={"effort": "minimal", "summary": "concise"},
        tools=[{"type": "function", **FUNCTION}],
        tool_choice="auto",
        parallel_tool_calls=True,
        store=False,
        include=["reasoning.encrypted_content"],
        text={"format": {"type": "text"}},
    )
    assert request.to_upstream("1", "qwen") == UpstreamRequest(
        id="1",
        model="qwen",
        messages=(
            Message(role="system", content="Be brief."),
            Message(role="user", content="hi"),
            Message(
                role="assistant",
                content="So.",
                reasoning="Secret.",
                tool_calls=(ToolCall(id="c", name="f", arguments="{}"),),
            ),
            Message(role="tool", content="1", tool_call_id="c"),
        ),
        max_tokens=64,
        temperature=0.5,
        top_p=0.9,
        effort="minimal",
        tools=(TOOL,),
        tool_choice=ToolChoice(mode="auto"),
        parallel_tool_calls=True,
    )
    assert request.reasoning == ReasoningOptions(summary="final")
    assert not request.prompt_summary
    echo = request.echo()
    assert (echo["metadata"], echo["instructions"], echo["store"]) == ({"a": "b"}, "Be brief.", False)


@pytest.mark.parametrize(
    ("reasoning", "options", "prompt_summary"),
    [
        (None, ReasoningOptions(summary="none"), False),
        ({"effort": "none"}, ReasoningOptions(summary="none", budget=0), False),
        ({"summary": "auto"}, ReasoningOptions(), True),
        ({"summary": "detailed"}, ReasoningOptions(), True),
        ({"summary": "concise"}, ReasoningOptions(summary="final"), True),
    ],
)
def test_a_response_has_a_summary_or_the_trace_never_both(
    reasoning: dict[str, Any] | None, options: ReasoningOptions, prompt_summary: bool
) -> None:
    request = responses(reasoning=reasoning)
    assert (request.reasoning, request.prompt_summary, request.hides_trace) == (options, prompt_summary, prompt_summary)


@pytest.mark.parametrize(
    ("effort", "budget", "named"), [(None, None, None), ("none", 0, None), ("low", None, "low"), ("max", None, "max")]
)
def test_efforts_become_budgets_or_words(effort: str | None, budget: int | None, named: str | None) -> None:
    for request in (chat(reasoning_effort=effort), responses(reasoning={"effort": effort})):
        asked = request.to_upstream("1", "qwen")
        assert (asked.budget, asked.effort, request.reasoning.budget) == (budget, named, budget)


def test_reasoning_and_calls_are_no_turns_of_their_own() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    items = [{"role": "user", "content": "hi"}, {"type": "reasoning", "summary": []}, call]
    output = {"type": "function_call_output", "call_id": "c", "output": "1"}
    assert ResponsesRequest.count_turns([*items, output]) == 2
    assert ResponsesRequest.count_turns("hi") == 0

"""Responses in front of an API: what has a counterpart in a chat completion is translated, the rest left and named."""

from typing import Any

import pytest

from tests.fakes.asking import HEADER, RESPONSES, ask, ask_the_qwen

FUNCTION = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": None}
TOLD = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
CALL = {
    "type": "function_call",
    "call_id": "c",
    "name": "weather",
    "arguments": "{}",
    "id": "fc_1",
    "status": "completed",
}
RESULT = {"type": "function_call_output", "call_id": "c", "output": "sunny"}
TOLD_CALL = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
TOLD_RESULT = {"role": "tool", "tool_call_id": "c", "content": "sunny"}
GO = {"role": "user", "content": "Go."}
SCHEMA = {"type": "object"}


@pytest.mark.parametrize(
    ("body", "told", "ignored"),
    [
        ({}, {}, ""),
        ({"max_output_tokens": 9}, {"max_tokens": 9}, ""),
        ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}, ""),
        ({"reasoning": {"effort": "ultra", "summary": "auto"}}, {"reasoning_effort": "ultra"}, ""),
        ({"reasoning": {"summary": None, "generate_summary": "auto"}}, {}, ""),
        ({"reasoning": {"context": "all"}}, {}, "reasoning.context"),
        ({"text": {"verbosity": "low", "format": {"type": "text"}}}, {"verbosity": "low"}, ""),
        ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}, ""),
        (
            {"text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA, "strict": True}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "schema": SCHEMA, "strict": True},
                }
            },
            "",
        ),
        ({"metadata": {"a": "b"}, "user": "me"}, {"metadata": {"a": "b"}, "user": "me"}, ""),
        ({"service_tier": "auto", "safety_identifier": "s"}, {"service_tier": "auto", "safety_identifier": "s"}, ""),
        ({"store": True}, {"store": True}, ""),
        ({"store": False}, {}, ""),
        ({"top_logprobs": 0}, {}, ""),
        ({"top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}, ""),
        ({"presence_penalty": 1, "top_k": 5, "stop": ["x"]}, {"presence_penalty": 1, "top_k": 5, "stop": ["x"]}, ""),
        ({"chat_template_kwargs": {"a": 1}}, {"chat_template_kwargs": {"a": 1}}, ""),
        ({"truncation": "disabled", "background": False, "previous_response_id": None}, {}, ""),
        ({"truncation": "auto"}, {}, "truncation"),
        ({"include": ["reasoning.encrypted_content"]}, {}, ""),
        ({"include": ["file_search_call.results"]}, {}, "include"),
        ({"client_metadata": {"a": "b"}, "max_tool_calls": 5}, {}, "client_metadata, max_tool_calls"),
        ({"tools": [FUNCTION], "tool_choice": "auto"}, {"tools": [TOLD], "tool_choice": "auto"}, ""),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "function", "name": "any"}, "parallel_tool_calls": False},
            {
                "tools": [TOLD],
                "tool_choice": {"type": "function", "function": {"name": "any"}},
                "parallel_tool_calls": False,
            },
            "",
        ),
        (
            {"tools": [FUNCTION], "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [FUNCTION]}},
            {
                "tools": [TOLD],
                "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [TOLD]}},
            },
            "",
        ),
        ({"tools": [FUNCTION, {"type": "web_search"}]}, {"tools": [TOLD]}, "tools.1 (web_search)"),
        ({"tools": [{"type": "namespace", "name": "mcp", "tools": []}]}, {}, "tools.0 (namespace)"),
        ({"tools": [{"type": "custom", "name": "apply_patch"}, FUNCTION]}, {"tools": [TOLD]}, "tools.0 (custom)"),
        (
            {"tools": [FUNCTION, {"type": "web_search"}], "tool_choice": {"type": "web_search"}},
            {"tools": [TOLD]},
            "tools.1 (web_search), tool_choice",
        ),
        ({"tools": [], "tool_choice": "auto", "parallel_tool_calls": True}, {}, ""),
    ],
    ids=str,
)
async def test_fields_are_translated_or_left(body: dict[str, Any], told: dict[str, Any], ignored: str) -> None:
    answer, chat = await ask(RESPONSES, body)
    assert answer.status_code == 200, answer.text
    assert chat == {"messages": [{"role": "user", "content": "Say hi."}], **told}
    assert answer.headers.get(HEADER, "") == ignored
    assert answer.json()["store"] is False


def said(*pieces: Any) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": list(pieces)}


def hm(*texts: str, summary: Any = ()) -> dict[str, Any]:
    """Return a reasoning item with a trace, summaries, or both."""
    parts = [{"type": "summary_text", "text": text} for text in summary]
    return {
        "type": "reasoning",
        "id": "rs",
        "summary": parts,
        "content": [{"type": "reasoning_text", "text": text} for text in texts],
    }


def answered(content: str = "b", reasoning: str | None = None, calls: Any = ()) -> dict[str, Any]:
    """Return the assistant's turn of a chat completion."""
    turn: dict[str, Any] = {"role": "assistant", "content": content}
    if calls:
        turn["tool_calls"] = list(calls)
    return {**turn, "reasoning_content": reasoning} if reasoning else turn


A, B = {"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b", "annotations": [], "logprobs": []}
DONE = {"role": "assistant", "content": [B]}
PICTURE = {"type": "input_image", "image_url": "http://i", "detail": "low"}
TOLD_A, TOLD_PICTURE = (
    {"type": "text", "text": "a"},
    {"type": "image_url", "image_url": {"url": "http://i", "detail": "low"}},
)
FILE = {"type": "input_file", "filename": "f", "file_data": "data:,"}
TOLD_FILE = {"type": "file", "file": {"file_data": "data:,", "filename": "f"}}
REFUSAL = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
PROMPT = hm(summary=["**Prompt**\n\nIt.\n\n"])
CALLED = answered("", calls=[TOLD_CALL])


@pytest.mark.parametrize(
    ("items", "turns", "ignored"),
    [
        ([{"type": "message", **GO, "id": "m", "status": "completed"}], [GO], ""),
        ([said(A, A)], [{"role": "user", "content": "a\na"}], ""),
        ([{"role": "developer", "content": "Brief."}, GO], [{"role": "system", "content": "Brief."}, GO], ""),
        ([GO, {"role": "assistant"}, GO], [GO, answered(""), GO], ""),
        ([GO, {"role": "assistant", "content": None}], [GO, answered("")], ""),
        ([GO, {"role": "critic", "content": "Hm."}], [GO, {"role": "critic", "content": "Hm."}], ""),
        ([GO, REFUSAL, GO], [GO, answered("No."), GO], ""),
        # Pictures and files.
        ([said(A, PICTURE)], [{"role": "user", "content": [TOLD_A, TOLD_PICTURE]}], ""),
        ([said(FILE)], [{"role": "user", "content": [TOLD_FILE]}], ""),
        ([CALL, {**RESULT, "output": [PICTURE]}], [CALLED, {**TOLD_RESULT, "content": [TOLD_PICTURE]}], ""),
        ([said(A, {"type": "hologram"})], [{"role": "user", "content": "a"}], "input.0.content.1 (hologram)"),
        # Calls and results.
        ([GO, DONE, CALL, RESULT], [GO, answered(calls=[TOLD_CALL]), TOLD_RESULT], ""),
        ([CALL, {**CALL, "call_id": "d"}], [answered("", calls=[TOLD_CALL, {**TOLD_CALL, "id": "d"}])], ""),
        ([GO, CALL, {**RESULT, "output": [A]}], [GO, CALLED, {**TOLD_RESULT, "content": "a"}], ""),
        ([GO, {"type": "web_search_call", "id": "w"}, DONE], [GO, answered()], "input.1 (web_search_call)"),
        ([{"type": "custom_tool_call", "call_id": "x", "input": "y"}, GO], [GO], "input.0 (custom_tool_call)"),
        # Reasoning, on the turn that it led to.
        ([GO, hm("Hm."), CALL, RESULT], [GO, answered("", "Hm.", [TOLD_CALL]), TOLD_RESULT], ""),
        ([GO, hm(summary=["So."]), DONE, GO], [GO, answered("b", "So."), GO], ""),
        ([GO, hm("Hm.", summary=["So."]), DONE, GO], [GO, answered("b", "Hm."), GO], ""),
        ([GO, PROMPT, hm(summary=["A.\n\n", "B.\n\n"]), DONE], [GO, answered("b", "A.\n\nB.")], ""),
        ([GO, PROMPT, hm("Hm."), DONE, CALL], [GO, answered("b", "Hm.", [TOLD_CALL])], ""),
        ([GO, DONE, hm("Late."), GO], [GO, answered("b", "Late."), GO], ""),
        ([GO, hm(), DONE, GO], [GO, answered(), GO], ""),
        ([GO, {"type": "reasoning", "summary": []}, GO], [GO, GO], ""),
        ([GO, {"type": "reasoning", "summary": None, "encrypted_content": "x"}, DONE], [GO, answered()], ""),
        ([GO, hm("Lost."), GO, DONE, GO], [GO, GO, answered(), GO], ""),
        (
            [GO, hm("1"), CALL, RESULT, hm("2"), DONE, GO],
            [GO, answered("", "1", [TOLD_CALL]), TOLD_RESULT, answered("b", "2"), GO],
            "",
        ),
    ],
    ids=str,
)
async def test_items_are_translated_to_turns(items: list[Any], turns: list[Any], ignored: str) -> None:
    answer, chat = await ask(RESPONSES, {"input": items})
    assert answer.status_code == 200, answer.text
    assert chat["messages"] == turns
    assert answer.headers.get(HEADER, "") == ignored


async def test_what_means_nothing_to_the_qwen_is_named() -> None:
    body = {
        "store": True,
        "user": "me",
        "metadata": {"a": "b"},
        "text": {"verbosity": "low"},
        "top_logprobs": 2,
        "truncation": "auto",
        "tools": [{"type": "web_search"}],
    }
    answer, request = await ask_the_qwen(RESPONSES, body)
    assert (
        answer.headers[HEADER]
        == "truncation, tools.0 (web_search), user, store, text.verbosity, logprobs, top_logprobs"
    )
    assert (request.chat, request.tools) == (None, ())
    assert answer.json()["metadata"] == {"a": "b"}

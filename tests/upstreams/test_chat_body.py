"""Bodies for an API: what the client wrote, but for the model, the stream, reasoning and what the operator says."""

import json
from typing import Any

import pytest

from gateway.errors import InvalidRequest
from gateway.upstream import Message, UpstreamRequest
from gateway.upstream_settings import HttpUpstreamSettings
from upstreams.chat_body import ChatBodies

USER, RESULT = {"role": "user", "content": "Go."}, {"role": "tool", "tool_call_id": "c", "content": "1"}
CALLS: dict[str, Any] = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c", "type": "function", "function": {}}],
}
SAYS = {"role": "assistant", "content": "So."}
HM = {"reasoning_content": "Hm."}


def bodies(**settings: Any) -> ChatBodies:
    return ChatBodies(HttpUpstreamSettings(url="http://127.0.0.1/v1", models=("m",), **settings))


def asked(chat: dict[str, Any] | None, **fields: Any) -> UpstreamRequest:
    return UpstreamRequest(id="1", model="m", messages=(Message(role="user", content="Go."),), chat=chat, **fields)


def turns_sent(turns: list[Any], field: str | None = None, **settings: Any) -> Any:
    sent = bodies(**settings)
    sent.learn("m", field)
    return sent.body(asked({"messages": turns}))["messages"]


def test_the_gateways_own_requests_have_their_fields() -> None:
    sent = bodies().body(asked(None, max_tokens=5, temperature=0.0, seed=1, stop=("x",), effort="low"))
    assert sent == {
        "model": "m",
        "messages": [USER],
        "stream": True,
        "max_tokens": 5,
        "temperature": 0.0,
        "seed": 1,
        "stop": ["x"],
        "reasoning_effort": "low",
    }


@pytest.mark.parametrize(
    ("way", "sent"),
    [
        (None, {"messages": [USER]}),
        ("turn", {"messages": [USER, {"role": "assistant", "content": "**"}], "stop": ["\n"]}),
        ("prefix", {"messages": [USER, {"role": "assistant", "content": "**", "prefix": True}], "stop": ["\n"]}),
        (
            "continue_final_message",
            {
                "messages": [USER, {"role": "assistant", "content": "**"}],
                "stop": ["\n"],
                "add_generation_prompt": False,
                "continue_final_message": True,
            },
        ),
    ],
)
def test_the_beginning_of_an_answer_is_sent_as_the_operator_says(way: str | None, sent: dict[str, Any]) -> None:
    body = bodies(prefill=way).body(asked(None, stop=("\n",), prefill="**"))
    assert body == {"model": "m", "stream": True, **sent}


@pytest.mark.parametrize(
    ("settings", "budget", "added"),
    [
        ({"body": {"top_k": 1, "user": "me"}}, None, {"top_k": 1, "user": "me"}),
        (
            {"body": {"stream_options": {"include_usage": True}}},
            None,
            {"stream_options": {"a": 1, "include_usage": True}},
        ),
        ({"no_thinking": {"think": False}}, None, {}),
        ({"no_thinking": {"think": False}}, 0, {"think": False}),
        ({"body": {"think": True}, "no_thinking": {"think": False}}, 0, {"think": False}),
    ],
)
def test_the_operators_fields_are_added(settings: dict[str, Any], budget: int | None, added: dict[str, Any]) -> None:
    chat = {"messages": [USER], "user": "you", "stream_options": {"a": 1}}
    assert bodies(**settings).body(asked(chat, budget=budget)) == {**chat, "model": "m", "stream": True, **added}


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("user", {"messages": [{**USER, "name": "bob"}], "tools": [{"function": {"strict": True}}]}),
        ("wish", {"messages": [{**USER, "name": "bob"}], "tools": [{"function": {"strict": True}}], "user": "me"}),
        ("messages.name", {"messages": [USER], "tools": [{"function": {"strict": True}}], "user": "me"}),
        ("tools.function.strict", {"messages": [{**USER, "name": "bob"}], "tools": [{"function": {}}], "user": "me"}),
        ("user.name", {"messages": [{**USER, "name": "bob"}], "tools": [{"function": {"strict": True}}], "user": "me"}),
    ],
)
def test_the_operators_fields_are_taken_out(path: str, left: dict[str, Any]) -> None:
    chat = {"messages": [{**USER, "name": "bob"}], "tools": [{"function": {"strict": True}}], "user": "me"}
    before = json.dumps(chat)
    assert bodies(drop_fields=(path,)).body(asked(chat)) == {**left, "model": "m", "stream": True}
    assert json.dumps(chat) == before


@pytest.mark.parametrize("path", ["model", "messages", "stream", "", "a.", ".a"])
def test_a_field_that_every_request_has_cannot_be_taken_out(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be taken out"):
        bodies(drop_fields=(path,))


def test_a_budget_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        bodies().body(asked(None, budget=5))


def test_a_block_stays_where_no_reasoning_goes_back() -> None:
    turns = [USER, {**SAYS, "content": "<think>Hm.</think>So."}, USER, {**SAYS, "content": "<think>Hm.</think>So."}]
    assert turns_sent(turns) == turns


@pytest.mark.parametrize(
    ("back", "kept"),
    [
        # The turns: said before, called before, asked again, called, and said beside the call.
        ("never", []),
        ("tools", [5]),
        ("always", [1, 2, 5, 7]),
    ],
)
def test_reasoning_goes_back_on_the_turns_that_the_operator_says(back: str, kept: list[int]) -> None:
    turns = [USER, {**SAYS, **HM}, {**CALLS, **HM}, RESULT, USER, {**CALLS, **HM}, RESULT, {**SAYS, **HM}]
    sent = turns_sent(turns, reasoning_back=back)
    assert [index for index, turn in enumerate(sent) if "reasoning_content" in turn] == kept
    bare = [{name: value for name, value in turn.items() if name != "reasoning_content"} for turn in turns]
    assert [{name: value for name, value in turn.items() if name != "reasoning_content"} for turn in sent] == bare


def text(said: str) -> dict[str, Any]:
    return {"type": "reasoning.text", "text": said}


def summary(said: str) -> dict[str, Any]:
    return {"type": "reasoning.summary", "summary": said}


PIECES = {"reasoning_details": [text("H"), text("m.")]}
PROMPT = "**Prompt**\n\nIt."
SIGNED = [{**text("Hm."), "signature": "s"}]
SEALED = [{"type": "reasoning.encrypted", "data": "s"}]


@pytest.mark.parametrize(
    ("came", "field", "sent"),
    [
        # Until the API has shown its field, the client's of the two that are a text.
        (HM, None, HM),
        ({"reasoning": "Hm."}, None, {"reasoning": "Hm."}),
        ({"reasoning": "Hm.", "reasoning_details": [text("Hm.")]}, None, {"reasoning": "Hm."}),
        ({"thinking": "Hm."}, None, HM),
        (PIECES, None, HM),
        ({"thinking_blocks": [{"type": "thinking", "thinking": "Hm."}]}, None, HM),
        # Then the API's own.
        ({"reasoning": "Hm."}, "reasoning_content", HM),
        (HM, "reasoning", {"reasoning": "Hm."}),
        (HM, "thinking", {"thinking": "Hm."}),
        ({"reasoning_content": "Hm.", "reasoning": "Hm."}, "reasoning_content", HM),
        (HM, "reasoning_details", {"reasoning_details": [text("Hm.")]}),
        (PIECES, "reasoning_details", PIECES),
        (HM, "thinking_blocks", {"thinking_blocks": [{"type": "thinking", "thinking": "Hm."}]}),
        # The trace before the summaries; the summary of the prompt is none of the reasoning.
        ({**HM, "reasoning_details": [summary("So.")]}, "reasoning_content", HM),
        ({"reasoning_details": [summary("So."), text("Hm.")]}, "reasoning_content", HM),
        ({"reasoning_details": [summary(PROMPT), summary("Hm.")]}, "reasoning_content", HM),
        ({"reasoning_details": [summary(PROMPT)]}, "reasoning_content", {}),
        ({"reasoning": PROMPT}, "reasoning_content", {}),
        ({"reasoning": f"{PROMPT}\n\n**Step**\n\nHm."}, "reasoning_content", {"reasoning_content": "**Step**\n\nHm."}),
        # Blocks before the words, from clients that do not know the model.
        ({"content": "<think>\nHm.\n</think>"}, "reasoning", {"content": "", "reasoning": "Hm."}),
        ({"content": "<think>\nH\n</think>\n<think>m</think>\nX"}, "thinking", {"content": "X", "thinking": "H\n\nm"}),
        ({**HM, "content": "<think>So.</think>"}, None, {**HM, "content": ""}),
        ({"content": "So <think>Hm.</think>"}, None, {"content": "So <think>Hm.</think>"}),
        ({"content": "<think>Hm."}, None, {"content": "<think>Hm."}),
        # What an API has signed or sealed, as it came.
        ({"reasoning_details": SIGNED}, "reasoning", {"reasoning": "Hm.", "reasoning_details": SIGNED}),
        ({"reasoning_details": SEALED}, "reasoning", {"reasoning_details": SEALED}),
        # Nothing, in all its forms.
        ({"reasoning_content": ""}, None, {}),
        ({"reasoning_content": None, "reasoning": None}, None, {}),
        ({"reasoning_details": []}, None, {}),
        ({"reasoning_content": 5, "reasoning_details": "x"}, "reasoning", {"reasoning": "x"}),
    ],
)  # fmt: skip
def test_reasoning_goes_back_in_the_field_of_the_api(came: Any, field: str | None, sent: Any) -> None:
    assert turns_sent([USER, {**CALLS, **came}, RESULT], field) == [USER, {**CALLS, **sent}, RESULT]


def test_each_model_has_a_field_of_its_own() -> None:
    sent = bodies()
    sent.learn("another", "reasoning")
    sent.learn("m", None)
    assert sent.body(asked({"messages": [USER, {**CALLS, **HM}]}))["messages"][1] == {**CALLS, **HM}

"""The device of the Qwen, and the request that its harness is given."""

from typing import Any, Literal

import pytest
import ray
import torch

from deployments.qwen_request import to_generation_request
from deployments.qwen_upstream import _device
from engine.harness import GenerationRequest
from gateway.upstream import Message, Tool, ToolCall, ToolChoice, UpstreamRequest
from gateway.upstream_settings import UpstreamSettings


@pytest.mark.parametrize(
    ("assigned", "usable", "setting", "device"),
    [
        ([], True, "auto", "cpu"),
        ([], False, "cpu", "cpu"),
        ([0], True, "auto", "cuda"),
        ([0], False, "auto", "cpu"),
        ([0], False, "cuda", "cuda"),
    ],
)
def test_the_device_is_what_ray_assigned(
    monkeypatch: pytest.MonkeyPatch,
    assigned: list[int],
    usable: bool,
    setting: Literal["auto", "cuda", "cpu"],
    device: str,
) -> None:
    monkeypatch.setattr(ray, "get_gpu_ids", lambda: assigned)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: usable)
    assert _device(UpstreamSettings(device=setting)) == device


SETTINGS = UpstreamSettings(thinking_budget=9)
CALL = ToolCall(id="call_1", name="weather", arguments='{"city": "Oslo"}')
TOOL = Tool(name="weather", parameters={"type": "object"})
SHOWN = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]


def translated(**fields: Any) -> GenerationRequest:
    messages = (Message(role="user", content="Is it sunny?"),)
    request = UpstreamRequest(**{"id": "1", "messages": messages, "tools": (TOOL,), **fields})
    return to_generation_request(request, SETTINGS)


def test_a_request_is_translated_field_by_field() -> None:
    fields: dict[str, Any] = {"max_tokens": 9, "temperature": 0.5, "top_p": 0.6, "seed": 7, "stop": ("x",)}
    assert translated(**fields, budget=8, prefill="It") == GenerationRequest(
        messages=[{"role": "user", "content": "Is it sunny?"}], budget=8, prefill="It", tools=SHOWN, **fields
    )


def test_the_template_writes_the_arguments_of_earlier_calls() -> None:
    turns = (
        Message(role="assistant", content="", tool_calls=(CALL,)),
        Message(role="tool", content="sunny", tool_call_id="call_1"),
    )
    request = translated(messages=turns)
    function = {"name": "weather", "arguments": {"city": "Oslo"}}
    assert request.messages == [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
        },
        {"role": "tool", "content": "sunny", "tool_call_id": "call_1"},
    ]
    assert request.tools == SHOWN


@pytest.mark.parametrize(
    ("choice", "tools", "prefill"),
    [
        (None, SHOWN, ""),
        (ToolChoice(mode="auto"), SHOWN, ""),
        (ToolChoice(mode="none"), [], ""),
        (ToolChoice(mode="required"), SHOWN, '<tool_call>\n{"name": "'),
        (ToolChoice(mode="required", name="weather"), SHOWN, '<tool_call>\n{"name": "weather", "arguments": '),
    ],
)
def test_a_choice_shows_hides_or_begins_a_call(choice: ToolChoice | None, tools: Any, prefill: str) -> None:
    request = translated(tool_choice=choice)
    assert (request.tools, request.prefill) == (tools, prefill)


@pytest.mark.parametrize(("parallel", "stop"), [(None, ("x",)), (True, ("x",)), (False, ("x", "</tool_call>"))])
def test_one_call_and_no_more_ends_with_its_end(parallel: bool | None, stop: tuple[str, ...]) -> None:
    assert translated(parallel_tool_calls=parallel, stop=("x",)).stop == stop


@pytest.mark.parametrize(
    ("fields", "budget"),
    [({}, 9), ({"effort": "low"}, 128), ({"effort": "max"}, 2048), ({"budget": 0}, 0), ({"budget": 7}, 7)],
)
def test_an_effort_is_a_budget_of_thinking(fields: dict[str, Any], budget: int) -> None:
    assert translated(**fields).budget == budget


def test_the_template_is_shown_the_reasoning_of_earlier_turns() -> None:
    turns = (Message(role="assistant", content="So.", reasoning="Hm."), Message(role="user", content="And?"))
    assert translated(messages=turns).messages == [
        {"role": "assistant", "content": "So.", "reasoning_content": "Hm."},
        {"role": "user", "content": "And?"},
    ]


def test_the_sampler_is_told_what_was_asked() -> None:
    asked: dict[str, Any] = {
        "top_k": 20,
        "min_p": 0.1,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "repetition_penalty": 1.1,
        "logit_bias": {7: -100.0},
    }
    request = translated(**asked)
    assert {name: getattr(request, name) for name in asked} == asked

"""The ways in which clients turn a model's thinking off: each family of APIs has its own fields for it.

Knows nothing of the words for its effort, beyond `none`.
"""

from collections.abc import Mapping
from typing import Any

SWITCHES = ("reasoning", "thinking", "enable_thinking", "think", "chat_template_kwargs")
_ON: tuple[Any, ...] = (
    True,
    {"type": "enabled"},
    {"type": "adaptive"},
    {"enabled": True},
    {"enable_thinking": True},
    {"thinking": True},
)


def wants_no_thinking(body: Mapping[str, Any]) -> bool:
    """Return whether a field of the body turns the thinking off."""
    match body:
        case {"reasoning_effort": "none"} | {"enable_thinking": False} | {"think": False}:
            return True
        case {"thinking": False | {"type": "disabled"}} | {
            "reasoning": False | {"effort": "none"} | {"enabled": False}
        }:
            return True
        case {"chat_template_kwargs": {"enable_thinking": False} | {"thinking": False}}:
            return True
    return any(_is_zero(body.get(name)) for name in ("thinking_budget", "reasoning_budget"))


def is_switch(name: str, value: Any) -> bool:
    """Return whether a field does nothing but turn the thinking off, or leave it on."""
    return wants_no_thinking({name: value}) or (name in SWITCHES and value in _ON)


def _is_zero(value: Any) -> bool:
    return value == 0 and not isinstance(value, bool)

"""Sealed reasoning in the body of a request: opened to text, in the places where reasoning stands as text.

On Responses it is the `encrypted_content` of a reasoning item, on chat completions the `data` of an entry of a turn's
`reasoning_details`. Knows nothing of how it is sealed.
"""

from collections.abc import Callable
from typing import Any

from gateway.sealing import PREFIX

Open = Callable[[str], str | None]
"""Returns None for what it cannot open."""
Object = dict[str, Any]


def with_reasoning_opened(body: Object, open: Open) -> Object:
    """Return the body of a request with its sealed reasoning as text, or without it if it cannot be opened."""
    items, turns = body.get("input"), body.get("messages")
    if isinstance(items, list):
        body = {**body, "input": [_item(item, open) if isinstance(item, dict) else item for item in items]}
    if isinstance(turns, list):
        body = {**body, "messages": [_turn(turn, open) if isinstance(turn, dict) else turn for turn in turns]}
    return body


def _item(item: Object, open: Open) -> Object:
    """Return the item of Responses. Text of its own counts more than sealed text, which says the same."""
    if item.get("type") != "reasoning" or "encrypted_content" not in item:
        return item
    sealed = item["encrypted_content"]
    rest = {name: value for name, value in item.items() if name != "encrypted_content"}
    if rest.get("content") or not isinstance(sealed, str) or not sealed or (text := open(sealed)) is None:
        return rest
    return {**rest, "content": [{"type": "reasoning_text", "text": text}]}


def _turn(turn: Object, open: Open) -> Object:
    """Return the turn of a chat. Sealed text is the trace, and counts more than what was shown, maybe a summary."""
    details = turn.get("reasoning_details")
    if not isinstance(details, list):
        return turn
    sealed = [detail["data"] for detail in details if _is_ours(detail)]
    texts = [text for data in sealed if (text := open(data))]
    rest = {**turn, "reasoning_details": [detail for detail in details if not _is_ours(detail)]}
    return {**rest, "reasoning_content": "".join(texts)} if texts else rest


def _is_ours(detail: Any) -> bool:
    """Return whether an entry was sealed here. One that others have sealed is the API's, and goes back as it came."""
    data = detail.get("data") if isinstance(detail, dict) else None
    return isinstance(data, str) and data.startswith(PREFIX)

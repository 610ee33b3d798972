"""The beginning of an answer that an API is asked to go on from, as the gateway's requests for summaries have one.

APIs differ in how they are asked, and in whether their answer repeats the beginning. Knows nothing of sockets.
"""

from collections.abc import Iterable
from typing import Any

from gateway.upstream import Finished, Text, UpstreamItem
from gateway.upstream_settings import Prefill

CONTINUED = {"add_generation_prompt": False, "continue_final_message": True}


def begun(chat: dict[str, Any], prefill: str, way: Prefill | None) -> dict[str, Any]:
    """Return the body with the beginning as its last turn.

    Without a `way` it is left out, and so is `stop`: an answer that begins by itself may begin with such a text.
    """
    if way is None:
        return {name: value for name, value in chat.items() if name != "stop"}
    turn = {"role": "assistant", "content": prefill, **({"prefix": True} if way == "prefix" else {})}
    return {**chat, "messages": [*chat["messages"], turn], **(CONTINUED if way == "continue_final_message" else {})}


class Beginning:
    """Puts the beginning before the text of an answer that does not repeat it, which is kept back until that is
    known."""

    def __init__(self, prefill: str) -> None:
        self._prefill, self._text = prefill, ""
        self._is_known = not prefill

    def feed(self, items: Iterable[UpstreamItem]) -> list[UpstreamItem]:
        """Return the items that are known; all of them with the Finished."""
        return [known for item in items for known in self._fed(item)]

    def _fed(self, item: UpstreamItem) -> list[UpstreamItem]:
        if self._is_known or not isinstance(item, Text | Finished):
            return [item]
        self._text += item.text if isinstance(item, Text) else ""
        said = self._text.lstrip()
        ended = isinstance(item, Finished)
        if not ended and len(said) < len(self._prefill) and self._prefill.startswith(said):
            return []
        self._is_known = True
        repeated = said.startswith(self._prefill)
        text: list[UpstreamItem] = [Text(self._text if repeated else self._prefill + self._text)] if said else []
        return [*text, item] if ended else text

"""The tool calls of a streaming /chat/completions API: their pieces, numbered, in all dialects.

Knows nothing of the rest of a chunk.
"""

import json
from collections.abc import Hashable
from typing import Any

from gateway.upstream import ToolPiece

FUNCTION_CALL = "function_call"
"""The index of the one call of APIs that know no `tool_calls`."""


class CallReader:
    """Reads the calls of one answer and numbers them from 0.

    They are distinguished by their index, or by their id if an API sends none. A new id with a name is a new call also
    at a known index, where some APIs send all of them.
    """

    def __init__(self) -> None:
        self._by_index: dict[Hashable, int] = {}
        self._by_id: dict[tuple[Hashable, str], int] = {}
        self._known: list[tuple[str, str]] = []  # the id and the name of each call
        self._objects: dict[int, Any] = {}
        self._last = 0

    def read(self, call: dict[str, Any]) -> ToolPiece:
        id, function = call.get("id"), call.get("function")
        if not isinstance(function, dict):
            function = {}
        name, arguments = function.get("name"), function.get("arguments")
        id, name = id if isinstance(id, str) else "", name if isinstance(name, str) else ""
        index = call.get("index")
        number = self._number(index if isinstance(index, int | str) else None, id, name)
        if arguments is not None and not isinstance(arguments, str):
            _json(arguments)  # fails here, and not at the end, if it is nested too deeply
            self._merge(number, arguments)
            arguments = ""
        if arguments and number in self._objects:
            arguments = _json(self._objects.pop(number) or "") + arguments
        return ToolPiece(index=number, id=id, name=name, arguments=arguments or "")

    def close(self) -> list[ToolPiece]:
        """Return the arguments that came as JSON values: only now are they known to be whole."""
        objects, self._objects = self._objects, {}
        return [ToolPiece(index=number, arguments=_json(value)) for number, value in objects.items()]

    def _number(self, index: int | str | None, id: str, name: str) -> int:
        if index is None and not id and not name and self._known:
            return self._last
        known = self._by_id.get((index, id)) if id else None
        if known is None:
            known = self._by_index.get(index)
        if known is None or self._is_new(known, index, id, name):
            known = len(self._known)
            self._known.append((id, name))
        self._by_index[index] = self._last = known
        if id:
            self._by_id[index, id] = known
        return known

    def _is_new(self, number: int, index: Hashable, id: str, name: str) -> bool:
        """Return whether a piece begins a call of its own, at the index of the call with this number."""
        before_id, before_name = self._known[number]
        if (index, id) in self._by_id:
            return False
        if index is None:
            return bool(id or name)
        return bool(name and ((id and (before_id or before_name)) or (before_name and name != before_name)))

    def _merge(self, number: int, value: Any) -> None:
        before = self._objects.get(number)
        if isinstance(before, dict) and isinstance(value, dict):
            before.update(value)
        elif isinstance(before, list) and isinstance(value, list):
            before.extend(value)
        else:
            self._objects[number] = value


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

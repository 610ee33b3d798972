"""Fields of JSON bodies by their paths, such as `stream_options.include_usage`; a list on the way means all its items.

Knows nothing of what the fields mean.
"""

from collections.abc import Mapping
from typing import Any


def present(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without its fields that are null."""
    return {name: field for name, field in value.items() if field is not None}


def has(body: Any, path: str) -> bool:
    """Return whether there is such a field."""
    name, _, rest = path.partition(".")
    match body:
        case dict():
            return name in body and (not rest or has(body[name], rest))
        case list():
            return any(has(item, path) for item in body)
    return False


def without(body: Any, path: str) -> Any:
    """Return `body` without such fields. Nothing is changed in place, and what has none is returned as it is."""
    if not has(body, path):
        return body
    name, _, rest = path.partition(".")
    if isinstance(body, list):
        return [without(item, path) for item in body]
    if rest:
        return {**body, name: without(body[name], rest)}
    return {other: value for other, value in body.items() if other != name}


def merged(body: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    """Return `body` with the fields of `added`; objects in both are merged likewise."""
    both = {
        name: merged(body[name], value) if isinstance(value, dict) and isinstance(body.get(name), dict) else value
        for name, value in added.items()
    }
    return {**body, **both}

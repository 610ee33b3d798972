"""The Qwen as OpenAI's /chat/completions: the items of an answer to chunks, or to one whole completion.

Its thinking is part of the text, between the model's own markers. Knows nothing of where the answer comes from.
"""

from collections.abc import Iterable
from typing import Any

import orjson

from gateway.errors import Failure
from gateway.events import Usage
from gateway.upstream import Finished, Text, UpstreamItem
from gateway.wire.chat_completions import usage_object
from gateway.wire.openai import DONE, data, error_body


class PlainWriter:
    """Writes one answer. `created` is in Unix seconds."""

    def __init__(self, id: str, model: str, created: int, include_usage: bool = False) -> None:
        self._common: dict[str, Any] = {"id": id, "created": created, "model": model}
        self._include_usage = include_usage
        self._begun = False

    def stream(self, items: Iterable[UpstreamItem]) -> bytes:
        """Return the chunks of some items; the end of the answer is followed by its usage, if wanted, and [DONE]."""
        return b"".join(chunk for item in items for chunk in self._chunks(item))

    def failure(self, failure: Failure) -> bytes:
        """Return the error that ends a stream that has begun."""
        return data(error_body(failure))

    def whole(self, items: Iterable[UpstreamItem]) -> bytes:
        """Return all items of an answer as one `chat.completion`."""
        text, finish_reason, usage = "", "stop", Usage()
        for item in items:
            match item:
                case Text(text=piece):
                    text += piece
                case Finished(finish_reason=reason, usage=counted):
                    finish_reason, usage = reason, counted
                case _:
                    pass
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": finish_reason}
        return orjson.dumps(
            {"object": "chat.completion", **self._common, "choices": [choice], "usage": usage_object(usage)}
        )

    def _chunks(self, item: UpstreamItem) -> Iterable[bytes]:
        match item:
            case Text(text=text):
                yield self._chunk({"content": text})
            case Finished(finish_reason=reason, usage=usage):
                yield self._chunk({}, reason)
                if self._include_usage:
                    yield self._event(choices=[], usage=usage_object(usage))
                yield DONE
            case _:
                pass

    def _chunk(self, delta: dict[str, str], finish_reason: str | None = None) -> bytes:
        role = {} if self._begun else {"role": "assistant"}
        self._begun = True
        choice = {"index": 0, "delta": role | delta, "finish_reason": finish_reason}
        return self._event(choices=[choice])

    def _event(self, **fields: Any) -> bytes:
        return data({"object": "chat.completion.chunk", **self._common, **fields})

"""What is asked of whom: a script for the upstream, a route to it, and a load of such streams."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Self

MODEL, SUMMARIZER = "scripted", "summarizer"
REASONING = 0.75
"""Of the deltas."""

Marking = Literal["tags", "field"]
"""How reasoning is marked: with <think> tags in `content`, or by its own field `reasoning_content`."""

_PROMPT = "{script} How long does the train take for the whole way?"
_SCRIPT = re.compile(r"Stream (\d+) deltas at (\d+) a second, reasoning in (tags|field)(?:, cut after (\d+))?\.")


class Ask(NamedTuple):
    """`pace` is in deltas a second. With `cut` the connection ends after so many deltas."""

    deltas: int
    pace: int
    reasoning: str = "tags"
    cut: int = 0

    def prompt(self) -> str:
        """As a prompt, which any gateway passes on; two sentences, so that it is summarized where prompts are."""
        cut = f", cut after {self.cut}" if self.cut else ""
        script = f"Stream {self.deltas} deltas at {self.pace} a second, reasoning in {self.reasoning}{cut}."
        return _PROMPT.format(script=script)

    @classmethod
    def read(cls, prompt: str) -> Self:
        """Raises ValueError where the prompt has none."""
        if not (found := _SCRIPT.search(prompt)):
            raise ValueError(f"no script in {prompt!r}")
        return cls(int(found[1]), int(found[2]), found[3], int(found[4] or 0))

    @property
    def thoughts(self) -> int:
        """How many of the deltas are reasoning."""
        return int(self.deltas * REASONING)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes: `path` on this machine's `port`, with `body` beside the messages, and `key` where one is
    needed; `last` stands in the last event of an answer."""

    port: int
    path: str = "/v1/chat/completions"
    body: Mapping[str, Any] = field(default_factory=lambda: {"model": MODEL, "stream": True})
    key: str = ""
    last: str = "[DONE]"

    def request(self, prompt: str) -> bytes:
        body = json.dumps({"messages": [{"role": "user", "content": prompt}], **self.body}).encode()
        lines = [
            f"POST {self.path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "Connection: close",
            *([f"Authorization: Bearer {self.key}"] if self.key else []),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass(frozen=True, slots=True)
class Load:
    """`streams` that begin evenly spread over `spread` seconds, each of `deltas` at `pace` a second."""

    streams: int
    deltas: int = 200
    pace: int = 50
    spread: float = 1.0
    reasoning: Marking = "tags"
    cut: int = 0

    @property
    def ideal(self) -> float:
        """Seconds that a stream takes where nothing stands between."""
        return self.deltas / self.pace

    @property
    def at_once(self) -> int:
        """How many streams there are at a time: fewer than all where the first has ended when the last begins."""
        return min(self.streams, max(1, round(self.streams * self.ideal / self.spread)))

    @property
    def fullest(self) -> float:
        """Seconds from the beginning to when nearly all of the text is there, of as many streams as there can be."""
        return max(self.spread * (self.streams - 1) / self.streams, 0.9 * self.ideal)

    @property
    def ask(self) -> Ask:
        return Ask(self.deltas, self.pace, self.reasoning, self.cut)

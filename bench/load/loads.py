"""A script for the upstream, a route by which it is asked, and a load: streams with one script."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Self

MODEL, SUMMARIZER = "scripted", "summarizer"
REASONING = 0.75
"""The share of the deltas that is reasoning."""

Marking = Literal["tags", "field"]
"""The way reasoning is marked: with <think> tags in `content`, or by its own field `reasoning_content`."""

_PROMPT = "{script} How long does the train take for the whole way?"
_SCRIPT = re.compile(r"Stream (\d+) deltas at (\d+) a second, reasoning in (tags|field)(?:, cut after (\d+))?\.")


class Script(NamedTuple):
    """The stream that the upstream sends: `deltas` at `pace` a second. A `cut` ends the connection after that many."""

    deltas: int
    pace: int
    reasoning: str = "tags"
    cut: int = 0

    def prompt(self) -> str:
        """Return the script as a prompt, which any gateway forwards.

        It has two sentences, since the gateway takes a prompt of a single one for its own summary.
        """
        cut = f", cut after {self.cut}" if self.cut else ""
        script = f"Stream {self.deltas} deltas at {self.pace} a second, reasoning in {self.reasoning}{cut}."
        return _PROMPT.format(script=script)

    @classmethod
    def read(cls, prompt: str) -> Self:
        """Return the script in a prompt. Raise ValueError if there is none."""
        if not (found := _SCRIPT.search(prompt)):
            raise ValueError(f"no script in {prompt!r}")
        return cls(int(found[1]), int(found[2]), found[3], int(found[4] or 0))

    @property
    def thoughts(self) -> int:
        """The number of deltas that are reasoning."""
        return int(self.deltas * REASONING)


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint of this machine. `body` is added to the messages; `key`, unless empty, is a bearer token.

    The last event of every complete answer contains `last`.
    """

    port: int
    path: str = "/v1/chat/completions"
    body: Mapping[str, Any] = field(default_factory=lambda: {"model": MODEL, "stream": True})
    key: str = ""
    last: str = "[DONE]"

    def request(self, prompt: str) -> bytes:
        """Return an HTTP/1.1 request with its headers and body."""
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
    """`streams` whose starts are evenly spread over `spread` seconds, each of `deltas` at `pace` a second."""

    streams: int
    deltas: int = 200
    pace: int = 50
    spread: float = 1.0
    reasoning: Marking = "tags"
    cut: int = 0

    @property
    def ideal(self) -> float:
        """Seconds that a stream takes without a gateway."""
        return self.deltas / self.pace

    @property
    def at_once(self) -> int:
        """The number of concurrent streams: less than all if the first ends before the last begins."""
        return min(self.streams, max(1, round(self.streams * self.ideal / self.spread)))

    @property
    def fullest(self) -> float:
        """Seconds from the start until the most streams run at once, with nearly all of their text."""
        return max(self.spread * (self.streams - 1) / self.streams, 0.9 * self.ideal)

    @property
    def script(self) -> Script:
        """The script of each stream."""
        return Script(self.deltas, self.pace, self.reasoning, self.cut)

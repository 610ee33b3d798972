"""An upstream that does what the prompt says: its last message is a JSON list of steps.

"text"               is sent            {"hang": true}   waits until it is cancelled
{"fail": "message"}  is a failure       {"die": true}    ends the process, once what was said has left
{"summed_up": true}  waits until the prompt's summary is asked for

Only as the first: {"die_once": "path"} ends the process before it accepts, and makes that file; where it is, nothing.
"""

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

from deployments.rpc.server import RpcServer
from gateway.errors import UpstreamError
from gateway.events import Usage
from gateway.pacing import LONGEST_INTERVAL
from gateway.upstream import Accepted, Finished, Text, UpstreamItem, UpstreamRequest

NO_SUMMARY = "no summary"
"""A prompt with this in it is one that the model fails to summarize."""
LATE_SUMMARY = "late summary"
"""A prompt whose summary never comes, and whose reasoning is summarized once that has been given up."""


class ScriptedUpstream(RpcServer):
    def __init__(self, summary: str = "A text.", most: int = 100) -> None:
        super().__init__(most)
        self._summary = summary
        self._running = 0
        self._given_up = asyncio.Event()
        self._asked = defaultdict[str, asyncio.Event](asyncio.Event)

    async def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]:
        self._running += 1
        self._asked[request.id].set()
        try:
            script = self._script(request)
            match script:
                case [{"die_once": path}, *script]:
                    _die_once(Path(path))
            yield [Accepted(prompt_tokens=7)]
            for step in script:
                yield [Text(await self._play(step, request.id))]
            yield [Finished(finish_reason="stop", usage=Usage(prompt_tokens=7, completion_tokens=3))]
        finally:
            self._running -= 1

    async def running(self) -> AsyncGenerator[Sequence[int]]:
        yield [self._running]

    async def _play(self, step: Any, id: str) -> str:
        match step:
            case {"hang": _}:
                try:
                    await asyncio.Event().wait()
                finally:
                    self._given_up.set()
            case {"summed_up": _}:
                await self._asked[f"{id}-prompt"].wait()
                return ""
            case {"after": _}:
                await self._given_up.wait()
                return ""
            case {"die": _}:
                asyncio.get_running_loop().call_later(2 * LONGEST_INTERVAL, os._exit, 1)
                await asyncio.Event().wait()
            case {"fail": message}:
                raise UpstreamError(message)
        return str(step)

    def _script(self, request: UpstreamRequest) -> list[Any]:
        said = request.messages[-1].content
        if request.budget != 0:
            steps: list[Any] = json.loads(said)
            return steps
        if NO_SUMMARY in said:
            return [{"fail": "no summary today"}]
        if LATE_SUMMARY in said:
            return [{"hang": True}] if request.prefill else [{"after": "given up"}, "A title\n", self._summary]
        return [request.prefill, " something."] if request.prefill else ["A title\n", self._summary]


def _die_once(marker: Path) -> None:
    if not marker.exists():
        marker.touch()
        os._exit(1)

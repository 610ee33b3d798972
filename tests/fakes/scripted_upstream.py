"""An upstream that plays a script: the last message is a JSON list of steps.

"text"                  send the text
{"hang": true}          wait until the call is cancelled
{"fail": "message"}     raise an UpstreamError
{"die": true}           end the process, after the items before it have been sent
{"summed_up": true}     wait until the summary of the prompt is asked for
{"die_once": "path"}    as the first step: end the process before the request is accepted, unless the file exists,
                        which this step creates
"""

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ray.serve import Application

from deployments.rpc.server import RpcServer
from gateway.errors import UpstreamError
from gateway.events import Usage
from gateway.pacing import LONGEST_INTERVAL
from gateway.summaries.part_reader import MARK
from gateway.upstream import Accepted, Finished, Text, UpstreamItem, UpstreamRequest

NO_SUMMARY = "no summary"
"""The model fails to summarize a prompt that contains this."""
LATE_SUMMARY = "late summary"
"""The summary of a prompt that contains this hangs, and that of its reasoning waits until the first is cancelled."""


def scripted_upstream(
    summary: str = "A text.",
    *,
    max_calls: int = 100,
    name: str = "ScriptedUpstream",
    env_vars: Mapping[str, str] | None = None,
) -> Application:
    """Return the upstream as a deployment of the graph, with `env_vars` in the environment of its replicas."""
    from ray import serve

    import graph

    resources: dict[str, Any] = {"num_cpus": 0.1}
    if env_vars:
        resources["runtime_env"] = {"env_vars": dict(env_vars)}
    options = {**graph.CALLED, "health_check_period_s": 1}  # a replica that has ended its process is replaced at once
    application: Application = serve.deployment(name=name, ray_actor_options=resources, **options)(
        ScriptedUpstream
    ).bind(summary, max_calls)
    return application


class ScriptedUpstream(RpcServer):
    """Accepts at most `max_calls` calls at a time, and writes every summary as `summary`."""

    def __init__(self, summary: str = "A text.", max_calls: int = 100) -> None:
        super().__init__(max_calls)
        self._summary = summary
        self._running = 0
        self._summary_cancelled = asyncio.Event()
        self._requested = defaultdict[str, asyncio.Event](asyncio.Event)

    async def stream(self, request: UpstreamRequest) -> AsyncGenerator[Sequence[UpstreamItem]]:
        self._running += 1
        self._requested[request.id].set()
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
                    self._summary_cancelled.set()
            case {"summed_up": _}:
                await self._requested[f"{id}-prompt"].wait()
                return ""
            case {"after": _}:
                await self._summary_cancelled.wait()
                return ""
            case {"die": _}:
                asyncio.get_running_loop().call_later(2 * LONGEST_INTERVAL, os._exit, 1)
                await asyncio.Event().wait()
            case {"fail": message}:
                raise UpstreamError(message)
        return str(step)

    def _script(self, request: UpstreamRequest) -> list[Any]:
        prompt = request.messages[-1].content
        if request.budget != 0:
            steps: list[Any] = json.loads(prompt)
            return steps
        if NO_SUMMARY in prompt:
            return [{"fail": "no summary today"}]
        if LATE_SUMMARY in prompt:
            return [{"after": "cancelled"}, *self._part()] if request.prefill == MARK else [{"hang": True}]
        return self._part() if request.prefill == MARK else [request.prefill, " something."]

    def _part(self) -> list[str]:
        return [f"{MARK}A title{MARK} ", self._summary]


def _die_once(marker: Path) -> None:
    if not marker.exists():
        marker.touch()
        os._exit(1)

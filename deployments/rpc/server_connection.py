"""One connection at the answering end: runs its calls, and gathers their outputs into frames."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

from deployments.rpc.channel import Channel
from deployments.rpc.protocol import CallOutput, CancelCall, Frame, Message, OpenCall, PauseCall
from deployments.telemetry.tracing import call_span
from gateway.cancelling import cancelling
from gateway.errors import Failure, GatewayError, OurError, Overloaded

log = logging.getLogger("ray.serve")

MAX_UNSENT_ITEMS = 1000
"""Items that wait for the next frame of a connection; beyond them its calls wait for that frame."""


class ServerConnection:
    """Calls a method of `target` if it `has_capacity` for that; another call ends as Overloaded.

    `admit` is called with the key that the socket begins with, and with this connection.
    """

    def __init__(
        self,
        target: object,
        has_capacity: Callable[[str], bool],
        admit: Callable[[bytes, "ServerConnection"], bool],
        key_seconds: float,
    ) -> None:
        self._target, self._has_capacity = target, has_capacity
        self.channel = Channel(self._receive, lambda key: admit(key, self), key_seconds)
        self._frames = FrameWriter(self.channel)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._paused: dict[int, asyncio.Event] = {}

    @property
    def calls(self) -> int:
        return len(self._tasks)

    async def close(self) -> None:
        """Cancel the calls, wait until they have ended, and close the socket."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.channel.abort()

    def _receive(self, message: Message) -> None:
        match message:
            case OpenCall(call=call, method=method) if not self._has_capacity(method):
                overloaded = Overloaded("the gateway is at capacity; try again shortly")
                self._frames.put(call, over=True, failure=overloaded.failure())
            case OpenCall(call=call):
                self._tasks[call] = task = asyncio.create_task(self._run(message))
                # In a callback, because a task that is cancelled before its first step runs no `finally`.
                task.add_done_callback(lambda _: self._tasks.pop(call))
            case CancelCall(call=call) if call in self._tasks:
                self._tasks[call].cancel()
            case PauseCall(call=call, on=True) if call in self._tasks:
                self._paused[call] = asyncio.Event()
            case PauseCall(call=call) if call in self._paused:
                self._paused.pop(call).set()

    async def _run(self, call: OpenCall) -> None:
        """Answer the call, and end it with one output that is `over`, unless the caller has cancelled it."""
        failure: Failure | None = None
        try:
            with call_span(f"{type(self._target).__name__} {call.method}", call.request_id, call.trace):
                await self._answer(call)
        except GatewayError as error:
            failure = error.failure()
        except (Exception, asyncio.CancelledError):
            # A CancelledError that nobody asked this task for comes from what it awaits, and is a failure.
            if cancelling():
                raise
            log.exception("call of %s failed", call.method)
            failure = OurError("a deployment failed; its log says why").failure()
        finally:
            self._paused.pop(call.call, None)
        self._frames.put(call.call, over=True, failure=failure)

    async def _answer(self, call: OpenCall) -> None:
        async with aclosing(getattr(self._target, call.method)(*call.args)) as batches:
            async for batch in batches:
                self._frames.put(call.call, batch)
                await self._frames.room()
                if paused := self._paused.get(call.call):
                    await paused.wait()


class FrameWriter:
    """Gathers what the calls of a connection put during one iteration of the event loop, and sends it as one frame.

    The sources of text wake on common ticks, so one frame carries many calls' batches without a wait of its own.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._outputs: dict[int, CallOutput] = {}
        self._number = self._unsent = 0

    def put(self, call: int, items: Sequence[Any] = (), over: bool = False, failure: Failure | None = None) -> None:
        if not self._outputs:
            self._loop.call_soon(self._flush)
        self._unsent += len(items)
        if earlier := self._outputs.get(call):
            items = [*earlier.items, *items]
        self._outputs[call] = CallOutput(call, items, over, failure)

    async def room(self) -> None:
        """Wait while too much waits for the next frame or in the socket's buffer."""
        if self._unsent >= MAX_UNSENT_ITEMS:
            await asyncio.sleep(0)  # the flush was scheduled before, so it runs first
        await self._channel.writable()

    def _flush(self) -> None:
        outputs, self._outputs, self._unsent = list(self._outputs.values()), {}, 0
        self._channel.send(Frame(self._number, outputs))
        self._number += 1

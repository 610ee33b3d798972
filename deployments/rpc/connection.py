"""One connection at the calling end: the call through Serve that holds a replica, and the socket of its RPC calls.

What Ray adds here: Serve picks the replica. If the call through Serve ends, the connection ends with it. Ray's
exceptions are translated into `GatewayError`s.
"""

import asyncio
import logging
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import Context
from itertools import count
from typing import Any

from grpc.aio import AioRpcError
from ray.exceptions import RayActorError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from deployments.rpc.channel import Channel, tls
from deployments.rpc.protocol import Address, CallOutput, CancelCall, Frame, Message, OpenCall, PauseCall, encode
from deployments.telemetry.serve_internals import request_id, streaming_call
from deployments.telemetry.tracing import inject_context
from gateway.cancelling import cancelling
from gateway.errors import Failed, GatewayError, NotReady, OurError, Overloaded, UpstreamError
from gateway.mailbox import Mailbox

log = logging.getLogger("ray.serve")

MAX_BUFFERED_ITEMS = 1000
"""Items that a call may buffer here; beyond them the replica is asked to pause it."""


class FrameLost(OurError):
    type = "frame_lost"
    stage = "upstream"
    retryable = True


class ReplicaDied(UpstreamError):
    pass


class Connection:
    """A connection to one replica. It stays open while it accepts calls, and then until its last call is over.

    After `accept_seconds` it accepts no more.
    """

    def __init__(self, handle: Any, accept_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self.accepts_calls = True
        self._numbers, self._calls, self._frames = count(), dict[int, Call](), 0
        self._outgoing: list[Message] = []
        self._channel, self._connected = Channel(self._receive), False
        self._error: GatewayError = ReplicaDied("a replica died; ask again")
        # In an empty context: many requests share this task. Serve (2.60, `Replica._on_request_cancelled`) cancels
        # whatever was called in the context of a request that is cancelled.
        self._task = loop.create_task(self._run(handle), context=Context())
        self._accepting = loop.call_later(accept_seconds, self._stop_accepting)

    @property
    def calls(self) -> int:
        """The number of calls that are not over."""
        return len(self._calls)

    def open(self, method: str, args: Sequence[Any]) -> "Call":
        """Call `method` of the replica, once connected."""
        number = next(self._numbers)
        self._calls[number] = call = Call(self, number)
        self.send(OpenCall(number, method, args, request_id(), inject_context()))
        return call

    def cancel(self, call: int) -> None:
        """Cancel a call unless it is over."""
        if self._calls.pop(call, None):
            self.send(CancelCall(call))
            self._end_if_idle()

    def send(self, message: Message) -> None:
        """Send the message, or keep it until the connection is open."""
        if self._connected:
            self._channel.send(message)
        else:
            self._outgoing.append(message)

    async def aclose(self, error: GatewayError) -> None:
        """End the connection; its calls fail with `error`."""
        self._error = error
        self._task.cancel()
        await asyncio.wait({self._task})
        self._fail_calls()  # a task that is cancelled before its first step runs no `finally`

    def _stop_accepting(self) -> None:
        self.accepts_calls = False
        self._end_if_idle()

    def _end_if_idle(self) -> None:
        if not self.accepts_calls and not self._calls:
            self._task.cancel()

    async def _run(self, handle: Any) -> None:
        """Hold a replica by a call through Serve and read its socket until either ends; then fail the open calls."""
        lease = ended = None
        try:
            with _translated_errors():
                lease = streaming_call(handle, "serve_connection")
                address = await anext(lease)
                ended = asyncio.ensure_future(anext(lease, None))
                await self._use(address, ended)
        except GatewayError as error:
            self._error = error
        except Exception:
            log.exception("a connection to %s failed", handle.deployment_name)
            self._error = OurError("a call failed; the log says why")
        finally:
            self.accepts_calls = False
            self._accepting.cancel()
            if ended:
                ended.cancel()
                ended.add_done_callback(_ignore_result)
            if lease:
                lease.cancel()
            self._fail_calls()

    def _fail_calls(self) -> None:
        calls, self._calls = self._calls, {}
        for call in calls.values():
            # One exception for each call: a traceback grows with every task that raises it.
            call.fail(type(self._error)(self._error.message))

    async def _use(self, address: Address, ended: asyncio.Future[Any]) -> None:
        """Connect, and wait until the socket is closed or the call through Serve has `ended`.

        Raises OSError, and FrameLost.
        """
        loop, channel, context = asyncio.get_running_loop(), self._channel, tls(ssl.Purpose.SERVER_AUTH)
        await loop.create_connection(lambda: channel, address.host, address.port, ssl=context)
        try:
            channel.send_bytes(address.key + b"".join(map(encode, self._outgoing)))
            self._outgoing.clear()
            self._connected = True
            ended.add_done_callback(lambda _: channel.abort())
            await channel.lost.wait()
        finally:
            channel.abort()

    def _receive(self, frame: Frame) -> None:
        if frame.number != self._frames:
            self._error = FrameLost(f"frame {self._frames} was lost on its way between deployments")
            self._channel.abort()
            return
        self._frames += 1
        for output in frame.outputs:
            if call := self._calls.get(output.call):
                call.put(output)
                if output.over:
                    del self._calls[output.call]
        self._end_if_idle()


class Call:
    """The outputs of one call."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection, self._number = connection, number
        self._items = Mailbox[Any]()
        self._paused = False

    def put(self, output: CallOutput) -> None:
        self._items.put(output.items)
        if output.over:
            self._items.close(Failed(output.failure) if output.failure else None)
        elif len(self._items) > MAX_BUFFERED_ITEMS and not self._paused:
            self._pause(True)

    def fail(self, error: GatewayError) -> None:
        self._items.close(error)

    async def take(self) -> list[Any]:
        """Wait for items and return all that have come, or an empty list at the end. Raises what ended the call."""
        items = await self._items.take()
        if self._paused:
            self._pause(False)
        return items

    def cancel(self) -> None:
        """Cancel the call unless it is over."""
        self._connection.cancel(self._number)

    def _pause(self, on: bool) -> None:
        self._paused = on
        self._connection.send(PauseCall(self._number, on))


def _ignore_result(ended: asyncio.Future[Any]) -> None:
    """Retrieve the exception of a call that is given up, so that asyncio does not log it."""
    if not ended.cancelled():
        ended.exception()


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Raise the exceptions of Ray and of the socket as GatewayErrors."""
    try:
        yield
    except BackPressureError as error:
        raise Overloaded("the gateway is at capacity; try again shortly") from error
    except DeploymentUnavailableError as error:
        raise NotReady("the model is still loading, or has stopped; try again shortly") from error
    except (RayActorError, AioRpcError, OSError) as error:
        raise ReplicaDied("a replica died; ask again") from error
    except RayTaskError as error:
        raise OurError("a deployment failed; its log says why") from error
    except asyncio.CancelledError as error:
        if cancelling():
            raise
        raise UpstreamError("a replica gave the call up; ask again") from error

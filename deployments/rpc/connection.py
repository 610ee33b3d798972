"""One link of a caller: a call through Serve that holds a replica, and the socket that its calls go over.

What Ray adds here: Serve picks the replica; a call that is given up is cancelled at the other end; and what Ray says of
a replica becomes a failure of ours.
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

from deployments.rpc.protocol import (
    READ_BYTES,
    Address,
    CallOutput,
    CancelCall,
    OpenCall,
    PauseCall,
    keep_alive,
    messages,
    packed,
    tls,
)
from deployments.telemetry.serve_internals import request_id, streaming_call
from deployments.telemetry.tracing import carried
from gateway.errors import Failed, Failure, GatewayError, NotReady, OurError, Overloaded, UpstreamError, cancelling
from gateway.pacing import MOST
from gateway.wakeup import Wakeup

log = logging.getLogger("ray.serve")

FRESH_SECONDS = 30.0
"""That a link takes new calls: a replica that Serve stops gets none after it, a new one gets some within it."""


class FrameLost(OurError):
    type = "frame_lost"
    stage = "upstream"
    retryable = True


class ReplicaDied(UpstreamError):
    pass


class Connection:
    """One replica, called over one socket. It is there while it is `fresh`, and then until its last call is over."""

    def __init__(self, handle: Any) -> None:
        loop = asyncio.get_running_loop()
        self.fresh = True
        self._numbers, self._calls = count(), dict[int, Call]()
        self._unsaid = list[bytes]()
        self._writer: asyncio.StreamWriter | None = None
        self._error: GatewayError = ReplicaDied("a replica died; ask again")
        # No request's context is that of a link: where Serve (2.60, `Replica._on_request_cancelled`) sees a request
        # cancelled, it cancels all that was called in it.
        self._task = loop.create_task(self._run(handle), context=Context())
        self._aging = loop.call_later(FRESH_SECONDS, self._age)

    @property
    def calls(self) -> int:
        return len(self._calls)

    def open(self, method: str, args: Sequence[Any]) -> "Call":
        number = next(self._numbers)
        self._calls[number] = call = Call(self, number)
        self.say(OpenCall(number, method, args, request_id(), carried()))
        return call

    def close(self, call: int) -> None:
        """What comes of the call no longer matters."""
        if self._calls.pop(call, None):
            self.say(CancelCall(call))
        self._end_if_done()

    def say(self, message: OpenCall | CancelCall | PauseCall) -> None:
        if self._writer is None:
            self._unsaid.append(packed(message))
        elif not self._writer.is_closing():
            self._writer.write(packed(message))

    def _age(self) -> None:
        self.fresh = False
        self._end_if_done()

    def _end_if_done(self) -> None:
        if not self.fresh and not self._calls:
            self._task.cancel()

    async def _run(self, handle: Any) -> None:
        """Hold the call through Serve that the link hangs on, and read what comes, until either ends."""
        lease = held = None
        try:
            with _failures():
                lease = streaming_call(handle, "link")
                address = await anext(lease)
                held = asyncio.ensure_future(anext(lease, None))
                await self._read(address, held)
        except GatewayError as error:
            self._error = error
        except Exception:
            log.exception("a link to %s failed", handle.deployment_name)
            self._error = OurError("a call failed; the log says why")
        finally:
            self.fresh = False
            self._aging.cancel()
            if held:
                held.cancel()
                held.add_done_callback(_heard)
            if lease:
                lease.cancel()
            calls, self._calls = self._calls, {}
            for call in calls.values():
                call.fail(type(self._error)(self._error.message))

    async def _read(self, address: Address, held: asyncio.Future[Any]) -> None:
        certified = tls(ssl.Purpose.SERVER_AUTH)
        reader, writer = await asyncio.open_connection(address.host, address.port, limit=READ_BYTES, ssl=certified)
        try:
            keep_alive(writer)
            held.add_done_callback(lambda _: writer.close())
            writer.write(address.key + b"".join(self._unsaid))
            self._writer = writer
            expected = 0
            async for frame in messages(reader):
                if frame.number != expected:
                    raise FrameLost(f"frame {expected} was lost on its way between deployments")
                expected += 1
                for part in frame.parts:
                    self._take(part)
        finally:
            writer.transport.abort()

    def _take(self, part: CallOutput) -> None:
        if call := self._calls.get(part.call):
            call.put(part.items, part.over)
            if part.over:
                del self._calls[part.call]
                self._end_if_done()


class Call:
    """What comes of one call over a link."""

    def __init__(self, link: Connection, number: int) -> None:
        self._link, self._number = link, number
        self._items: list[Any] = []
        self._over = self._held = False
        self._error: GatewayError | None = None
        self._ready = Wakeup()

    def put(self, items: Sequence[Any], over: bool) -> None:
        self._items += items
        self._over = over
        self._ready.set()
        if len(self._items) > MOST and not self._held:
            self._hold(True)

    def fail(self, error: GatewayError) -> None:
        self._error = error
        self._ready.set()

    async def take(self) -> list[Any]:
        """All that has come since; nothing at the end. Raises what the call ended with behind what came before it."""
        while not self._items and not self._over and not self._error:
            self._ready.clear()
            await self._ready.wait()
        items, self._items = self._items, []
        if self._held:
            self._hold(False)
        if items and isinstance(items[-1], Failure):
            self._error = Failed(items.pop())
        if self._error and not items:
            raise self._error
        return items

    def close(self) -> None:
        self._link.close(self._number)

    def _hold(self, on: bool) -> None:
        self._held = on
        self._link.say(PauseCall(self._number, on))


def _heard(ended: asyncio.Future[Any]) -> None:
    """What the call that a link hangs on ended with: the link has ended with it, and said so."""
    if not ended.cancelled():
        ended.exception()


@contextmanager
def _failures() -> Iterator[None]:
    """What Ray and the socket say, as failures of ours."""
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

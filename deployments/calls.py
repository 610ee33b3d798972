"""A streaming call from one deployment to another. What Ray adds here: frames are checked for gaps, a call given up is
cancelled at the other end, and a replica that dies or refuses becomes a failure of ours; one that dies before its first
frame is asked for again."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from contextvars import copy_context
from typing import Any, TypeVar

import stamina
from grpc.aio import AioRpcError
from ray.exceptions import RayActorError, RayTaskError
from ray.serve._private.tracing_utils import TRACE_STACK
from ray.serve._private.utils import generate_request_id
from ray.serve.context import _set_request_context
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from deployments.metrics import count_frames
from gateway.errors import Failed, Failure, NotReady, OurError, Overloaded, UpstreamError, cancelling

T = TypeVar("T")
PICKLED = {"request_serialization": "pickle", "response_serialization": "pickle"}
"""Between replicas whose classes are all in files: Serve's own cloudpickle takes three times as long."""
ATTEMPTS, WAIT_SECONDS = 3, 0.1
"""Of a call whose replica dies before its first frame; the second wait is twice the first, both with some jitter."""


class FrameLost(OurError):
    type = "frame_lost"
    stage = "upstream"
    retryable = True


class ReplicaDied(UpstreamError):
    pass


async def batches(method: Any, *args: Any) -> AsyncGenerator[Sequence[Any]]:
    """The items of each frame that `method`, a deployment's streaming method, answers with.

    Until the first nothing has been promised to anybody, so the call goes to another replica where its own dies.
    Raises the failure that travelled in a frame, Overloaded where the queue is full, NotReady where the deployment is
    not there, FrameLost where a frame is missing, UpstreamError where the replica dies or gives the call up.
    """
    answer, first = await _begun(method, *args)
    async with aclosing(answer):
        if first is not None:
            yield first
        async for items in answer:
            yield items


async def _begun(method: Any, *args: Any) -> tuple[AsyncGenerator[Sequence[Any]], Sequence[Any] | None]:
    """An answer that has begun, and its first items, if it has any."""
    retries = stamina.retry_context(
        on=ReplicaDied, attempts=ATTEMPTS, timeout=None, wait_initial=WAIT_SECONDS, wait_jitter=WAIT_SECONDS
    )
    async for attempt in retries:
        with attempt:
            answer = _answer(method, *args)
            first = await anext(answer, None)
    return answer, first


async def _answer(method: Any, *args: Any) -> AsyncGenerator[Sequence[Any]]:
    """Of one replica. Raises as `batches`."""
    response, expected, items = None, 0, 0
    try:
        response = copy_context().run(_call, method, *args)
        async for frame in response:
            if frame.number != expected:
                raise FrameLost(f"frame {expected} was lost on its way between deployments")
            expected += 1
            items += len(frame.items)
            if isinstance(frame.items[-1], Failure):
                raise Failed(frame.items[-1])
            yield frame.items
    except BackPressureError as error:
        raise Overloaded("the gateway is at capacity; try again shortly") from error
    except DeploymentUnavailableError as error:
        raise NotReady("the model is still loading, or has stopped; try again shortly") from error
    except (RayActorError, AioRpcError) as error:
        raise ReplicaDied("a replica died; ask again") from error
    except RayTaskError as error:
        raise OurError("a deployment failed; its log says why") from error
    except asyncio.CancelledError as error:
        if cancelling():
            raise
        raise UpstreamError("a replica gave the call up; ask again") from error
    finally:
        count_frames(method.deployment_name, expected, items)
        if response is not None:
            response.cancel()


async def only(answer: AsyncGenerator[Sequence[T]]) -> T:
    """The one item of an answer that has one."""
    async with aclosing(answer):
        return (await anext(answer))[0]


def _call(method: Any, *args: Any) -> Any:
    """Start the call under an id of its own; the caller gives it a context of its own.

    Where Serve (2.60, `Replica._on_request_cancelled`) sees one call cancelled, it cancels all that its replica asked
    for under the same internal request id, and by default that is the HTTP request's: a prompt summary that met its
    deadline took the reasoning summary with it. And what it says of a call's span it says of the last of the request's
    that has begun, where two calls run at once and share their stack of spans.
    """
    TRACE_STACK.set([*TRACE_STACK.get([])])
    _set_request_context(_internal_request_id=generate_request_id())
    return method.options(stream=True, **PICKLED).remote(*args)

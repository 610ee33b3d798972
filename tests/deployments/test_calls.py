"""A streaming call between deployments, with a scripted handle: what the other end does becomes batches or failures."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest
import stamina
from grpc import StatusCode
from grpc.aio import AioRpcError, Metadata
from ray.exceptions import RayActorError, RayTaskError
from ray.serve._private.common import DeploymentID
from ray.serve.context import _get_serve_request_context
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError

from deployments.calls import ATTEMPTS, PICKLED, FrameLost, batches
from gateway.errors import ContextTooLong, Failed, GatewayError, NotReady, OurError, Overloaded, UpstreamError
from gateway.frames import Frame

DIED: list[BaseException] = [RayActorError(), AioRpcError(StatusCode.UNAVAILABLE, Metadata(), Metadata())]


@pytest.fixture(autouse=True)
def no_wait_between_attempts() -> Iterator[None]:
    with stamina.set_testing(True, attempts=ATTEMPTS, cap=True):
        yield


class ScriptedMethod:
    """A handle's method: plays frames, raises what is an exception, and remembers that it was cancelled.

    Each of the `dying` is how a call ends before its first frame, one call after the other.
    """

    deployment_name = "Scripted"

    def __init__(self, *script: Frame[str] | BaseException, dying: Sequence[BaseException] = ()) -> None:
        self.script, self.dying, self.cancelled = script, list(dying), False
        self.asked: tuple[Any, ...] = ()
        self.ids: list[str] = []

    def options(self, *, stream: bool, **serialization: str) -> "ScriptedMethod":
        assert stream
        assert serialization == PICKLED
        return self

    def remote(self, *args: Any) -> "ScriptedMethod":
        self.asked = args
        self.ids.append(_get_serve_request_context()._internal_request_id)
        return self

    def cancel(self) -> None:
        self.cancelled = True

    async def __aiter__(self) -> AsyncIterator[Frame[str]]:
        if self.dying:
            raise self.dying.pop(0)
        for step in self.script:
            if isinstance(step, BaseException):
                raise step
            yield step


async def taken(method: ScriptedMethod) -> list[Sequence[str]]:
    return [batch async for batch in batches(method, "request")]


async def test_frames_in_turn_are_batches() -> None:
    method = ScriptedMethod(Frame(0, ["a", "b"]), Frame(1, ["c"]))
    assert await taken(method) == [["a", "b"], ["c"]]
    assert method.asked == ("request",)


async def test_a_lost_frame_is_noticed() -> None:
    with pytest.raises(FrameLost):
        await taken(ScriptedMethod(Frame(0, ["a"]), Frame(2, ["c"])))


async def test_a_failure_that_travelled_in_a_frame_is_raised_behind_what_came() -> None:
    failure = ContextTooLong("9 tokens, 8 fit", param="messages").failure()
    seen: list[Sequence[str]] = []
    with pytest.raises(Failed) as raised:
        async for batch in batches(ScriptedMethod(Frame(0, ["a"]), Frame(1, [failure]))):
            seen.append(batch)
    assert seen == [["a"]]
    assert raised.value.failure() == failure


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (BackPressureError(num_queued_requests=1, max_queued_requests=1), Overloaded),
        (DeploymentUnavailableError(DeploymentID(name="QwenUpstream")), NotReady),
        (RayActorError(), UpstreamError),
        (AioRpcError(StatusCode.CANCELLED, Metadata(), Metadata()), UpstreamError),
        (asyncio.CancelledError(), UpstreamError),
        (RayTaskError("stream", "traceback", ZeroDivisionError("secret")), OurError),  # type: ignore[no-untyped-call]
    ],
)
async def test_what_ray_says_becomes_a_failure_of_ours(error: BaseException, named: type[GatewayError]) -> None:
    method = ScriptedMethod(Frame(0, ["a"]), error)
    with pytest.raises(named) as raised:
        await taken(method)
    assert "secret" not in raised.value.message
    assert method.cancelled


async def test_a_call_that_is_given_up_is_cancelled_at_the_other_end() -> None:
    method = ScriptedMethod(Frame(0, ["a"]), Frame(1, ["b"]))
    async with aclosing(batches(method)) as taking:
        assert await anext(taking) == ["a"]
        assert not method.cancelled
    assert method.cancelled


async def test_a_call_is_one_that_serve_cancels_alone() -> None:
    method = ScriptedMethod(Frame(0, ["a"]))
    await taken(method)
    await taken(method)
    assert len(set(method.ids) - {_get_serve_request_context()._internal_request_id}) == 2


@pytest.mark.parametrize("error", DIED, ids=lambda error: type(error).__name__)
async def test_a_replica_that_dies_before_its_first_frame_is_asked_for_again(error: BaseException) -> None:
    method = ScriptedMethod(Frame(0, ["a"]), Frame(1, ["b"]), dying=[error] * (ATTEMPTS - 1))
    assert await taken(method) == [["a"], ["b"]]
    assert len(set(method.ids)) == ATTEMPTS


async def test_a_call_is_asked_again_a_few_times_only() -> None:
    method = ScriptedMethod(Frame(0, ["a"]), dying=[RayActorError()] * ATTEMPTS)
    with pytest.raises(UpstreamError, match="ask again"):
        await taken(method)
    assert len(method.ids) == ATTEMPTS


async def test_a_replica_that_dies_behind_its_first_frame_is_not_asked_for_again() -> None:
    method = ScriptedMethod(Frame(0, ["a"]), RayActorError())
    with pytest.raises(UpstreamError):
        await taken(method)
    assert len(method.ids) == 1


@pytest.mark.parametrize(
    "error",
    [
        asyncio.CancelledError(),
        BackPressureError(num_queued_requests=1, max_queued_requests=1),
        DeploymentUnavailableError(DeploymentID(name="QwenUpstream")),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_no_replica_died_of_is_not_asked_again(error: BaseException) -> None:
    method = ScriptedMethod(Frame(0, ["a"]), dying=[error])
    with pytest.raises(GatewayError):
        await taken(method)
    assert len(method.ids) == 1

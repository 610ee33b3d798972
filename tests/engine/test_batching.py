"""Continuous batching on the tiny model: what each step is told of its requests, and what cancellation stops."""

import asyncio
import threading
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from engine.batching import ContinuousBatching
from engine.sampling import Row, Sampling, choose_tokens
from gateway.errors import UpstreamError

# One loop for all: tokens are delivered to the loop of the request, which must not close before they come.
pytestmark = pytest.mark.asyncio(loop_scope="module")

PROMPT = [*range(3, 43)]


class Recorder:
    """Samples as the engine does and keeps the rows of each step."""

    def __init__(self) -> None:
        self.steps: list[Sequence[Row]] = []
        self.generated: list[tuple[Sampling, list[int]]] = []

    def __call__(self, scores: torch.Tensor, rows: Sequence[Row]) -> None:
        assert len(scores) == len(rows)
        self.steps.append(rows)
        self.generated += [(row.sampling, [*row.generated]) for row in rows]
        choose_tokens(scores, rows)

    def rows_of(self, sampling: Sampling) -> list[Row]:
        return [row for rows in self.steps for row in rows if row.sampling is sampling]


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


def loaded(folder: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa")


@pytest.fixture(scope="module")
def batching(model: Path, recorder: Recorder) -> Iterator[ContinuousBatching]:
    torch.set_num_threads(1)
    batching = ContinuousBatching(loaded(model), recorder, end_tokens=[-1], kv_cache_tokens=4096, max_batch_tokens=64)
    yield batching
    batching.stop()


async def generated(batching: ContinuousBatching, count: int, sampling: Sampling) -> list[int]:
    mailbox = batching.submit(uuid.uuid4().hex, PROMPT, count, sampling)
    tokens: list[int] = []
    while new := await mailbox.take():
        tokens += new
    return tokens


@pytest.mark.parametrize("count", [1, 5, 40])
async def test_a_request_gets_its_tokens_and_then_the_end(batching: ContinuousBatching, count: int) -> None:
    assert len(await generated(batching, count, Sampling())) == count


async def test_each_step_is_told_of_each_requests_sampling_position_and_tokens(
    batching: ContinuousBatching, recorder: Recorder
) -> None:
    samplings = [Sampling(temperature=1.0, seed=seed) for seed in range(3)]
    for sampling, tokens in zip(
        samplings, await asyncio.gather(*(generated(batching, 20, sampling) for sampling in samplings)), strict=True
    ):
        rows = recorder.rows_of(sampling)
        assert [row.previous for row in rows] == [PROMPT[-1], *tokens[:-1]]
        first = rows[0].position
        assert [row.position for row in rows] == [*range(first, first + 20)]
        assert [so_far for of, so_far in recorder.generated if of is sampling] == [tokens[:n] for n in range(20)]
        assert [list(row.prompt) for row in rows] == [PROMPT] * 20


async def test_positions_go_on_if_a_request_continues_another(batching: ContinuousBatching, recorder: Recorder) -> None:
    whole, rest = (Sampling(temperature=1.0, seed=5) for _ in range(2))
    tokens = await generated(batching, 10, whole)
    mailbox = batching.submit("rest", [*PROMPT, *tokens[:4]], 6, rest)
    while await mailbox.take():
        pass
    assert [row.position for row in recorder.rows_of(rest)] == [row.position for row in recorder.rows_of(whole)[4:]]


async def test_a_cancelled_request_is_in_no_step_after_the_next_request_has_begun(
    batching: ContinuousBatching, recorder: Recorder
) -> None:
    cancelled, next_one = Sampling(seed=1), Sampling(seed=2)
    mailbox = batching.submit("cancelled", PROMPT, 4000, cancelled)
    await mailbox.take()
    batching.cancel("cancelled")
    await generated(batching, 20, next_one)
    together = [{row.sampling.seed for row in rows} for rows in recorder.steps[-20:]]
    assert together == [{2}] * 20


async def test_a_cancelled_request_gets_no_more_tokens(batching: ContinuousBatching) -> None:
    mailbox = batching.submit("silenced", PROMPT, 4000, Sampling())
    await mailbox.take()
    batching.cancel("silenced")
    waiting = len(mailbox)
    await generated(batching, 5, Sampling())
    assert len(mailbox) == waiting


async def test_a_failed_step_closes_the_mailboxes_with_the_error_and_ends_the_engine(model: Path) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("no such token")

    threads = set(threading.enumerate())
    failing = ContinuousBatching(loaded(model), fail, end_tokens=[-1], kv_cache_tokens=1024, max_batch_tokens=64)
    (thread,) = set(threading.enumerate()) - threads
    mailbox = failing.submit("failing", PROMPT, 10, Sampling())
    with pytest.raises(UpstreamError, match="the engine failed: no such token"):
        await mailbox.take()
    await asyncio.to_thread(thread.join)
    assert not failing.alive
    with pytest.raises(UpstreamError, match="the engine has stopped"):
        failing.submit("late", PROMPT, 10, Sampling())
    failing.stop()


class KeepsManager:
    """A model whose manager is kept, to look at what it still holds."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.managers: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def init_continuous_batching(self, **options: Any) -> Any:
        self.managers.append(self._model.init_continuous_batching(**options))
        return self.managers[-1]


async def test_cancelled_requests_leave_nothing_in_the_manager(model: Path) -> None:
    kept = KeepsManager(loaded(model))
    batching = ContinuousBatching(kept, choose_tokens, end_tokens=[-1], kv_cache_tokens=4096, max_batch_tokens=64)
    for number in range(20):
        await batching.submit(f"{number}", PROMPT, 4000, Sampling()).take()
        batching.cancel(f"{number}")
    await generated(batching, 5, Sampling())
    await asyncio.to_thread(batching.stop)
    (manager,) = kept.managers
    assert manager.output_router.result_handlers == {}
    assert len([*iter(lambda: manager.get_result(timeout=0), None)]) <= 1

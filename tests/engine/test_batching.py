"""Continuous batching on the tiny model: what each step is told of its requests, and what cancellation stops."""

import asyncio
import threading
import uuid
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM
from transformers.generation.continuous_batching.cache import PagedAttentionCache

from engine.batching import ContinuousBatching
from engine.batching_config import GPU_PAGE_TOKENS, PAGE_TOKENS, manager_config
from engine.sampling import Adjustments, Row, Sampler, Sampling
from gateway.errors import UpstreamError
from tests.fakes.async_batching import async_batching_on_cpu
from tests.fakes.tiny_model import DEVICE

# One loop for all: tokens are delivered to the loop of the request, which must not close before they come.
pytestmark = pytest.mark.asyncio(loop_scope="module")

PROMPT = [*range(3, 43)]
SIZES: Any = {
    "end_tokens": [-1],
    "context_tokens": 256,
    "kv_cache_tokens": 4096,
    "max_batch_tokens": 64,
    "prompt_tokens": 64,
}


class Recorder:
    """Chooses as the engine does and keeps the rows of each step, the last tokens before, and the tokens so far."""

    def __init__(self) -> None:
        self.steps: list[Sequence[Row]] = []
        self.seen: list[tuple[Row, int, list[int]]] = []
        self._sampler = Sampler()

    def __call__(self, scores: torch.Tensor, previous: torch.Tensor, rows: Sequence[Row]) -> torch.Tensor | None:
        assert len(scores) == len(previous) == len(rows)
        self.steps.append(rows)
        self.seen += [(row, last, [*chain(*row.tokens)]) for row, last in zip(rows, previous.tolist(), strict=True)]
        return self._sampler.choose(scores, previous, rows)

    def rows_of(self, sampling: Sampling) -> list[tuple[Row, int, list[int]]]:
        return [seen for seen in self.seen if seen[0].request.sampling is sampling]


@pytest.fixture(scope="module")
def recorder() -> Recorder:
    return Recorder()


def loaded(folder: Path) -> Any:
    # Attention on a GPU takes no float32.
    dtype = torch.float32 if DEVICE == "cpu" else torch.bfloat16
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa").to(DEVICE)


@pytest.fixture(scope="module")
def batching(model: Path, recorder: Recorder) -> Iterator[ContinuousBatching]:
    torch.set_num_threads(1)
    batching = ContinuousBatching(loaded(model), recorder, **SIZES)
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


@pytest.mark.skipif(DEVICE != "cpu", reason="on a GPU a step is told before the tokens of the one before are read")
async def test_each_step_is_told_of_each_requests_sampling_position_and_tokens(
    batching: ContinuousBatching, recorder: Recorder
) -> None:
    samplings = [Sampling(temperature=1.0, seed=seed) for seed in range(3)]
    for sampling, tokens in zip(
        samplings, await asyncio.gather(*(generated(batching, 20, sampling) for sampling in samplings)), strict=True
    ):
        rows = recorder.rows_of(sampling)
        assert [previous for _, previous, _ in rows] == [PROMPT[-1], *tokens[:-1]]
        assert [row.position for row, _, _ in rows] == [*range(len(PROMPT), len(PROMPT) + 20)]
        assert [so_far for _, _, so_far in rows] == [[*PROMPT, *tokens[:n]] for n in range(20)]
        assert {row.request for row, _, _ in rows} == {rows[0][0].request}
        assert rows[0][0].request.prompt_size == len(PROMPT)


async def test_positions_go_on_if_a_request_continues_another(batching: ContinuousBatching, recorder: Recorder) -> None:
    whole, rest = (Sampling(temperature=1.0, seed=5) for _ in range(2))
    tokens = await generated(batching, 10, whole)
    mailbox = batching.submit("rest", [*PROMPT, *tokens[:4]], 6, rest)
    while await mailbox.take():
        pass
    positions = [[row.position for row, _, _ in recorder.rows_of(sampling)] for sampling in (whole, rest)]
    assert positions[1] == positions[0][4:]


async def test_the_tokens_that_a_request_finds_in_the_cache_are_noted_first(batching: ContinuousBatching) -> None:
    first, second = list[int](), list[int]()
    page = PAGE_TOKENS if DEVICE == "cpu" else GPU_PAGE_TOKENS
    prompt = [*range(43, 43 + 2 * page + 1), *range(3, 43)]
    for name, noted in (("first", first), ("second", second)):
        mailbox = batching.submit(name, prompt, 2, Sampling(), noted.append)
        while await mailbox.take():
            pass
    assert (first[0], second[0]) == (0, len(prompt) // page * page)


async def test_a_cancelled_request_is_in_no_step_after_the_next_request_has_begun(
    batching: ContinuousBatching, recorder: Recorder
) -> None:
    cancelled, next_one = Sampling(seed=1), Sampling(seed=2)
    mailbox = batching.submit("cancelled", PROMPT, 4000, cancelled)
    await mailbox.take()
    batching.cancel("cancelled")
    await generated(batching, 20, next_one)
    together = [{row.request.sampling.seed for row in rows} for rows in recorder.steps[-20:]]
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

    ready = loaded(model)  # whose progress bar may start a thread, too
    threads = set(threading.enumerate())
    failing = ContinuousBatching(ready, fail, **SIZES)
    (thread,) = set(threading.enumerate()) - threads
    mailbox = failing.submit("failing", PROMPT, 10, Sampling())
    with pytest.raises(UpstreamError, match="the engine failed: no such token"):
        await mailbox.take()
    await asyncio.to_thread(thread.join)
    assert not failing.alive
    with pytest.raises(UpstreamError, match="the engine has stopped"):
        failing.submit("late", PROMPT, 10, Sampling())
    failing.stop()


async def test_a_step_has_few_tokens_of_prompts_and_one_of_each_stream(model: Path) -> None:
    recorder, found = Recorder(), list[int]()
    batching = ContinuousBatching(loaded(model), recorder, **{**SIZES, "prompt_tokens": 16})
    streams = [batching.submit(f"stream {number}", PROMPT[:8], 4000, Sampling()) for number in range(3)]
    for mailbox in streams:
        await mailbox.take()
    before = len(recorder.steps)
    await batching.submit("prompt", PROMPT, 1, Sampling(), found.append).take()
    # Beside the three 16 of its tokens, and then one more, since it runs as well.
    assert found == [0, 16, 33]
    steps = [sorted(row.request.prompt_size for row in rows) for rows in recorder.steps[before:]]
    first = next(number for number, sizes in enumerate(steps) if len(PROMPT) in sizes)
    assert steps[: first + 1] == [[8] * 3] * first + [[8, 8, 8, len(PROMPT)]]
    await asyncio.to_thread(batching.stop)


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


async def test_the_thread_that_loads_the_model_makes_no_cache(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is filled on all cores; a second thread with a team of OpenMP's took a third of the speed of four streams."""
    threads = list[threading.Thread]()
    make = PagedAttentionCache.__init__

    def made(*args: Any, **kwargs: Any) -> None:
        threads.append(threading.current_thread())
        make(*args, **kwargs)

    monkeypatch.setattr(PagedAttentionCache, "__init__", made)
    batching = ContinuousBatching(loaded(model), Sampler().choose, **SIZES)
    await generated(batching, 1, Sampling())
    await asyncio.to_thread(batching.stop)
    assert len(threads) == 1
    assert DEVICE != "cpu" or threads != [threading.current_thread()]


async def test_cancelled_requests_leave_nothing_in_the_manager(model: Path) -> None:
    kept = KeepsManager(loaded(model))
    batching = ContinuousBatching(kept, Sampler().choose, **SIZES)
    for number in range(20):
        await batching.submit(f"{number}", PROMPT, 4000, Sampling()).take()
        batching.cancel(f"{number}")
    await generated(batching, 5, Sampling())
    await asyncio.to_thread(batching.stop)
    (manager,) = kept.managers
    assert manager.output_router.result_handlers == {}
    assert len([*iter(lambda: manager.get_result(timeout=0), None)]) <= 1


def asynchronous(*sizes: Any) -> Any:
    config = manager_config(*sizes)
    config.use_async_batching = True
    return config


@pytest.fixture(scope="module")
def overlapping(model: Path) -> Iterator[tuple[ContinuousBatching, Recorder]]:
    """Batches whose steps are prepared before the one before has been read, as on a GPU."""
    if DEVICE != "cpu":
        pytest.skip("all steps overlap on a GPU")
    recorder = Recorder()
    with async_batching_on_cpu(), pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.batching.manager_config", asynchronous)
        batching = ContinuousBatching(loaded(model), recorder, **SIZES)
        yield batching, recorder
        batching.stop()


async def test_overlapping_steps_choose_the_tokens_that_separate_ones_do(
    batching: ContinuousBatching, overlapping: tuple[ContinuousBatching, Recorder]
) -> None:
    samplings = [
        Sampling(),
        Sampling(temperature=1.0, seed=1),
        Sampling(temperature=1.0, seed=2, adjustments=Adjustments(frequency_penalty=1.0, repetition_penalty=1.5)),
        Sampling(adjustments=Adjustments(presence_penalty=1.5), banned={None: 5}),
    ]
    separate, together = [
        await asyncio.gather(*(generated(each, 30 + n, sampling) for n, sampling in enumerate(samplings)))
        for each in (batching, overlapping[0])
    ]
    assert together == separate
    late = [len(so_far) - row.position for row, _, so_far in overlapping[1].rows_of(samplings[2])]
    # The prompt is known; of each step after it, the last token is not yet.
    assert late == [0, *[-1] * (len(late) - 1)]


@pytest.mark.parametrize("pages", [1, 2, 3, 7])
async def test_overlapping_steps_leave_all_whole_pages_of_a_prompt_to_others(
    overlapping: tuple[ContinuousBatching, Recorder], pages: int
) -> None:
    noted = [list[int](), list[int]()]
    for number, tokens in enumerate(noted):
        prompt = [*range(50 + pages, 50 + pages + pages * PAGE_TOKENS), *PROMPT[: PAGE_TOKENS // 2]]
        mailbox = overlapping[0].submit(f"{pages}, {number}", prompt, 2, Sampling(), tokens.append)
        while await mailbox.take():
            pass
    assert [tokens[0] for tokens in noted] == [0, pages * PAGE_TOKENS]


async def test_a_request_that_is_cancelled_while_its_step_runs_leaves_the_others_alone(
    overlapping: tuple[ContinuousBatching, Recorder],
) -> None:
    batching, _ = overlapping
    whole = await generated(batching, 100, Sampling(temperature=1.0, seed=3))
    for count in range(1, 12):
        mailbox = batching.submit(f"cancelled {count}", PROMPT, 4000, Sampling(temperature=1.0, seed=4))
        other = asyncio.create_task(generated(batching, 100, Sampling(temperature=1.0, seed=3)))
        tokens: list[int] = []
        while len(tokens) < 8 * count:
            tokens += await mailbox.take()
        batching.cancel(f"cancelled {count}")
        assert await other == whole
    assert batching.alive

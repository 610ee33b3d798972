"""The engine on a tiny model: each request gets its own tokens, all of them, whatever else runs.

Greedy tokens are checked against the reference, not against another run: see `tests.fakes.reference_model`. Where tests
need the same tokens twice, they draw them at so high a temperature that the scores do not matter.
"""

import asyncio
import json
import shutil
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

import pytest

from engine import engine as engine_module
from engine.batching_config import GPU_PAGE_TOKENS, PAGE_TOKENS
from engine.engine import Engine, EngineSettings
from engine.linear.choice import Choice
from engine.linear.kernels import BFloat16
from engine.linear.replacing import replace_layers
from engine.sampling import Sampling
from gateway.errors import UpstreamError
from tests.fakes.reference_model import ReferenceModel
from tests.fakes.tiny_model import DEVICE, POSITIONS

# One loop for all: the engine hands its tokens to the loop of the request, which must not close before they come.
pytestmark = pytest.mark.asyncio(loop_scope="module")

GREEDY = Sampling()
SAME_ANYWHERE = Sampling(temperature=1e30, seed=1)
"""All tokens are equally likely, so the tokens depend on the seed alone and never on rounding."""


async def generated(
    engine: Engine, prompt: Sequence[int], max_new_tokens: int, sampling: Sampling = GREEDY
) -> list[int]:
    async with aclosing(engine.generate(prompt, max_new_tokens, sampling)) as batches:
        return [token async for batch in batches for token in batch]


@pytest.fixture(autouse=True)
def idle(engine: Engine) -> Iterator[None]:
    """Every test leaves the engine without requests."""
    yield
    assert engine.running == 0


@pytest.fixture(scope="module")
def prompts(tokenizer: Any) -> list[list[int]]:
    """Return prompts of a few tokens up to more than two steps of the engine, no two with the same beginning."""
    text = "The user asks how many days there are in three weeks. "
    return [tokenizer(f"{times}. {text * times}")["input_ids"] for times in range(1, 15, 2)]


async def test_each_of_many_requests_gets_the_likeliest_tokens_after_its_own_prompt(
    each_engine: Engine, reference: ReferenceModel, prompts: list[list[int]]
) -> None:
    together = await asyncio.gather(*(generated(each_engine, prompt, 40) for prompt in prompts))
    assert [len(tokens) for tokens in together] == [40] * 7
    for prompt, tokens in zip(prompts, together, strict=True):
        reference.assert_greedy(prompt, tokens)


async def test_no_more_tokens_come_than_asked_for(engine: Engine, prompts: list[list[int]]) -> None:
    whole = await generated(engine, prompts[0], 60, SAME_ANYWHERE)
    limits = [1, 2, PAGE_TOKENS, PAGE_TOKENS + 1, 59]
    parts = [await generated(engine, prompts[0], limit, SAME_ANYWHERE) for limit in limits]
    assert parts == [whole[:limit] for limit in limits]


async def test_an_end_token_is_the_last(
    start: Callable[..., Engine], engine: Engine, prompts: list[list[int]], model: Path, tmp_path: Path
) -> None:
    whole = await generated(engine, prompts[0], 40, SAME_ANYWHERE)
    end = next(token for token in whole[10:] if token not in whole[:10])
    folder = shutil.copytree(model, tmp_path / "ends")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [end, 0]}))
    ending = start(folder)
    assert ending.end_tokens == {end, 0}
    assert await generated(ending, prompts[0], 40, SAME_ANYWHERE) == whole[: whole.index(end) + 1]


@pytest.mark.parametrize("size", [1, 50, 99])
async def test_a_request_that_continues_another_gets_the_likeliest_tokens_after_both(
    each_engine: Engine, reference: ReferenceModel, prompts: list[list[int]], size: int
) -> None:
    prompt = prompts[4]
    whole = await generated(each_engine, prompt, 100)
    assert len(prompt) > PAGE_TOKENS
    continued = [*prompt, *whole[:size]]
    reference.assert_greedy(continued, await generated(each_engine, continued, 100 - size))


async def test_a_seed_draws_the_same_tokens_alone_and_among_others(engine: Engine, prompts: list[list[int]]) -> None:
    samplings = [Sampling(temperature=1e30, seed=seed) for seed in range(6)]
    alone = [await generated(engine, prompts[0], 30, sampling) for sampling in samplings]
    together = await asyncio.gather(
        *(generated(engine, prompts[0], 30, sampling) for sampling in samplings),
        *(generated(engine, prompt, 30) for prompt in prompts),
    )
    assert len(set(map(tuple, alone))) == 6
    assert together[:6] == alone


async def test_each_request_has_its_own_bans(
    engine: Engine, reference: ReferenceModel, prompts: list[list[int]]
) -> None:
    first, second, *_ = await generated(engine, prompts[0], 2)
    never, after = Sampling(banned={None: second}), Sampling(banned={first: second})
    plain, without, parted = await asyncio.gather(
        *(generated(engine, prompts[0], 30, sampling) for sampling in (GREEDY, never, after))
    )
    reference.assert_greedy(prompts[0], plain)
    reference.assert_greedy(prompts[0], without, banned=[second])
    assert second not in without
    assert (first, second) not in pairwise(parted)


async def test_closing_the_generator_ends_the_request(engine: Engine, prompts: list[list[int]]) -> None:
    running = [engine.generate(prompt, 1000, GREEDY) for prompt in prompts[:4]]
    for batches in running:
        await anext(batches)
    assert engine.running == 4
    for batches in running:
        await batches.aclose()
    assert engine.running == 0


async def test_a_reader_that_is_cancelled_ends_the_request(engine: Engine, prompts: list[list[int]]) -> None:
    reader = asyncio.create_task(generated(engine, prompts[0], 1000))
    await generated(engine, prompts[1], 10)
    assert engine.running == 1
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert engine.running == 0


async def test_a_reader_slower_than_the_engine_gets_all_that_came_at_once(
    engine: Engine, prompts: list[list[int]]
) -> None:
    whole = await generated(engine, prompts[0], 40, SAME_ANYWHERE)
    async with aclosing(engine.generate(prompts[0], 40, SAME_ANYWHERE)) as batches:
        first = await anext(batches)
        await generated(engine, prompts[1], 60)
        rest = [batch async for batch in batches]
    assert rest == [whole[len(first) :]]
    assert first == whole[: len(first)]


async def test_requests_that_the_cache_cannot_hold_together_are_all_served(
    start: Callable[..., Engine], reference: ReferenceModel, prompts: list[list[int]]
) -> None:
    small = start(context_tokens=256, kv_cache_tokens=256)
    assert sum(len(prompt) + 60 for prompt in prompts) > 4 * 256
    together = await asyncio.gather(*(generated(small, prompt, 60) for prompt in prompts))
    assert [len(tokens) for tokens in together] == [60] * 7
    for prompt, tokens in zip(prompts, together, strict=True):
        reference.assert_greedy(prompt, tokens)


async def test_a_context_larger_than_the_cache_is_refused_before_anything_loads() -> None:
    with pytest.raises(ValueError, match="kv_cache_tokens must be at least context_tokens"):
        Engine(Path("no-such-model"), EngineSettings(context_tokens=513, kv_cache_tokens=512))


async def test_the_context_is_the_smaller_of_the_settings_and_the_models(
    start: Callable[..., Engine], engine: Engine
) -> None:
    wide = start(context_tokens=2 * POSITIONS, kv_cache_tokens=2 * POSITIONS)
    assert (engine.context_tokens, wide.context_tokens) == (256, POSITIONS)


async def test_work_that_makes_it_faster_waits_while_a_request_runs(
    start: Callable[..., Engine], prompts: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    done, may_begin = list[int](), threading.Event()

    def work() -> Iterator[None]:
        may_begin.wait()
        for number in range(3):
            done.append(number)
            yield

    def replaced(model: Any, *_: object) -> Iterator[None]:
        kernel = BFloat16()
        replace_layers(model, Choice(((inf, kernel),), kernel))
        return work()

    monkeypatch.setattr(engine_module, "replace_layers", replaced)
    engine = start(device="cpu")
    async with aclosing(engine.generate(prompts[0], 40, GREEDY)) as batches:
        assert await anext(batches)
        may_begin.set()
        assert sum([len(batch) async for batch in batches]) > 30
        assert len(done) <= 1
    await asyncio.to_thread(engine.wait_until_improved)
    assert done == [0, 1, 2]


async def test_a_request_finds_the_beginning_of_a_prepared_prompt_in_the_cache(start: Callable[..., Engine]) -> None:
    engine = start(max_batch_tokens=48)
    # The second has more tokens than a context, of which one is left for an answer.
    short, long = [*range(100, 200)], [*range(150, 50, -1)] * 3
    engine.prepare([short, long])
    await asyncio.to_thread(engine.wait_until_improved)
    page = PAGE_TOKENS if DEVICE == "cpu" else GPU_PAGE_TOKENS
    for beginning in (short[:90], long[:250]):
        found = list[int]()
        async with aclosing(engine.generate([*beginning, 7], 1, GREEDY, found.append)) as batches:
            assert [len(batch) async for batch in batches] == [1]
        assert found[0] == len(beginning) // page * page


async def test_an_engine_can_be_stopped_while_it_prepares(start: Callable[..., Engine]) -> None:
    engine = start(max_batch_tokens=1)
    engine.prepare([[*range(100, 200)] * 2] * 1000)
    await asyncio.to_thread(engine.stop)
    assert not engine.alive


async def test_a_stopped_engine_fails_what_it_runs_and_refuses_more(
    start: Callable[..., Engine], prompts: list[list[int]]
) -> None:
    engine = start()
    batches: AsyncGenerator[list[int]] = engine.generate(prompts[0], 1000, GREEDY)
    await anext(batches)
    assert engine.alive
    await asyncio.to_thread(engine.stop)
    with pytest.raises(UpstreamError, match="the engine failed: "):
        async for _ in batches:
            pass
    with pytest.raises(UpstreamError, match="the engine has stopped; its replica will be replaced"):
        await generated(engine, prompts[0], 1)
    assert (engine.alive, engine.running) == (False, 0)

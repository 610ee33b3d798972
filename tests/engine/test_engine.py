"""The engine on a tiny model: whoever else runs, a request gets its own tokens, all of them, and leaves no trace."""

import asyncio
import json
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from engine.engine import PAGE_TOKENS, Engine, EngineSettings
from engine.sampling import Sampling
from gateway.errors import UpstreamError
from tests.engine.conftest import Start
from tests.fakes.tiny_model import POSITIONS

# One loop for all: the engine hands its tokens to the loop that asked, which must not close before they come.
pytestmark = pytest.mark.asyncio(loop_scope="module")

GREEDY = Sampling()


async def generated(
    engine: Engine, prompt: Sequence[int], max_new_tokens: int, sampling: Sampling = GREEDY
) -> list[int]:
    async with aclosing(engine.generate(prompt, max_new_tokens, sampling)) as batches:
        return [token async for batch in batches for token in batch]


async def left_running(engine: Engine) -> int:
    """What still runs one request later: a cancellation is taken up with the next request at the latest."""
    await generated(engine, [3], 1)
    return engine.running


@pytest.fixture(autouse=True)
async def idle(engine: Engine) -> AsyncIterator[None]:
    yield
    assert await left_running(engine) == 0


@pytest.fixture(scope="module")
def prompts(tokenizer: Any) -> list[list[int]]:
    """From a few tokens to more than the engine takes in with two steps, no two with the same beginning."""
    text = "The user asks how many days there are in three weeks. "
    return [tokenizer(f"{times}. {text * times}")["input_ids"] for times in range(1, 15, 2)]


async def test_many_requests_at_once_write_what_each_writes_alone(engine: Engine, prompts: list[list[int]]) -> None:
    alone = [await generated(engine, prompt, 40) for prompt in prompts]
    assert [len(tokens) for tokens in alone] == [40] * 7
    assert len(set(map(tuple, alone))) == 7
    together = await asyncio.gather(*(generated(engine, prompt, 40) for prompt in prompts))
    assert together == alone


async def test_no_more_tokens_come_than_asked_for(engine: Engine, prompts: list[list[int]]) -> None:
    whole = await generated(engine, prompts[0], 60)
    limits = [1, 2, PAGE_TOKENS, PAGE_TOKENS + 1, 59]
    assert [await generated(engine, prompts[0], limit) for limit in limits] == [whole[:limit] for limit in limits]


async def test_an_end_token_is_the_last(
    start: Start, engine: Engine, prompts: list[list[int]], model: Path, tmp_path: Path
) -> None:
    whole = await generated(engine, prompts[0], 40)
    end = next(token for token in whole[10:] if token not in whole[:10])
    folder = shutil.copytree(model, tmp_path / "ends")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [end, 0]}))
    ending = start(folder)
    assert ending.end_tokens == {end, 0}
    assert await generated(ending, prompts[0], 40) == whole[: whole.index(end) + 1]


async def test_text_that_goes_on_from_another_request_is_that_of_one_long_request(
    engine: Engine, prompts: list[list[int]]
) -> None:
    prompt = prompts[4]
    whole = await generated(engine, prompt, 100)
    assert len(prompt) > PAGE_TOKENS
    for size in (1, 50, 99):
        assert await generated(engine, [*prompt, *whole[:size]], 100 - size) == whole[size:]


async def test_a_seed_repeats_itself_alone_and_in_company(engine: Engine, prompts: list[list[int]]) -> None:
    samplings = [Sampling(temperature=1.5, seed=seed) for seed in range(6)]
    alone = [await generated(engine, prompts[0], 30, sampling) for sampling in samplings]
    again = [await generated(engine, prompts[0], 30, sampling) for sampling in samplings]
    together = await asyncio.gather(
        *(generated(engine, prompts[0], 30, sampling) for sampling in samplings),
        *(generated(engine, prompt, 30) for prompt in prompts),
    )
    assert len(set(map(tuple, alone))) == 6
    assert again == alone
    assert together[:6] == alone


async def test_each_request_has_its_own_bans(engine: Engine, prompts: list[list[int]]) -> None:
    whole = await generated(engine, prompts[0], 30)
    pair = (whole[0], whole[1])
    never, after = Sampling(banned={None: whole[1]}), Sampling(banned={whole[0]: whole[1]})
    plain, without, parted = await asyncio.gather(
        *(generated(engine, prompts[0], 30, sampling) for sampling in (GREEDY, never, after))
    )
    assert plain == whole
    assert (without[0], whole[1] in without) == (whole[0], False)
    assert (parted[0], pair in pairwise(parted)) == (whole[0], False)


async def test_closing_the_generator_cancels_the_request(engine: Engine, prompts: list[list[int]]) -> None:
    running = [engine.generate(prompt, 1000, GREEDY) for prompt in prompts[:4]]
    for batches in running:
        await anext(batches)
    assert engine.running == 4
    for batches in running:
        await batches.aclose()
    assert await left_running(engine) == 0


async def test_a_reader_that_is_cancelled_cancels_the_request(engine: Engine, prompts: list[list[int]]) -> None:
    reader = asyncio.create_task(generated(engine, prompts[0], 1000))
    await generated(engine, prompts[1], 10)
    assert engine.running == 1
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await left_running(engine) == 0


async def test_nothing_is_kept_of_cancelled_requests(engine: Engine, prompts: list[list[int]]) -> None:
    for _ in range(30):
        batches = engine.generate(prompts[0], 1000, GREEDY)
        await anext(batches)
        await batches.aclose()
    assert await left_running(engine) == 0
    router = engine._manager.output_router
    assert (router.output_queue.qsize(), router.result_handlers) == (0, {})


async def test_a_reader_slower_than_the_engine_gets_all_that_came_at_once(
    engine: Engine, prompts: list[list[int]]
) -> None:
    whole = await generated(engine, prompts[0], 40)
    async with aclosing(engine.generate(prompts[0], 40, GREEDY)) as batches:
        first = await anext(batches)
        await generated(engine, prompts[1], 60)
        rest = [batch async for batch in batches]
    assert rest == [whole[len(first) :]]
    assert first == whole[: len(first)]


async def test_requests_that_the_cache_cannot_hold_together_are_all_served(
    start: Start, engine: Engine, prompts: list[list[int]]
) -> None:
    small = start(context_tokens=256, kv_cache_tokens=256)
    alone = [await generated(engine, prompt, 60) for prompt in prompts]
    assert sum(len(prompt) + 60 for prompt in prompts) > 4 * 256
    assert await asyncio.gather(*(generated(small, prompt, 60) for prompt in prompts)) == alone


async def test_a_context_larger_than_the_cache_is_refused_before_anything_loads() -> None:
    with pytest.raises(ValueError, match="kv_cache_tokens must be at least context_tokens"):
        Engine(Path("no-such-model"), EngineSettings(context_tokens=513, kv_cache_tokens=512))


async def test_the_context_is_the_smaller_of_the_settings_and_the_models(start: Start, engine: Engine) -> None:
    wide = start(context_tokens=2 * POSITIONS, kv_cache_tokens=2 * POSITIONS)
    assert (engine.context_tokens, wide.context_tokens) == (256, POSITIONS)


async def test_a_stopped_engine_fails_what_it_runs_and_refuses_more(start: Start, prompts: list[list[int]]) -> None:
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
    assert (engine.alive, engine.running, engine._manager.output_router.result_handlers) == (False, 0, {})

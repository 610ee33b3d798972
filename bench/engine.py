"""Tokens a second of the embedded model: bare in this process, behind the whole graph, and behind other servers.

    .venv/bin/python -m bench.engine        --only ours vLLM, say, for some of them

The same weights and prompts, greedy, up to `TOKENS` tokens an answer, summaries and thinking off. None shares the
machine with another; round after round, since its speed may change, and the best round counts. It changes within a
minute too: so the bare engine and the graph take turns, the bare one while all of the graph's processes are stopped,
and once more while they stand by and nobody asks them. What is missing then, Ray takes by being there.

bench/results/engine.json and engine.md hold the rows. vLLM computes in float32 where a CPU has no bfloat16
instructions, as this engine does (`engine.linear`).
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from transformers import AutoTokenizer

from bench import peers, report
from cluster import state
from engine.engine import Engine, EngineSettings
from engine.model_files import model_folder
from engine.sampling import Sampling
from gateway.config import EMBEDDED_NAME
from gateway.wire import sse

STREAMS = (1, 4, 8, 16)
TOKENS = 96
PROMPT = "Tell a very long story about planet {n}. Begin with its oceans, and never stop."
GATEWAY = "http://127.0.0.1:8000/v1/reasoning"
QUIET = {"prompt_summary": False, "reasoning": {"budget": 0, "summary": "none"}}

SETTLE_SECONDS = 2.0
"""Time for Ray to catch up after it was stopped."""

Ask = Callable[[int], Awaitable[int]]
"""The number of an ask, to the tokens of its answer."""
Rates = Mapping[str, Callable[[int], Awaitable[float]]]
"""A row's name, to what measures its tokens a second with so many streams."""


@asynccontextmanager
async def ours(tokenizer: Any) -> AsyncIterator[Rates]:
    """The engine alone, beside the graph as `make demo` starts it, and the graph."""
    await _local("up")
    try:
        async with _engine(tokenizer) as bare, _asking(GATEWAY, tokenizer, QUIET) as graph:

            async def alone(streams: int) -> float:
                with _graph_stopped():
                    result = await rate(bare, streams)
                await asyncio.sleep(SETTLE_SECONDS)
                return result

            yield {
                "bare engine": alone,
                "bare engine beside the idle graph": partial(rate, bare),
                "graph": partial(rate, graph),
            }
    finally:
        await _local("down")


@asynccontextmanager
async def transformers_serve(tokenizer: Any) -> AsyncIterator[Rates]:
    with tempfile.TemporaryDirectory() as folder, peers.transformers_serve(Path(folder) / "log") as url:
        async with _asking(f"{url}/chat/completions", tokenizer, {"model": str(model_folder("embedded"))}) as ask:
            yield {"transformers serve": partial(rate, ask)}


@asynccontextmanager
async def vllm(tokenizer: Any) -> AsyncIterator[Rates]:
    with tempfile.TemporaryDirectory() as folder, peers.vllm(Path(folder) / "log", lambda _: None) as url:
        async with _asking(f"{url}/chat/completions", tokenizer, {"model": EMBEDDED_NAME}) as ask:
            yield {"vLLM": partial(rate, ask)}


TARGETS: Mapping[str, Callable[[Any], AbstractAsyncContextManager[Rates]]] = {
    "ours": ours,
    "transformers serve": transformers_serve,
    "vLLM": vllm,
}


async def rate(ask: Ask, streams: int) -> float:
    """Tokens a second of `streams` asks at once."""
    began = time.perf_counter()
    tokens = await asyncio.gather(*(ask(n) for n in range(streams)))
    return sum(tokens) / (time.perf_counter() - began)


async def _round(rates: Rates, results: dict[str, dict[str, float]]) -> None:
    for measure in rates.values():
        await measure(1)
    for streams in reversed(STREAMS):  # one alone feels most what a server still does behind its start
        for name, measure in rates.items():
            best = results.setdefault(name, {})
            best[str(streams)] = max(best.get(str(streams), 0.0), round(await measure(streams), 1))
            print(f"{streams} streams: {name} {best[str(streams)]}", file=sys.stderr, flush=True)


@asynccontextmanager
async def _engine(tokenizer: Any) -> AsyncIterator[Ask]:
    engine = Engine(model_folder("embedded"), EngineSettings())

    async def ask(n: int) -> int:
        tokens = tokenizer.apply_chat_template(_messages(n), add_generation_prompt=True, return_dict=False)
        return sum([len(batch) async for batch in engine.generate(tokens, TOKENS, Sampling())])

    try:
        yield ask
    finally:
        engine.stop()


@contextmanager
def _graph_stopped() -> Iterator[None]:
    run = state.home().current()
    processes = run.processes() if run else []
    try:
        for process in processes:
            process.suspend()
        yield
    finally:
        for process in processes:
            process.resume()


async def _local(command: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "cluster.cli", command, cwd=peers.ROOT)
    if await process.wait():
        raise SystemExit(f"reasoning-gateway {command} has failed")


@asynccontextmanager
async def _asking(url: str, tokenizer: Any, asked: Mapping[str, Any]) -> AsyncIterator[Ask]:
    """Asks over HTTP. They take as little of the machine as they can: one client, whose certificates alone cost 20 ms
    to read, and answers read whole before their events are looked at."""

    async def ask(n: int) -> int:
        body = {"messages": _messages(n), "max_tokens": TOKENS, "temperature": 0, "stream": True, **asked}
        async with http.stream("POST", url, json=body) as response:
            response.raise_for_status()
            answer = b"".join([chunk async for chunk in response.aiter_raw()])
        text = "".join(_said(event.data) for event in sse.Decoder().feed(answer))
        return len(tokenizer(text)["input_ids"])

    async with httpx.AsyncClient(timeout=None, trust_env=False) as http:
        yield ask


def _said(data: str) -> str:
    """The text in an event of /chat/completions, or of the gateway's own stream."""
    match json.loads(data) if data != "[DONE]" else None:
        case {"choices": [{"delta": {"content": str(text)}}]} | {"type": "response.delta", "delta": text}:
            return text
    return ""


def _messages(n: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": PROMPT.format(n=n)}]


def markdown(results: Mapping[str, Mapping[str, float]]) -> str:
    lines = [f"| tokens/s at | {' | '.join(map(str, STREAMS))} streams |", "|---|" + "--:|" * len(STREAMS)]
    for name, row in results.items():
        lines.append(f"| {name} | {' | '.join(f'{row[str(streams)]:.1f}' for streams in STREAMS)} |")
    return "\n".join(lines) + "\n"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=TARGETS, nargs="+", help="measure these, and keep the others' rows")
    asked = parser.parse_args()
    file = report.FOLDER / "engine.json"
    results: dict[str, dict[str, float]] = json.loads(file.read_text("utf-8")) if asked.only and file.exists() else {}
    tokenizer = AutoTokenizer.from_pretrained(model_folder("embedded"))
    names = asked.only or list(TARGETS)
    measured: dict[str, dict[str, float]] = {}
    for number in range(asked.rounds):
        for name in names:
            print(f"round {number + 1}: {name} …", file=sys.stderr, flush=True)
            async with TARGETS[name](tokenizer) as rates:
                await _round(rates, measured)
        results |= measured
        file.write_text(json.dumps(results, indent=1) + "\n", "utf-8")
        file.with_suffix(".md").write_text(markdown(results), "utf-8")
    print(markdown(results))


if __name__ == "__main__":
    asyncio.run(main())

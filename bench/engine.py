"""Tokens a second of the embedded model: bare in this process, behind the whole graph, and behind other servers.

    .venv/bin/python -m bench.engine        --only ours vLLM, say, for some of them

All use the same weights and prompts, decode greedily up to `TOKENS` tokens an answer, and summarize and think nothing.
They run one at a time, in several rounds of which the best counts, since the speed of a machine changes. It changes
within a minute too, so the bare engine and the graph take turns: the bare engine is measured while all processes of the
graph are stopped, and once more while they are idle. The difference between these two is what idle Ray processes cost.

The table is bench/results/engine.md, the measurements of this run are .run/bench/engine.json. llama.cpp reads the GGUF
file that the others' weights were converted from. vLLM computes in float32, since not every CPU has bfloat16
instructions; `engine.linear` says what this engine computes in.
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
from bench.embedded import embedded_engine
from bench.llama_cpp import peer
from cluster import state
from engine.model_files import model_folder
from engine.sampling import Sampling
from gateway.upstream_settings import public_name
from gateway.wire import sse

STREAMS = (1, 4, 8, 16)
TOKENS = 96
PROMPT = "Write the numbers from {n}01 to {n}99 in words, one on each line."
"""Every answer to it is longer than `TOKENS`. Of sixteen about "a very long story", eleven ended after 14 tokens, and
fewer streams were measured than the table said."""
LEAST_SHARE = 0.95
"""Least share of `TOKENS` an answer: tokens that came over HTTP are counted in the text, and may differ by some."""
GATEWAY = "http://127.0.0.1:8000/v1/reasoning"
QUIET = {"prompt_summary": False, "reasoning": {"budget": 0, "summary": "none"}}

SETTLE_SECONDS = 2.0
"""Seconds for Ray's processes to catch up after they have been stopped."""

Generate = Callable[[int], Awaitable[int]]
"""Takes the number of a request and returns the number of tokens of its answer."""
Rates = Mapping[str, Callable[[int], Awaitable[float]]]
"""A row's name, and a function from the number of streams to tokens a second."""


@asynccontextmanager
async def ours(tokenizer: Any) -> AsyncIterator[Rates]:
    """Measure the engine alone, the engine beside the graph as `make demo` starts it, and the graph."""
    await _local("up")
    try:
        async with _engine(tokenizer) as bare, _over_http(GATEWAY, tokenizer, QUIET) as graph:

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
        model = {"model": str(model_folder("embedded"))}
        async with _over_http(f"{url}/chat/completions", tokenizer, model) as generate:
            yield {"transformers serve": partial(rate, generate)}


@asynccontextmanager
async def vllm(tokenizer: Any) -> AsyncIterator[Rates]:
    with tempfile.TemporaryDirectory() as folder, peers.vllm(Path(folder) / "log", lambda _: None) as url:
        async with _over_http(f"{url}/chat/completions", tokenizer, {"model": public_name("embedded")}) as generate:
            yield {"vLLM": partial(rate, generate)}


@asynccontextmanager
async def llama_cpp(tokenizer: Any) -> AsyncIterator[Rates]:
    async with peer.llama_cpp("embedded", max(STREAMS)) as generate_all:

        async def measure(streams: int) -> float:
            prompts = [
                tokenizer.apply_chat_template(_messages(n), add_generation_prompt=True, tokenize=False)
                for n in range(streams)
            ]
            began = time.perf_counter()
            tokens = await generate_all(prompts, TOKENS)
            return _rate(tokens, streams, time.perf_counter() - began)

        yield {"llama.cpp": measure}


TARGETS: Mapping[str, Callable[[Any], AbstractAsyncContextManager[Rates]]] = {
    "ours": ours,
    "transformers serve": transformers_serve,
    "vLLM": vllm,
    "llama.cpp": llama_cpp,
}


async def rate(generate: Generate, streams: int) -> float:
    """Return the tokens a second of `streams` requests at once."""
    began = time.perf_counter()
    tokens = await asyncio.gather(*(generate(n) for n in range(streams)))
    return _rate(sum(tokens), streams, time.perf_counter() - began)


def _rate(tokens: int, streams: int, seconds: float) -> float:
    if tokens < LEAST_SHARE * TOKENS * streams:
        raise SystemExit(f"{streams} answers had {tokens} tokens, so not all were written for the whole time")
    return tokens / seconds


async def _round(rates: Rates, results: dict[str, dict[str, float]]) -> None:
    for measure in rates.values():
        await measure(1)
    # The single stream last: it suffers most from what a server still does after its start.
    for streams in reversed(STREAMS):
        for name, measure in rates.items():
            best = results.setdefault(name, {})
            best[str(streams)] = max(best.get(str(streams), 0.0), round(await measure(streams), 1))
            print(f"{streams} streams: {name} {best[str(streams)]}", file=sys.stderr, flush=True)


@asynccontextmanager
async def _engine(tokenizer: Any) -> AsyncIterator[Generate]:
    async with embedded_engine() as engine:

        async def generate(n: int) -> int:
            tokens = tokenizer.apply_chat_template(_messages(n), add_generation_prompt=True, return_dict=False)
            return sum([len(batch) async for batch in engine.generate(tokens, TOKENS, Sampling())])

        yield generate


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
        raise SystemExit(f"reasoning-gateway {command} failed")


@asynccontextmanager
async def _over_http(url: str, tokenizer: Any, fields: Mapping[str, Any]) -> AsyncIterator[Generate]:
    """Yield a function that sends requests over HTTP.

    It takes as little CPU as it can from the server: all requests share a client, whose certificates take 20 ms to
    read, and an answer is read whole before its events are decoded.
    """

    async def generate(n: int) -> int:
        body = {"messages": _messages(n), "max_tokens": TOKENS, "temperature": 0, "stream": True, **fields}
        async with http.stream("POST", url, json=body) as response:
            response.raise_for_status()
            answer = b"".join([chunk async for chunk in response.aiter_raw()])
        text = "".join(_text(event.data) for event in sse.Decoder().feed(answer))
        return len(tokenizer(text)["input_ids"])

    async with httpx.AsyncClient(timeout=None, trust_env=False) as http:
        yield generate


def _text(data: str) -> str:
    """Return the text in an event of /chat/completions or of the gateway's native stream."""
    match json.loads(data) if data != "[DONE]" else None:
        case {"choices": [{"delta": {"content": str(text)}}]} | {"type": "response.delta", "delta": text}:
            return text
    return ""


def _messages(n: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": PROMPT.format(n=n + 1)}]


def markdown(results: Mapping[str, Mapping[str, float]]) -> str:
    lines = [f"| tokens/s at | {' | '.join(map(str, STREAMS))} streams |", "|---|" + "--:|" * len(STREAMS)]
    for name, row in results.items():
        lines.append(f"| {name} | {' | '.join(f'{row[str(streams)]:.1f}' for streams in STREAMS)} |")
    return "\n".join(lines) + "\n"


def rows(table: str) -> dict[str, dict[str, float]]:
    """Read a table back."""
    lines = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {name: dict(zip(map(str, STREAMS), map(float, cells), strict=True)) for name, *cells in lines}


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", choices=TARGETS, nargs="+", help="measure these, and keep the rows of the others")
    arguments = parser.parse_args()
    file = peers.ROOT / ".run" / "bench" / "engine.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    table = report.FOLDER / "engine.md"
    results = rows(table.read_text("utf-8")) if arguments.only else {}
    tokenizer = AutoTokenizer.from_pretrained(model_folder("embedded"))
    names = arguments.only or list(TARGETS)
    measured: dict[str, dict[str, float]] = {}
    for number in range(arguments.rounds):
        for name in names:
            print(f"round {number + 1}: {name} …", file=sys.stderr, flush=True)
            async with TARGETS[name](tokenizer) as rates:
                await _round(rates, measured)
        results |= measured
        file.write_text(json.dumps(measured, indent=1) + "\n", "utf-8")
        table.write_text(markdown(results), "utf-8")
    print(markdown(results))


if __name__ == "__main__":
    asyncio.run(main())

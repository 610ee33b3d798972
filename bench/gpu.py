"""Everything about the engine that a machine with a GPU has to show, in one command.

    python -m bench.gpu                       the tests of engine/, then the tables; about ten minutes on an H100
    python -m bench.gpu --device cpu --tiny   the same with a tiny model, to see that the program runs to its end

The models have random weights and the shapes of Qwen2.5-1.5B and 7B, made where it runs: nothing is downloaded. Needs
torch, transformers and pytest with its plugins, neither Ray nor a server. Beside the engine's tokens/s stand the engine
as it was before (`sdpa` over a mask, no graphs, no overlap), transformers' `generate()`, and the limit by the memory's
bandwidth: all weights are read once a step. The tables go to the file named by --out.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from transformers import AutoModelForCausalLM, Qwen2Config, Qwen2ForCausalLM

from bench import sampler
from engine import batching
from engine.engine import Engine, EngineSettings
from engine.sampling import Sampling

STREAMS = (1, 16, 64, 128, 256)
TOKENS, PROMPT, LONG_PROMPT = 128, 64, 1000
SHAPES = {
    "1.5B": {"hidden_size": 1536, "intermediate_size": 8960, "layers": 28, "heads": 12, "key_heads": 2, "tied": True},
    "7B": {"hidden_size": 3584, "intermediate_size": 18944, "layers": 28, "heads": 28, "key_heads": 4, "tied": False},
    "tiny": {"hidden_size": 64, "intermediate_size": 128, "layers": 2, "heads": 4, "key_heads": 2, "tied": True},
}
VOCABULARY = {"1.5B": 151_936, "7B": 152_064, "tiny": 1000}
GREEDY, DRAWN = Sampling(), Sampling(temperature=0.7, top_p=0.8, top_k=20)


def make(folder: Path, name: str, device: str) -> int:
    """Save a model of random weights and return the bytes of the weights that a step reads."""
    shape: dict[str, Any] = SHAPES[name]
    config = Qwen2Config(
        vocab_size=VOCABULARY[name],
        hidden_size=shape["hidden_size"],
        intermediate_size=shape["intermediate_size"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        num_key_value_heads=shape["key_heads"],
        tie_word_embeddings=shape["tied"],
        max_position_embeddings=8192,
        dtype="bfloat16",
    )
    with torch.device(device):
        model: Any = Qwen2ForCausalLM(config).bfloat16()
    model.generation_config.eos_token_id = [-1]
    model.save_pretrained(folder)
    read: int = sum(parameter.numel() for parameter in model.parameters())
    if not shape["tied"]:
        read -= model.get_input_embeddings().weight.numel()
    return 2 * read


@contextmanager
def engine(folder: Path, device: Any, before: bool) -> Iterator[Engine]:
    """Run the engine, or with `before` the one that knew no GPU: only the choice by the device is put back."""
    settings = EngineSettings(
        device=device, kv_cache_tokens=131_072 if device == "cuda" else 8192, max_batch_tokens=2048
    )
    with mock.patch.object(batching, "suits", lambda _: False) if before else nullcontext():
        running = Engine(folder, settings)
    try:
        yield running
    finally:
        running.stop()


async def tokens_per_second(running: Engine, streams: int, sampling: Sampling, count: int) -> float:
    """Return the tokens of all streams together, a second, from their beginning to their end."""

    async def stream(number: int) -> None:
        prompt = [(number * 31 + place) % 900 for place in range(PROMPT)]
        async with aclosing(running.generate(prompt, count, sampling)) as batches:
            async for _ in batches:
                pass

    began = time.perf_counter()
    await asyncio.gather(*(stream(number) for number in range(streams)))
    return streams * count / (time.perf_counter() - began)


async def first_token(running: Engine) -> float:
    """Return the milliseconds to the first token of a long prompt: the best of five, no two with the same beginning."""
    times = []
    for number in range(5):
        began = time.perf_counter()
        async with aclosing(
            running.generate([number + 1, *range(LONG_PROMPT - 1)][:LONG_PROMPT], 1, GREEDY)
        ) as batches:
            async for _ in batches:
                times.append(1000 * (time.perf_counter() - began))
    return min(times)


def generate(folder: Path, device: str, streams: int, count: int) -> float:
    """Return the tokens/s of transformers' `generate()` for so many prompts in one batch."""
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    model.to(device)
    prompts = torch.arange(streams * PROMPT, device=device).view(streams, PROMPT) % 900
    options = {"do_sample": False, "attention_mask": torch.ones_like(prompts), "pad_token_id": 0}
    model.generate(prompts, max_new_tokens=4, **options)
    began = time.perf_counter()
    model.generate(prompts, max_new_tokens=count, min_new_tokens=count, **options)
    return streams * count / (time.perf_counter() - began)


def bandwidth(device: str) -> float:
    """Return the bytes/s that a copy moves, reading and writing."""
    source = torch.empty(2**28 if device == "cuda" else 2**24, dtype=torch.int32, device=device)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        source.clone()
        if device == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - began)
    return 2 * source.nbytes / min(times)


async def rows(name: str, device: str, sizes: Sequence[int], count: int) -> list[str]:
    """Measure one model and return the lines of its table."""
    head = "| " + " | ".join(f"{streams}" for streams in sizes) + " | first token of 1,000, ms |"
    lines = [f"| {name}, tokens/s at {head[2:]}", "|---" + "|--:" * (len(sizes) + 1) + "|"]
    with tempfile.TemporaryDirectory() as made:
        read = make(Path(made), name, device)
        for title, before, sampling in (
            ("greedy", False, GREEDY),
            ("drawn, top-k 20, top-p 0.8", False, DRAWN),
            ("greedy, the engine before", True, GREEDY),
        ):
            with engine(Path(made), device, before) as running:
                await tokens_per_second(running, max(sizes), sampling, 8)
                rates = [await tokens_per_second(running, streams, sampling, count) for streams in sizes]
                lines.append(_line(title, rates, await first_token(running)))
        rates = [generate(Path(made), device, streams, count) for streams in sizes]
        lines.append(_line("`generate()` of transformers", rates, None))
        limit = bandwidth(device) / read
        lines.append(_line("limit by memory bandwidth", [streams * limit for streams in sizes], None))
    return lines


def _line(title: str, rates: Sequence[float], milliseconds: float | None) -> str:
    cells = [*(f"{rate:,.0f}" for rate in rates), "" if milliseconds is None else f"{milliseconds:.0f}"]
    line = f"| {title} | " + " | ".join(cells) + " |"
    # At once, so that a run that is ended has shown what it measured.
    print(line, flush=True)
    return line


def main() -> None:
    """Run the tests on the device, measure, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--tiny", action="store_true", help="a tiny model, few streams and tokens")
    parser.add_argument("--skip-tests", action="store_true")
    parser.add_argument("--models", nargs="+", default=("1.5B", "7B"), choices=SHAPES)
    parser.add_argument("--out", type=Path, default=Path(".run/bench/gpu.md"))
    asked = parser.parse_args()
    models, sizes, count = (("tiny",), (1, 4), 16) if asked.tiny else (asked.models, STREAMS, TOKENS)
    if not asked.skip_tests:
        command = [sys.executable, "-m", "pytest", "-q", "tests/engine"]
        tests = subprocess.run(command, env={**os.environ, "ENGINE_DEVICE": asked.device}, check=False)
        print(f"tests of engine/ on {asked.device}: {'passed' if tests.returncode == 0 else 'FAILED'}", flush=True)
    where = torch.cuda.get_device_name() if asked.device == "cuda" else "the CPU"
    lines = [f"{where}, torch {torch.__version__}, bfloat16, random weights, prompts of {PROMPT} tokens.", ""]
    for name in models:
        lines += [*asyncio.run(rows(name, asked.device, sizes, count)), ""]
    lines += sampler.table(torch.device(asked.device), (1, 4) if asked.tiny else sampler.SIZES, 2 if asked.tiny else 5)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()

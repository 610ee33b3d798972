"""Real traces of reasoning, recorded from the embedded 0.5B: the data that `bench.summaries` runs on.

    .venv/bin/python -m bench.traces            record what is not whole yet; --again: all

bench/traces.jsonl holds one JSON object a line: `id`, `task`, `language` (ISO 639-1), `prompt`, `least` (characters),
`trace` (without its markers), `response`, and `tokens` of the trace. The prompts are in the file from the start.

The model thinks as it does in the product, asked as by `engine.harness`. If it stops
before `least` characters, or repeats a sentence for the third time, a turn of thought ("Wait,") is appended, as in
budget forcing (arXiv:2501.19393), and it continues, for `least` tokens at most. Then the block is closed, and it
answers.
"""

import argparse
import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from transformers import AutoTokenizer

from engine.embedded import SMALL
from engine.engine import Engine, EngineSettings
from engine.harness import GenerationRequest, Harness, Text
from engine.harness.opening import opening_of
from engine.harness.prompts import ANSWER, END, OPENED, THINK, with_behind
from engine.model_files import model_folder

FILE = Path(__file__).parent / "traces.jsonl"
LONG = 10_000
"""Minimum length of a long trace in characters."""
SIDE_BY_SIDE = 12
"""Number of traces recorded at a time. The engine's attention covers the texts of all of them: more are not faster."""
PASS_TOKENS, ANSWER_TOKENS = 640, 120
TEMPERATURE, TOP_P = 0.9, 0.95
CHARACTERS_A_TOKEN = 4
"""Estimate for traces whose tokens nobody has counted."""
SHORTEST = 12
"""A piece of at most this many characters may be repeated any number of times."""
_BORDER = re.compile(r"(?<=[.!?。！？\n])")
_PIECE = re.compile(r"[^.!?。！？\n]+[.!?。！？\n]?")
TURNS = {
    "en": ("Wait,", "Next,", "Let me check this again:", "Another point:"),
    "de": ("Moment mal,", "Als Nächstes", "Ich prüfe das noch einmal:", "Ein weiterer Punkt:"),
    "es": ("Espera,", "Ahora", "Voy a comprobarlo otra vez:", "Otro punto:"),
    "zh": ("等等，", "接下来，", "让我再检查一遍：", "另外，"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One line of the file; the module's docstring describes the fields."""

    id: str
    task: str
    language: str
    prompt: str
    least: int
    trace: str = ""
    response: str = ""
    tokens: int = 0


def load(path: Path = FILE) -> list[Trace]:
    """Return the traces of a file of this form, or of one with `prompt`, `reasoning` and `answer` of other models."""
    return [_trace(json.loads(line)) for line in path.read_text("utf-8").splitlines() if line.strip()]


def _trace(row: dict[str, Any]) -> Trace:
    if "reasoning" not in row:
        return Trace(**row)
    return Trace(
        id=row["id"],
        task=row.get("domain", ""),
        language=row["language"],
        prompt=_last_turn(row["prompt"]),
        least=len(row["reasoning"]),
        trace=row["reasoning"],
        response=row.get("answer") or "",
        tokens=max(1, len(row["reasoning"]) // CHARACTERS_A_TOKEN),
    )


def _last_turn(prompt: str | list[dict[str, Any]]) -> str:
    """Return a prompt that is a text, or the text of the user's last message."""
    if isinstance(prompt, str):
        return prompt
    turns = [turn.get("content") or turn.get("parts") or "" for turn in prompt if turn.get("role") == "user"]
    last = turns[-1] if turns else ""
    return last if isinstance(last, str) else " ".join(part.get("text", "") for part in last)


def save(traces: Sequence[Trace], path: Path = FILE) -> None:
    text = "".join(json.dumps(asdict(trace), ensure_ascii=False) + "\n" for trace in traces)
    path.write_text(text, "utf-8")


class Repeats:
    """Detects in a growing text that a sentence or line occurs for the third time."""

    def __init__(self, text: str) -> None:
        self._seen = Counter(map(str.strip, _PIECE.findall(text)))
        self._rest = ""

    def feed(self, text: str) -> bool:
        *pieces, self._rest = _BORDER.split(self._rest + text)
        self._seen.update(map(str.strip, pieces))
        return any(self._seen[piece.strip()] > 2 for piece in pieces if len(piece.strip()) > SHORTEST)


async def recorded(harness: Harness, tokenizer: Any, trace: Trace, seed: int, keep: Callable[[Trace], None]) -> Trace:
    """Let the model continue the trace, and answer; `keep` is called with the trace while it grows."""
    thought, tokens = trace.trace or opening_of(trace.prompt), 0
    turns = cycle(TURNS[trace.language])
    while True:
        more, made = await _written(harness, trace, THINK, OPENED + thought, PASS_TOKENS, seed + tokens)
        thought, tokens = (thought + more).rstrip(), tokens + made
        if len(thought) >= trace.least or tokens > trace.least:
            break
        keep(replace(trace, trace=thought))
        thought = f"{thought}\n\n{next(turns)}"
    response, _ = await _written(harness, trace, ANSWER.format(notes=thought), "", ANSWER_TOKENS, seed)
    return replace(trace, trace=thought, response=response.strip(), tokens=_count(tokenizer, thought))


def _count(tokenizer: Any, text: str) -> int:
    return len(tokenizer(text)["input_ids"])


async def _written(harness: Harness, trace: Trace, asked: str, begun: str, limit: int, seed: int) -> tuple[str, int]:
    """Return what the model adds to the turn that it has begun, asked for behind the prompt, and the tokens of it."""
    request = GenerationRequest(
        messages=with_behind([{"role": "user", "content": trace.prompt}], asked),
        max_tokens=limit,
        budget=0,
        temperature=TEMPERATURE,
        top_p=TOP_P,
        seed=seed,
        stop=(END,),
        prefill=begun,
    )
    text, tokens, repeats = "", 0, Repeats(begun)
    async with aclosing(harness.stream(request)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Text):
                added = piece.text if text else piece.text.removeprefix(begun)
                text, tokens = text + added, tokens + 1
                if repeats.feed(added):
                    break
    return text, tokens


async def record(again: bool) -> None:
    """Record the traces side by side, the short ones first; each is saved as soon as it is complete."""
    traces = [replace(trace, trace="", response="", tokens=0) if again else trace for trace in load()]
    folder = model_folder(SMALL)
    engine = Engine(folder, EngineSettings(kv_cache_tokens=65_536))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    harness = Harness(engine, tokenizer)
    room = asyncio.Semaphore(SIDE_BY_SIDE)
    wanted = sorted((n for n, trace in enumerate(traces) if not trace.tokens), key=lambda n: traces[n].least)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        bar = progress.add_task("Recording traces", total=len(wanted))

        def keep(n: int, trace: Trace) -> None:
            traces[n] = trace
            save(traces)

        async def one(n: int) -> None:
            async with room:
                keep(n, await recorded(harness, tokenizer, traces[n], n, partial(keep, n)))
            progress.advance(bar)

        await asyncio.gather(*(one(n) for n in wanted))
    engine.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="record all traces again")
    asyncio.run(record(parser.parse_args().again))


if __name__ == "__main__":
    main()

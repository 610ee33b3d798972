"""Ask the embedded models plainly and through the harness, and compare the answers.

    .venv/bin/python -m bench.answers                   both models; `--again` discards the answers of earlier runs
    .venv/bin/python -m bench.answers --measure         only make the results again from the answers that are there

Asked are 90 tasks of reasoning-gym (`bench.answer_tasks`) and the prompts of all kinds in bench/plain_prompts.jsonl;
the answers to 24 of them are kept to be read. Decoding is greedy. Answers are written to .run/bench/answers.jsonl, from
which a run that was stopped is continued, the results to bench/results/. Exits with 1 if an answer repeats what the
model has been told, or speaks of its notes.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from transformers import AutoTokenizer

from bench import answer_report
from bench.answer_check import Prompt, prompts
from bench.answer_tasks import Task, tasks
from bench.embedded import embedded_engine
from engine.harness import Finished, GenerationRequest, Harness, Text, ThinkingEnded
from engine.harness.prompts import END, START
from engine.model_files import model_folder

FILE = Path(__file__).parent.parent / ".run" / "bench" / "answers.jsonl"
MODELS = ("embedded-0.5b", "embedded")
BUDGETS = {"plainly": 0, "with the harness": 256}
ANSWER_TOKENS = 512
SEED = 7
SIDE_BY_SIDE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer of a model. `asked` is the id of a task or prompt, `ended_by` None if it has not thought."""

    model: str
    method: str
    asked: str
    thinking: str
    text: str
    ended_by: str | None
    finish_reason: str
    tokens: int
    thinking_tokens: int

    @property
    def key(self) -> tuple[str, str, str]:
        return self.model, self.method, self.asked


def load(path: Path = FILE) -> list[Answer]:
    return [Answer(**json.loads(line)) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


async def answered(harness: Harness, model: str, method: str, asked: Task | Prompt) -> Answer:
    budget = BUDGETS[method]
    request = GenerationRequest(
        messages=asked.messages, tools=asked.tools, max_tokens=budget + ANSWER_TOKENS, budget=budget, temperature=0.0
    )
    written, ended_by = "", None
    async with aclosing(harness.stream(request)) as items:
        async for item in items:
            match item:
                case Text(text):
                    written += text
                case ThinkingEnded():
                    ended_by = item.ended_by
                case Finished() as end:
                    thinking, _, text = written.partition(END) if ended_by else ("", "", written)
                    return Answer(
                        model=model,
                        method=method,
                        asked=asked.id,
                        thinking=thinking.removeprefix(START).strip(),
                        text=text.strip(),
                        ended_by=ended_by,
                        finish_reason=end.finish_reason,
                        tokens=end.tokens,
                        thinking_tokens=end.thinking_tokens,
                    )
    raise AssertionError("a harness ends with Finished")


async def ask(model: str, wanted: Sequence[tuple[str, Task | Prompt]], keep: Callable[[Answer], None]) -> None:
    """Ask one model for what is missing; `keep` is called with each answer once it is complete."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    async with embedded_engine(model) as engine:
        harness = Harness(engine, AutoTokenizer.from_pretrained(model_folder(model)))
        room = asyncio.Semaphore(SIDE_BY_SIDE)
        with Progress(*columns) as progress:
            bar = progress.add_task(model, total=len(wanted))

            async def one(method: str, asked: Task | Prompt) -> None:
                async with room:
                    keep(await answered(harness, model, method, asked))
                progress.advance(bar)

            await asyncio.gather(*(one(method, asked) for method, asked in wanted))


def missing(done: Sequence[Answer], model: str) -> Iterator[tuple[str, Task | Prompt]]:
    known = {answer.key for answer in done}
    wanted: list[Task | Prompt] = [*tasks(SEED), *prompts()]
    for asked in wanted:
        for method in BUDGETS:
            if (model, method, asked.id) not in known:
                yield method, asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="discard the answers of earlier runs")
    parser.add_argument("--measure", action="store_true", help="ask nothing")
    parser.add_argument("--model", choices=MODELS, help="ask only this model")
    options = parser.parse_args()
    FILE.parent.mkdir(parents=True, exist_ok=True)
    done = [] if options.again else load()
    with FILE.open("w" if options.again else "a", encoding="utf-8") as file:

        def keep(answer: Answer) -> None:
            done.append(answer)
            print(json.dumps(asdict(answer), ensure_ascii=False), file=file, flush=True)

        for model in [] if options.measure else [options.model] if options.model else MODELS:
            if wanted := list(missing(done, model)):
                asyncio.run(ask(model, wanted, keep))
    leaks = answer_report.write(done, list(tasks(SEED)), list(prompts()))
    print(answer_report.FOLDER.joinpath("answers.md").read_text("utf-8"))
    sys.exit(bool(leaks))


if __name__ == "__main__":
    main()

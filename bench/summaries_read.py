"""Lay parts of summaries out to be read: a step of a trace, and what the embedded model writes of it.

    .venv/bin/python -m bench.summaries_read --traces FILE         40 parts, each of another trace

They are written to bench/results/summaries-read.md, each with room for the verdict of whoever reads it. A verdict stays
in another run if its part has stayed the same.
"""

import argparse
import asyncio
import json
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track
from transformers import AutoTokenizer

from bench import report
from bench.embedded import embedded_engine
from bench.summaries import Model
from bench.traces import FILE, Trace, load
from engine.harness import Harness
from engine.model_files import model_folder
from gateway.summaries.excerpts import EXCERPT_CHARACTERS, both_ends
from gateway.summaries.extracts.extractor import Extractor
from gateway.summaries.protocol import PartTask, SummaryEnd
from gateway.summaries.steps import Step, Steps
from gateway.summaries.writer import SummaryWriter

READ = report.FOLDER / "summaries-read.md"
SEED = 101
AT_A_TIME = 5
"""Parts that are written at a time."""
SHOWN = 900
"""Characters that are shown of a step and of a request; the model has seen more of a longer one."""
VERDICT = "Verdict:"
_VERDICTS = re.compile(rf"(?ms)^(## .*?)^{VERDICT}(.*?)$")


@dataclass(frozen=True, slots=True)
class ReadPart:
    """A part as it is laid out: its trace, its step, the title and the text, and who has written them."""

    trace: Trace
    step: Step
    title: str
    text: str
    written_by: str

    def section(self, number: int, source: str) -> str:
        """Return the part as Markdown, up to its verdict; `source` says where its trace is from."""
        place = f"{self.trace.id}, characters {self.step.start} to {self.step.end}, by the {self.written_by}"
        asked = " ".join(both_ends(self.trace.prompt, SHOWN // 3).split())
        step = both_ends(self.step.text.strip(), SHOWN)
        return (
            f"## {number}. {self.title}\n\n{self.text}\n\n({place})\n\n{source}Asked: {asked}\n\n"
            + "".join(f"> {line}".rstrip() + "\n" for line in step.splitlines())
            + "\n"
        )


def chosen(traces: Sequence[Trace], count: int) -> list[tuple[Trace, Sequence[Step]]]:
    """Return `count` traces, each with its steps up to one that is drawn with a fixed seed."""
    draw = random.Random(SEED)
    steps: list[tuple[Trace, Sequence[Step]]] = []
    for trace in draw.sample(traces, min(count, len(traces))):
        cutter = Steps()
        cut = [*cutter.feed(trace.trace), *cutter.close()]
        steps.append((trace, cut[: cut.index(draw.choice(cut)) + 1]))
    return steps


async def written(writer: SummaryWriter, trace: Trace, steps: Sequence[Step]) -> ReadPart:
    """Return the part that the gateway would send for the last of the steps: the model's, or an extract."""
    step = steps[-1]
    task = PartTask(step=both_ends(step.text, EXCERPT_CHARACTERS), request=trace.prompt, evidence=(trace.prompt,))
    title, text = "", ""
    async for batch in writer.part(f"{trace.id}-{step.start}", task):
        for item in batch:
            if isinstance(item, str):
                text += item
            elif isinstance(item, SummaryEnd):
                title = item.title
    extractor = Extractor(trace.prompt)
    for earlier in steps[:-1]:
        extractor.extract(earlier.text)
    if not text:
        return ReadPart(trace, step, *extractor.extract(step.text), "extract")
    return ReadPart(trace, step, title or f"{extractor.title(text)} (title of the extract)", text, "model")


def sources_of(path: Path) -> dict[str, str]:
    """Return where the traces of a file are from, by their ids, as far as it says so."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return {
        row["id"]: "From {repo}, {path}, at {commit} ({licence}).\n\n".format(**row["source"])
        for row in rows
        if "source" in row
    }


def page(parts: Sequence[ReadPart], sources: Mapping[str, str], verdicts: Mapping[str, str]) -> str:
    """Return all parts with the verdicts that there are already, and how many of each kind these are."""
    sections = [part.section(number, sources.get(part.trace.id, "")) for number, part in enumerate(parts, 1)]
    kinds = Counter(verdicts.get(section, " not read").split(":")[0].strip() for section in sections)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    written = "Written by the embedded model; `bench/summaries_read.py` has drawn them."
    head = f"# {len(parts)} parts, read: {told}\n\n{written}\n"
    return "\n".join([head, *(f"{section}{VERDICT}{verdicts.get(section, '')}\n" for section in sections)])


async def main(path: Path, count: int) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model_folder("embedded"))
    async with embedded_engine() as engine:
        model = Model(Harness(engine, tokenizer), tokenizer)
        writer, places = SummaryWriter(model.ask, in_order=True), asyncio.Semaphore(AT_A_TIME)

        async def placed(trace: Trace, steps: Sequence[Step]) -> ReadPart:
            async with places:
                return await written(writer, trace, steps)

        tasks = [asyncio.create_task(placed(*one)) for one in chosen(load(path), count)]
        for task in track(tasks, "parts"):
            await task
    before = dict(_VERDICTS.findall(READ.read_text("utf-8"))) if READ.exists() else {}
    READ.write_text(page([task.result() for task in tasks], sources_of(path), before), "utf-8")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--traces", type=Path, default=FILE)
    options.add_argument("--count", type=int, default=40)
    arguments = options.parse_args()
    asyncio.run(main(arguments.traces, arguments.count))

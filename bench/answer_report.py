"""The results of `bench.answers`: tables in bench/results/answers.md, open questions and answers in answers-open.md."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Protocol

from bench.answer_check import Prompt, faults, leaks
from bench.answer_tasks import KINDS, Task, right

FOLDER = Path(__file__).parent / "results"


class Answer(Protocol):
    """The part of `bench.answers.Answer` that is read here."""

    @property
    def model(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def asked(self) -> str: ...
    @property
    def thinking(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def ended_by(self) -> str | None: ...
    @property
    def tokens(self) -> int: ...


def write(answers: Sequence[Answer], tasks: Sequence[Task], prompts: Sequence[Prompt]) -> list[str]:
    """Write the results, and return the leaks: phrases of the harness in what it has made a model say."""
    FOLDER.mkdir(exist_ok=True)
    rows = sorted(answers, key=lambda answer: (answer.model, answer.method), reverse=True)
    groups = [(*key, list(group)) for key, group in groupby(rows, lambda answer: (answer.model, answer.method))]
    known = {prompt.id: prompt for prompt in prompts}
    leaked = [
        f"{answer.model}, {answer.asked}: {leak}"
        for answer in answers
        if answer.asked in known
        for leak in leaks(answer.text, known[answer.asked])
    ]
    text = "\n".join((*_tasks(groups, tasks), "", *_prompts(groups, known), "", *(f"- {leak}" for leak in leaked)))
    FOLDER.joinpath("answers.md").write_text(text.rstrip() + "\n", "utf-8")
    FOLDER.joinpath("answers-open.md").write_text("\n".join(_open(answers, prompts)), "utf-8")
    return leaked


def _tasks(groups: Sequence[tuple[str, str, list[Answer]]], tasks: Sequence[Task]) -> Iterator[str]:
    known = {task.id: task for task in tasks}
    yield f"Right answers, of {len(tasks)} tasks of reasoning-gym:\n"
    yield f"| model | asked | right | tokens an answer | thinking cut off | {' | '.join(KINDS)} |"
    yield "|---|---|" + "--:|" * (3 + len(KINDS))
    for model, method, group in groups:
        told = [(known[answer.asked], answer) for answer in group if answer.asked in known]
        if told:
            by_kind = [sum(right(t, a.text) for t, a in told if t.kind == kind) for kind in KINDS]
            tokens = sum(answer.tokens for _, answer in told) / len(told)
            cut = sum(answer.ended_by == "budget" for _, answer in told)
            cells = [f"{sum(by_kind)} of {len(told)}", f"{tokens:.0f}", str(cut), *map(str, by_kind)]
            yield f"| {model} | {method} | {' | '.join(cells)} |"


def _prompts(groups: Sequence[tuple[str, str, list[Answer]]], prompts: dict[str, Prompt]) -> Iterator[str]:
    yield f"Plain prompts of all kinds, {len(prompts)} of them:\n"
    yield "| model | asked | as the prompt needs it | another language | empty | leaks | tokens an answer |"
    yield "|---|---|--:|--:|--:|--:|--:|"
    for model, method, group in groups:
        told = [(prompts[answer.asked], answer) for answer in group if answer.asked in prompts]
        if told:
            found = [fault for prompt, answer in told for fault in faults(answer.text, prompt)]
            leaked = sum(bool(leaks(answer.text, prompt)) for prompt, answer in told)
            tokens = sum(answer.tokens for _, answer in told) / len(told)
            needing = sum(bool(prompt.needs) for prompt, _ in told)
            yield (
                f"| {model} | {method} | {needing - found.count('needs')} of {needing} | {found.count('language')}"
                f" | {found.count('empty')} | {leaked} | {tokens:.0f} |"
            )


def _open(answers: Sequence[Answer], prompts: Sequence[Prompt]) -> Iterator[str]:
    yield "# Answers to open questions, as the models gave them\n"
    for prompt in prompts:
        if prompt.open:
            yield f"## {prompt.id}\n\n{_quoted(prompt.question)}\n"
            for answer in sorted((each for each in answers if each.asked == prompt.id), key=lambda each: each.model):
                yield f"**{answer.model}, asked {answer.method}**, {answer.tokens} tokens\n"
                if answer.thinking:
                    yield f"<details><summary>thinking</summary>\n\n{_quoted(answer.thinking)}\n\n</details>\n"
                yield _quoted(answer.text) + "\n"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.splitlines())

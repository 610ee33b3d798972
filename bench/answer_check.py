"""The prompts of bench/plain_prompts.jsonl, and what is wrong with an answer to one of them.

A line of the file holds `id`, `kind`, `messages`, and optionally `tools`; `language` (a tag, or nothing if the answer's
is free); `needs`, an expression that a right answer matches, whatever the case; `open`, if the answer is to be read.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.harness.prompts import ANSWER, THINK
from gateway.summaries.language import language_of

FILE = Path(__file__).parent / "plain_prompts.jsonl"
PHRASE_WORDS = 5
"""Words of an instruction in a row that an answer says only because the model was told them."""
_WORDS = re.compile(r"\w+")
_NOTES = re.compile(
    r"\b(?:(?:my|the|your) (?:own )?notes\b|mes notes|(?:meine|die|ihre) notizen|(?:mis|las) notas|as notas|le note)"
    r"|мои заметки|笔记|ノート|メモ|노트|الملاحظات",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One line of the file; the module's docstring describes the fields."""

    id: str
    kind: str
    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] = field(default_factory=list)
    language: str = ""
    needs: str = ""
    open: bool = False

    @property
    def question(self) -> str:
        return str(next(turn["content"] for turn in reversed(self.messages) if turn["role"] == "user"))


def prompts() -> Iterator[Prompt]:
    for line in FILE.read_text("utf-8").splitlines():
        yield Prompt(**json.loads(line))


def leaks(text: str, prompt: Prompt) -> list[str]:
    """Return what `text` says of the harness: phrases of its instructions, a marker, or its notes."""
    said = " ".join(_WORDS.findall(text.lower()))
    own = " ".join(_WORDS.findall(" ".join(str(turn["content"]) for turn in prompt.messages).lower()))
    phrases = [phrase for phrase in _phrases() if phrase in said and phrase not in own]
    markers = [marker for marker in ("<think", "</think") if marker in text]
    notes = [match.group() for match in _NOTES.finditer(text) if match.group().lower() not in own]
    return [*phrases, *markers, *notes]


def faults(text: str, prompt: Prompt) -> list[str]:
    """Return what is wrong with an answer: `empty`, `language`, `needs`."""
    found = [] if text.strip() else ["empty"]
    if prompt.language and len(text) > 20 and language_of(text) != prompt.language:
        found.append("language")
    if prompt.needs and not re.search(prompt.needs, text, re.IGNORECASE):
        found.append("needs")
    return found


def _phrases() -> Iterator[str]:
    for instruction in (THINK, *ANSWER.split("{notes}")):
        words = _WORDS.findall(instruction.lower())
        for at in range(len(words) - PHRASE_WORDS + 1):
            yield " ".join(words[at : at + PHRASE_WORDS])

"""The prompts with which a model thinks, and then answers.

A model whose chat template knows `<think>` thinks by itself. Its template opens its turn, and it answers in the turn in
which it has thought. Any other is asked twice, each time in the conversation as it was: with a sentence behind the
user's last message that has it think, and then with the thinking there, as its notes. Both prompts begin alike, so that
the second shares the KV cache of the conversation and costs the prefill of the notes.

Knows nothing of engines, tokens or sampling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.harness.messages import GenerationRequest
from engine.harness.opening import opening_of
from engine.harness.options import banned_after

START, END = "<think>", "</think>"
OPENED = f"{START}\n"
CLOSING = f"\n{END}\n\n"
TOOL_CALL = "<tool_call>"
"""The beginning of a call, as Qwen's template has it: one in the thinking is where the answer begins."""
THINK = "(Think step by step before you answer. One line is enough if it is simple.)"
ANSWER = "(Your own notes on this, which I cannot see:\n\n{notes}\n)"
"""The notes and no more. With the bracket directly behind them the 1.5B answered "OK)", called a query of the notes the
user's, or refused; of 20 prompts, 6 went wrong so and 3 with the bracket on a line of its own. A sentence that asks for
a complete answer in the language of the request was itself repeated by the 1.5B: "Sure, here's the complete answer in
the language of your request"."""
OWNERS, NOTES = ("Your", " Your", "your", " your", " own"), " notes"
"""Words behind which an answer may not speak of notes, unless the conversation does. The 1.5B answered two of 71
prompts with "Your notes are correct"; kept from it, it gives the command and the query that it was asked for."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A prompt, which ends where the model's turn begins, and the `beginning` of that turn, which the user is sent.

    `banned` are tokens that must not follow others in it, as in `Sampling`.
    """

    prompt: str
    beginning: str
    banned: Mapping[int | None, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.prompt + self.beginning


class Prompts(Protocol):
    """`thinking` is the turn in which a model thinks, up to one of `ends`; `answering` that in which it answers."""

    def thinking(self, request: GenerationRequest) -> Turn: ...

    def ends(self, request: GenerationRequest) -> tuple[str, ...]: ...

    def answering(self, request: GenerationRequest, thought: str) -> Turn: ...


def prompts_of(tokenizer: Any) -> Prompts:
    """Return the prompts for a model by the chat template of its tokenizer."""
    return NativePrompts(tokenizer) if START in (tokenizer.chat_template or "") else TaughtPrompts(tokenizer)


class TaughtPrompts:
    """Prompts for models that have not learned to think before they answer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._notes = banned_after(tokenizer, OWNERS, NOTES)

    def thinking(self, request: GenerationRequest) -> Turn:
        return Turn(self._prompt(request, THINK), OPENED + opening_of(_question(request)))

    def ends(self, request: GenerationRequest) -> tuple[str, ...]:
        return (END, TOOL_CALL) if request.tools else (END,)

    def answering(self, request: GenerationRequest, thought: str) -> Turn:
        notes = thought.removeprefix(START).strip()
        if notes in ("", opening_of(_question(request)).strip()):
            return Turn(self._prompt(request, ""), request.prefill)
        banned = {} if _speaks_of_notes(request) else self._notes
        return Turn(self._prompt(request, ANSWER.format(notes=notes)), request.prefill, banned)

    def _prompt(self, request: GenerationRequest, behind: str) -> str:
        return render(self._tokenizer, with_behind(request.messages, behind), request)


class NativePrompts:
    """Prompts for models that think by themselves: their templates have a switch, or open each turn with `<think>`."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer

    def thinking(self, request: GenerationRequest) -> Turn:
        return Turn(self._rendered(request, thinks=True).removesuffix(START), OPENED)

    def ends(self, request: GenerationRequest) -> tuple[str, ...]:
        return (END,)

    def answering(self, request: GenerationRequest, thought: str) -> Turn:
        if thought:
            return Turn(self.thinking(request).prompt + thought.rstrip() + CLOSING, request.prefill)
        begun = self._rendered(request, thinks=False)
        return Turn(begun + CLOSING if begun.endswith(START) else begun, request.prefill)

    def _rendered(self, request: GenerationRequest, thinks: bool) -> str:
        """Return the prompt; if it opens a block of thinking, with nothing behind the marker."""
        text = render(self._tokenizer, request.messages, request, enable_thinking=thinks)
        return begun if (begun := text.rstrip()).endswith(START) else text


def with_behind(messages: Sequence[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Return the messages with `text` behind the last of them if it is the user's, else as a message of the user's."""
    *before, last = messages
    if not text:
        return [*messages]
    if last["role"] == "user":
        return [*before, last | {"content": f"{last['content']}\n\n{text}"}]
    return [*messages, {"role": "user", "content": text}]


def _question(request: GenerationRequest) -> str:
    """Return the user's last message, or nothing."""
    return next((turn["content"] for turn in reversed(request.messages) if turn["role"] == "user"), "")


def _speaks_of_notes(request: GenerationRequest) -> bool:
    return any(NOTES.strip() in str(turn["content"]).casefold() for turn in request.messages)


def render(tokenizer: Any, messages: Sequence[dict[str, Any]], request: GenerationRequest, **switches: bool) -> str:
    """Return the messages as the chat template writes them, up to the beginning of the model's turn."""
    text: str = tokenizer.apply_chat_template(
        list(messages), tools=list(request.tools) or None, tokenize=False, add_generation_prompt=True, **switches
    )
    return text

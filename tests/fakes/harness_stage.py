"""A harness on a scripted engine, for tests of what it asks the engine for and what it says."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from engine.harness import Finished, GenerationRequest, Harness, Text, ThinkingEnded
from tests.fakes.scripted_engine import ScriptedEngine, encode
from tests.fakes.tiny_model import CHATML

CONTENT = "How many days are there in three weeks?"
QUESTION = [{"role": "user", "content": CONTENT}]
TURNS = f"<|im_start|>user\n{CONTENT}<|im_end|>\n<|im_start|>assistant\n"
"""The prompt without thinking."""


def request(**fields: Any) -> GenerationRequest:
    defaults: dict[str, Any] = {"messages": QUESTION, "max_tokens": 200, "budget": 100}
    return GenerationRequest(**defaults | fields)


@dataclass(frozen=True)
class Stage:
    """A harness on a scripted engine; `size` is the number of tokens of a script's texts."""

    engine: ScriptedEngine
    harness: Harness

    async def stream(self, **fields: Any) -> list[Text | ThinkingEnded | Finished]:
        async with aclosing(self.harness.stream(request(**fields))) as items:
            got = [item async for item in items]
        assert self.engine.open == 0
        return got

    def size(self, *texts: str) -> int:
        return sum(len(encode(self.engine.tokenizer, text)) for text in texts)

    @property
    def prompts(self) -> list[str]:
        return [call.prompt for call in self.engine.calls]

    @property
    def limits(self) -> list[int]:
        return [call.limit for call in self.engine.calls]


def stage(tokenizer: Any, *scripts: Sequence[str], **engine: Any) -> Stage:
    scripted = ScriptedEngine(tokenizer, scripts, **engine)
    return Stage(scripted, Harness(scripted, tokenizer))


def with_template(tokenizer: Tokenizer, template: str) -> Any:
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, chat_template=template
    )


OPENED_TEMPLATE = CHATML.replace("<|im_start|>assistant\n{% endif", "<|im_start|>assistant\n<think>\n{% endif")
"""A template that begins the model's thinking itself, even at a budget of 0."""

SWITCHED_TEMPLATE = CHATML.replace(
    "<|im_start|>assistant\n{% endif",
    "<|im_start|>assistant\n{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif",
)
"""A template that closes an empty block where no thinking is wanted."""

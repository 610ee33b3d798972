"""The loss of quality by the kernels of `engine.linear`: the model's perplexity over the recorded traces.

    .venv/bin/python -m bench.perplexity        --model embedded-0.5b --tokens 2048 for a look

Each trace is read after its prompt in one piece of at most `WINDOW` tokens, so a kernel multiplies many rows at once,
with all that the activations of one row can do to those of another. Prints a table; a kernel whose perplexity is more
than 2% above bfloat16's has no place in `engine.linear.kernels.KERNELS`.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from math import exp, inf
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.peers import ROOT
from engine.linear.choice import Choice
from engine.linear.kernels import KERNELS, Kernel
from engine.linear.replacing import replace_layers
from engine.model_files import model_folder

WINDOW = 512
PLAIN = "bfloat16 throughout"


def pieces(tokenizer: Any, tokens: int) -> Iterator[torch.Tensor]:
    """Yield `tokens` tokens (1, at most `WINDOW`), the beginnings of the recorded traces one after another."""
    for line in (ROOT / "bench/traces.jsonl").read_text("utf-8").splitlines():
        recorded = json.loads(line)
        text = f"{recorded['prompt']}\n\n{recorded['trace']}"
        piece = torch.tensor([tokenizer(text)["input_ids"][: min(WINDOW, tokens)]])
        yield piece
        tokens -= piece.shape[1]
        if tokens <= 1:
            return


def perplexity(model: Any, texts: Sequence[torch.Tensor]) -> float:
    loss, count = 0.0, 0
    with torch.no_grad():
        for text in texts:
            scores = model(text, use_cache=False).logits[0, :-1].float()
            loss += float(cross_entropy(scores, text[0, 1:], reduction="sum"))
            count += text.shape[1] - 1
    return exp(loss / count)


def load(folder: str, kernel: Kernel | None) -> Any:
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    if kernel is not None:
        replace_layers(model, Choice(((inf, kernel),), kernel))
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="embedded")
    parser.add_argument("--tokens", type=int, default=8192)
    arguments = parser.parse_args()
    folder = str(model_folder(arguments.model))
    texts = list(pieces(AutoTokenizer.from_pretrained(folder), arguments.tokens))
    print("| weights | perplexity | against bfloat16 |\n|---|--:|--:|")
    plain = perplexity(load(folder, None), texts)
    print(f"| {PLAIN} | {plain:.3f} | |")
    for kernel in KERNELS:
        try:
            value = perplexity(load(folder, kernel), texts)
        except RuntimeError as error:
            print(f"| {kernel.name} | not on this processor: {error} | |")
            continue
        print(f"| {kernel.name} | {value:.3f} | {100 * (value / plain - 1):+.2f}% |", flush=True)


if __name__ == "__main__":
    main()

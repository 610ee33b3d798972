"""A model computed by transformers alone, one sequence at a time, in single precision and without a cache.

The engine computes the same scores in other shapes and precisions, so its rounding differs, and with the processor too:
where two tokens are about as likely it may take the other one, and from there on all text differs. What holds on any
processor is that each token was the likeliest one after the tokens before it, up to rounding.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM

ROUNDING = 0.5
"""Bound on the difference between a chosen token's score and the highest. The tiny model's scores have a standard
deviation of 2.4; the differences seen are at most 0.16 in bfloat16 and 0.0 in single precision, while the tokens of
another request are 2.3 below the highest score (median)."""


class ReferenceModel:
    """`assert_greedy` checks tokens that an engine has generated from the model in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)

    def assert_greedy(self, prompt: Sequence[int], tokens: Sequence[int], banned: Sequence[int] = ()) -> None:
        """Each token is the likeliest one after `prompt` and the tokens before it, apart from those `banned`."""
        assert tokens
        with torch.no_grad():
            scores = self._model(torch.tensor([[*prompt, *tokens]])).logits[0, len(prompt) - 1 : -1]
        scores[:, list(banned)] = -torch.inf
        missing = scores.amax(dim=1) - scores.gather(1, torch.tensor(tokens)[:, None])[:, 0]
        assert missing.max() < ROUNDING, f"not the likeliest tokens: {missing.tolist()}"

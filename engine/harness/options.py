"""The sampling of a request: its own values, in place of missing ones those of the model's generation config."""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from engine.harness.messages import GenerationRequest
from engine.sampling import Adjustments, Sampling


def sampling_of(request: GenerationRequest, defaults: Any, banned: Mapping[int | None, int]) -> Sampling:
    """Return the request's values, in place of missing ones those of the model's generation config, else greedy."""
    sampled = bool(getattr(defaults, "do_sample", False))
    default_temperature = (defaults.temperature or 1.0) if sampled else 0.0
    unasked = request.temperature is None and request.top_p is None
    default_top_k = (defaults.top_k or 0) if sampled and unasked else 0
    return Sampling(
        temperature=request.temperature if request.temperature is not None else default_temperature,
        top_p=request.top_p if request.top_p is not None else (defaults.top_p or 1.0) if sampled else 1.0,
        top_k=request.top_k if request.top_k is not None else default_top_k,
        min_p=request.min_p or 0.0,
        adjustments=_adjustments(request),
        seed=request.seed if request.seed is not None else secrets.randbits(62),
        banned=banned,
    )


def banned_spellings(tokenizer: Any, marker: str) -> dict[int | None, int]:
    """Map tokens that begin `marker` to the token that would go on, which is banned after them.

    Tokenizers spell the marker in different ways after different characters. If it is one token, that is banned after
    any (None).
    """
    banned: dict[int | None, int] = {}
    for before in ("", " ", "\n", "a "):
        tokens = tokenizer(before + marker, add_special_tokens=False)["input_ids"]
        start = next(i for i, token in enumerate(tokens) if marker[0] in tokenizer.decode([token]))
        if start + 1 < len(tokens):
            banned[tokens[start]] = tokens[start + 1]
        else:
            banned[None] = tokens[start]
    return banned


def banned_after(tokenizer: Any, owners: Iterable[str], word: str) -> dict[int | None, int]:
    """Map the last token of each of `owners` to the one of `word` and its space; to nothing if it takes several."""
    first, *more = tokenizer(word, add_special_tokens=False)["input_ids"]
    if more:
        return {}
    return {tokenizer(owner, add_special_tokens=False)["input_ids"][-1]: first for owner in owners}


def _adjustments(request: GenerationRequest) -> Adjustments | None:
    """Return what is asked beyond the likelihood of tokens, None if nothing is."""
    adjustments = Adjustments(
        presence_penalty=request.presence_penalty or 0.0,
        frequency_penalty=request.frequency_penalty or 0.0,
        repetition_penalty=request.repetition_penalty or 1.0,
        logit_bias=request.logit_bias or {},
    )
    return adjustments if adjustments != Adjustments() else None

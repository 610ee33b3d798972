"""Puts kernels in the place of a model's linear layers. What is between them computes in float32."""

from bisect import bisect_left
from collections import Counter

import torch
from torch import nn
from torch.nn.functional import embedding

from engine.linear.choice import Choice


class ChosenLinear(nn.Module):
    """Multiplies few rows by one kind of weights and more by another."""

    def __init__(self, kinds: list[tuple[float, nn.Module]]) -> None:
        super().__init__()
        self._limits = [limit for limit, _ in kinds]
        self._kinds = nn.ModuleList(kind for _, kind in kinds)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows = x.numel() // x.shape[-1]
        out: torch.Tensor = self._kinds[bisect_left(self._limits, rows)](x)
        return out


class BFloat16Embedding(nn.Module):
    """A table in bfloat16 whose rows are returned as float32. It takes half the memory."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        # Not a parameter, so that the model's type is float32.
        self._weight = table.weight.detach().bfloat16()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return embedding(tokens, self._weight).float()


def typical_linear(model: nn.Module) -> nn.Linear:
    """Return a linear layer of the shape that most of the model's weights have."""
    weights: Counter[torch.Size] = Counter()
    for linear in _linears(model):
        weights[linear.weight.shape] += linear.weight.numel()
    ((shape, _),) = weights.most_common(1)
    return next(linear for linear in _linears(model) if linear.weight.shape == shape)


def linear_weights(model: nn.Module) -> int:
    """Return the number of weights in the model's linear layers."""
    return sum(linear.weight.numel() for linear in _linears(model))


def replace_layers(model: nn.Module, choice: Choice) -> nn.Module:
    """Replace the linear layers and embeddings of `model` in place, and convert the rest to float32."""
    linears = _linears(model)
    packed = [kernel.pack(linears) for _, kernel in choice.kernels]
    limits = [limit for limit, _ in choice.kernels]
    new: dict[nn.Module, nn.Module] = {
        linear: kinds[0] if len(kinds) == 1 else ChosenLinear(list(zip(limits, kinds, strict=True)))
        for linear, *kinds in zip(linears, *packed, strict=True)
    }
    new |= {table: BFloat16Embedding(table) for table in model.modules() if isinstance(table, nn.Embedding)}
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if child in new:
                setattr(parent, name, new[child])
    return model.float()


def _linears(model: nn.Module) -> list[nn.Linear]:
    return [child for child in model.modules() if isinstance(child, nn.Linear)]

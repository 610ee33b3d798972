"""Puts kernels in the place of a model's linear layers. What is between them computes in float32.

Layers that read the same input become one: microseconds for the queries, keys and values of Qwen2.5-0.5B in int8, apart
and together, are 73 and 43 for one row, 142 and 75 for 4, 307 and 168 for 16 (FBGEMM, one thread of an AVX-512 EPYC,
weights in its cache).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import embedding

from engine.linear.choice import Choice
from engine.linear.weights import Int8, LinearWeights, linears_of

SAME_INPUT = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Names by which transformers' models call layers of one module, in this order, on the same input."""


class ChosenLinear(nn.Module):
    """Multiplies few rows by one kind of weights and more by another, as soon as that is added."""

    def __init__(self, kind: nn.Module) -> None:
        super().__init__()
        self._limits: list[float] = []
        self._kinds = nn.ModuleList([kind])
        # A ModuleList looks for the name of a number at each access.
        self._in_order = [kind]

    def add(self, limit: float, kind: nn.Module) -> None:
        """Multiply more rows than `limit` by `kind` from now on. A call in another thread ends as it began."""
        self._kinds.append(kind)
        self._in_order.append(kind)
        self._limits.append(limit)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kind = self._in_order[bisect_left(self._limits, x.numel() // x.shape[-1])]
        out: torch.Tensor = kind(x)
        return out


class BFloat16Embedding(nn.Module):
    """A table in bfloat16 whose rows are returned as float32. It takes half the memory."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        # Not a parameter, so that the model's type is float32.
        self._weight = table.weight.detach().bfloat16()

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return embedding(tokens, self._weight).float()


class JoinedLinear:
    """Layers that are called one after another on the same input: the first call computes the outputs of all.

    `together` is the one layer that computes them, each of `sizes` numbers.
    """

    def __init__(self, together: nn.Module, sizes: list[int]) -> None:
        self.together, self.sizes = together, sizes
        self._input: torch.Tensor | None = None
        self._outputs: tuple[torch.Tensor, ...] = ()

    def output(self, x: torch.Tensor, number: int) -> torch.Tensor:
        """Return the output of layer `number` for `x`."""
        if x is not self._input:
            self._input, self._outputs = x, self.together(x).split(self.sizes, -1)
        out = self._outputs[number]
        if number == len(self.sizes) - 1:
            # The last one: a long prompt's tensors should not stay until the next step.
            self._input, self._outputs = None, ()
        return out


class JoinedPart(nn.Module):
    """One of the layers of a `JoinedLinear`."""

    def __init__(self, joined: JoinedLinear, number: int) -> None:
        super().__init__()
        self._joined, self._number = joined, number
        self.out_features = joined.sizes[number]

    @property
    def together(self) -> nn.Module:
        """The layer that computes the outputs of all parts, one after another."""
        return self._joined.together

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._joined.output(x, self._number)


def typical_linear(model: nn.Module) -> nn.Linear:
    """Return a linear layer of the shape that most of the model's weights have."""
    linears = linears_of(model).values()
    weights: Counter[torch.Size] = Counter()
    for linear in linears:
        weights[linear.weight.shape] += linear.weight.numel()
    ((shape, _),) = weights.most_common(1)
    return next(linear for linear in linears if linear.weight.shape == shape)


def linear_weights(model: nn.Module) -> int:
    """Return the number of weights in the model's linear layers."""
    return sum(linear.weight.numel() for linear in linears_of(model).values())


def replace_layers(model: nn.Module, choice: Choice, kept: Mapping[str, Int8] | None = None) -> Iterator[None]:
    """Replace the linear layers and embeddings of `model` in place, and convert the rest to float32.

    The layers have the first of the chosen kernels then, which is enough to run. Each further item of what is returned
    packs one layer for one more kernel. `kept` are the int8 forms of all linear layers, if they have been made before.
    """
    groups = _groups(model)
    layers = [LinearWeights([*group.values()], [kept[name] for name in group] if kept else ()) for group in groups]
    chosen = [ChosenLinear(kind) for kind in choice.kernels[0][1].pack(layers)]
    new: dict[nn.Module, nn.Module] = {
        table: BFloat16Embedding(table) for table in model.modules() if isinstance(table, nn.Embedding)
    }
    for group, layer in zip(groups, chosen, strict=True):
        linears = [*group.values()]
        if len(linears) == 1:
            new[linears[0]] = layer
        else:
            together = JoinedLinear(layer, [linear.out_features for linear in linears])
            new |= {linear: JoinedPart(together, number) for number, linear in enumerate(linears)}
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if child in new:
                setattr(parent, name, new[child])
    model.float()
    return _pack_others(choice, chosen, layers)


def _pack_others(choice: Choice, chosen: list[ChosenLinear], layers: list[LinearWeights]) -> Iterator[None]:
    for (limit, _), (_, kernel) in pairwise(choice.kernels):
        for layer, weights in zip(chosen, layers, strict=True):
            layer.add(limit, *kernel.pack([weights]))
            yield


def _groups(model: nn.Module) -> list[dict[str, nn.Linear]]:
    """Return the linear layers of `model` by their names, those with the same input together."""
    groups = []
    for path, module in model.named_modules():
        for names in SAME_INPUT:
            found = {f"{path}.{name}".lstrip("."): getattr(module, name, None) for name in names}
            group = {name: linear for name, linear in found.items() if isinstance(linear, nn.Linear)}
            if len(group) == len(names):
                groups.append(group)
    grouped = {linear for group in groups for linear in group.values()}
    return groups + [{name: linear} for name, linear in linears_of(model).items() if linear not in grouped]

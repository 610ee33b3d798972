"""Puts kernels in the place of a model's linear layers. What is between them computes in float32.

Layers that read the same input become one: microseconds for the queries, keys and values of Qwen2.5-0.5B in int8, apart
and together, are 73 and 43 for one row, 142 and 75 for 4, 307 and 168 for 16 (FBGEMM, one thread of an AVX-512 EPYC,
weights in its cache).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import nn
from torch.nn.functional import embedding

from engine.linear.choice import Choice
from engine.linear.weights import Int8, LinearWeights, groups_of, linears_of, name_of


class ChosenLinear(nn.Module):
    """Multiplies by one kind of weights at first, and by the kind for the number of rows once all are packed."""

    def __init__(self, kind: nn.Module) -> None:
        super().__init__()
        # In a tuple, since a module looks for each of its modules by name whenever it is used.
        self._chosen: tuple[tuple[float, ...], tuple[nn.Module, ...]] = ((), (kind,))
        self.kinds = nn.ModuleList([kind])

    def choose(self, limits: tuple[float, ...], kinds: tuple[nn.Module, ...]) -> None:
        """Multiply up to `limits[i]` rows by `kinds[i]` from now on, and more than the last limit by the last kind.

        A call in another thread ends as it began.
        """
        self._chosen = limits, kinds
        self.kinds = nn.ModuleList(dict.fromkeys(kinds))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        limits, kinds = self._chosen
        out: torch.Tensor = kinds[bisect_left(limits, x.numel() // x.shape[-1])](x)
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

    The layers have the kernel to begin with then, which is enough to run. Each further item of what is returned packs
    the others for one layer. `kept` are the int8 forms of all groups by their names, if they have been made before.
    """
    groups = groups_of(model)
    layers = [LinearWeights([*group.values()], kept[name_of(group)] if kept else None) for group in groups]
    chosen = [ChosenLinear(kind) for kind in choice.first.pack(layers)]
    new: dict[nn.Module, nn.Module] = {
        table: BFloat16Embedding(table) for table in model.modules() if isinstance(table, nn.Embedding)
    }
    _replace(model, new | _parts(groups, chosen))
    model.float()
    return _pack_others(choice, chosen, layers)


def join_layers(model: nn.Module) -> None:
    """Make one of the linear layers that read the same input, in place, and leave everything as precise as it was."""
    groups = [group for group in groups_of(model) if len(group) > 1]
    for group in groups:
        _replace(model, _parts([group], [_as_one([*group.values()])]))


def _pack_others(choice: Choice, chosen: list[ChosenLinear], layers: list[LinearWeights]) -> Iterator[None]:
    limits, kernels = zip(*choice.kernels, strict=True)
    if len(set(kernels)) == 1:
        return
    for layer, weights in zip(chosen, layers, strict=True):
        packed = {kernel: kernel.pack([weights])[0] for kernel in set(kernels) - {choice.first}}
        packed[choice.first] = layer.kinds[0]
        layer.choose(limits[:-1], tuple(packed[kernel] for kernel in kernels))
        yield


def _as_one(linears: list[nn.Linear]) -> nn.Linear:
    weights = LinearWeights(linears)
    weight, bias = weights.weight(), weights.bias()
    joined = nn.Linear(weights.in_features, weights.out_features, bias=bias is not None, device="meta")
    joined.weight = nn.Parameter(weight, requires_grad=False)
    if bias is not None:
        joined.bias = nn.Parameter(bias.to(weight.dtype), requires_grad=False)
    return joined


def _parts(groups: list[dict[str, nn.Linear]], layers: Sequence[nn.Module]) -> dict[nn.Module, nn.Module]:
    """Return what takes the place of each linear layer, if `layers` compute the outputs of `groups`."""
    new: dict[nn.Module, nn.Module] = {}
    for group, layer in zip(groups, layers, strict=True):
        linears = [*group.values()]
        if len(linears) == 1:
            new[linears[0]] = layer
        else:
            together = JoinedLinear(layer, [linear.out_features for linear in linears])
            new |= {linear: JoinedPart(together, number) for number, linear in enumerate(linears)}
    return new


def _replace(model: nn.Module, new: Mapping[nn.Module, nn.Module]) -> None:
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if child in new:
                setattr(parent, name, new[child])

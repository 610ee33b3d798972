"""A linear layer of plain torch, in the place of what a kernel packs."""

from torch import nn

from engine.linear.weights import LinearWeights


def joined(layer: LinearWeights) -> nn.Linear:
    """Return one layer with the weights and biases of `layer`."""
    linear = nn.Linear(layer.in_features, layer.out_features, bias=layer.bias() is not None)
    linear.weight.data = layer.weight()
    if (bias := layer.bias()) is not None:
        linear.bias.data = bias
    return linear

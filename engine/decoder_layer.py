"""The decoder layer of Llama, Qwen2 and Qwen3 in as few operations as torch has for it.

Between its products, a step of one stream is a few thousand numbers, so each operation takes the microseconds of being
called, and more than in a loop of its own, since the products have just filled the processor's caches. transformers'
layer (5.23) calls about twice as many. On two cores with AMX, what a step of one stream takes besides its products fell
from 13 to 8.4 ms with the 0.5B, and from 15 to 11 with the 1.5B.

Takes the layers that `engine.linear.replacing` has joined. What it knows of transformers is the names of parts of a
layer; tests/engine/test_decoder_layer.py compares it with the installed version's layers.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn.functional import rms_norm, silu

from engine.linear.replacing import JoinedPart

SAME_LAYERS = ("LlamaDecoderLayer", "Qwen2DecoderLayer", "Qwen3DecoderLayer")
"""The classes of transformers that compute what `DecoderLayer` does."""

SILU = ("SiLU", "SiLUActivation")
"""The classes of the activation that it computes."""

Attend = Callable[..., tuple[torch.Tensor, None]]
"""An attention function as transformers calls it: with a layer that has its `layer_idx`, queries (1, heads, rows,
size), keys and values (1, key heads, rows, size), a mask, `scaling`, and whatever the model was called with. It returns
what was attended to, (1, rows, heads, size)."""


class DecoderLayer(nn.Module):
    """Computes what `layer` does, with the same weights."""

    def __init__(self, layer: Any, attend: Attend) -> None:
        super().__init__()
        attention = layer.self_attn
        self.layer_idx = attention.layer_idx
        self._attend, self._scaling, self._size = attend, attention.scaling, attention.head_dim
        heads, key_heads = (linear.out_features // self._size for linear in (attention.q_proj, attention.k_proj))
        self._heads = [heads, key_heads, key_heads]
        # In tuples, since a module looks for each of its modules by name whenever it is used.
        self._norms = _Norm(layer.input_layernorm), _Norm(layer.post_attention_layernorm)
        self._head_norms = (_Norm(attention.q_norm), _Norm(attention.k_norm)) if hasattr(attention, "q_norm") else ()
        self._products = (
            attention.q_proj.together,
            attention.o_proj,
            layer.mlp.gate_proj.together,
            layer.mlp.down_proj,
        )
        self.products = nn.ModuleList(self._products)

    def forward(
        self,
        hidden_states: torch.Tensor,
        *,
        position_embeddings: tuple[torch.Tensor, torch.Tensor],
        attention_mask: torch.Tensor | None = None,
        **kwargs: Any,
    ) -> torch.Tensor:
        """Map the hidden states (1, rows, width) to those behind the layer."""
        before_attention, before_mlp = self._norms
        attention_in, attention_out, mlp_in, mlp_out = self._products
        rows = hidden_states.shape[1]
        joined = attention_in(before_attention(hidden_states)).view(1, rows, -1, self._size)
        query, key, value = self._rotated(joined, *position_embeddings)
        attended, _ = self._attend(self, query, key, value, attention_mask, scaling=self._scaling, **kwargs)
        # Adding in place: nobody else has what a product returns.
        hidden_states = attention_out(attended.reshape(1, rows, -1)).add_(hidden_states)
        gate, up = mlp_in(before_mlp(hidden_states)).chunk(2, -1)
        out: torch.Tensor = mlp_out(silu(gate).mul_(up)).add_(hidden_states)
        return out

    def _rotated(self, joined: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return queries, keys and values of `joined` (1, rows, all heads, size), the first two by their positions.

        `cos` and `sin` (1, rows, size) have the angles of the first half of a head's numbers twice.
        """
        *turning, value = torch.split(joined, self._heads, 2)
        if self._head_norms:
            head = torch.cat([norm(part) for part, norm in zip(turning, self._head_norms, strict=True)], 2)
        else:
            head = joined.narrow(2, 0, self._heads[0] + self._heads[1])
        turned = head * cos.unsqueeze(2)
        half_sin = sin.unsqueeze(2).narrow(-1, 0, self._size // 2)
        (real, imaginary), (real_turned, imaginary_turned) = head.chunk(2, -1), turned.chunk(2, -1)
        real_turned.addcmul_(imaginary, half_sin, value=-1)
        imaginary_turned.addcmul_(real, half_sin)
        query, key = torch.split(turned.transpose(1, 2), self._heads[:2], 1)
        return query, key, value.transpose(1, 2)


def replace_decoder_layers(model: nn.Module, attend: Attend) -> None:
    """Replace those layers of `model` in place that `DecoderLayer` can stand in for. Others stay as they are."""
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child).__name__ in SAME_LAYERS and _is_joined(child):
                setattr(parent, name, DecoderLayer(child, attend))


def _is_joined(layer: Any) -> bool:
    joined = isinstance(layer.self_attn.q_proj, JoinedPart) and isinstance(layer.mlp.gate_proj, JoinedPart)
    return joined and type(layer.mlp.act_fn).__name__ in SILU


class _Norm:
    """Divides numbers by the root of their mean square, and multiplies them by weights.

    On a CPU with fewer temporary tensors than torch's `rms_norm`, which takes four to ten times as long for 256 rows of
    1,536, since memory of that size is returned to the system and taken again.
    """

    def __init__(self, norm: Any) -> None:
        self._weight, self._epsilon = norm.weight, norm.variance_epsilon

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if x.is_cuda:
            return rms_norm(x, self._weight.shape, self._weight, self._epsilon)
        scale = (x * x).mean(-1, keepdim=True).add_(self._epsilon).rsqrt_()
        return (x * scale).mul_(self._weight)

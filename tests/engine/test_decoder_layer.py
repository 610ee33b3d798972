"""The decoder layer of our own computes what transformers' layers do, and leaves all others alone."""

from collections.abc import Sequence
from math import inf
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

from engine.decoder_layer import DecoderLayer, replace_decoder_layers
from engine.linear.choice import Choice
from engine.linear.replacing import replace_layers
from engine.linear.weights import LinearWeights
from tests.fakes.linear import joined

SHAPE: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 24,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 6,
}


def attend(
    layer: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, _mask: None, *, scaling: float, **_: Any
) -> tuple[torch.Tensor, None]:
    """Attention that depends on the number of the layer, so that a wrong one is noticed."""
    groups = query.shape[1] // key.shape[1]
    keys, values = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1) * (1 + layer.layer_idx)
    return scaled_dot_product_attention(query, keys, values, is_causal=True, scale=scaling).transpose(1, 2), None


AttentionInterface.register("attention_of_this_test", attend)


class Exact:
    """A kernel that rounds nothing."""

    name, bytes_per_weight = "exact", 4

    def pack(self, layers: Sequence[LinearWeights]) -> list[nn.Module]:
        return [joined(layer) for layer in layers]


def random_model(config: Any) -> Any:
    torch.manual_seed(0)
    made: Any = AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]
    for name, parameter in made.named_parameters():
        nn.init.normal_(parameter, float("norm" in name), 0.3)
    return made


def model(config: Any) -> Any:
    made = random_model(config)
    exact = Exact()
    replace_layers(made, Choice(((inf, exact),), exact))
    made.set_attn_implementation("attention_of_this_test")
    return made


def scores(model: Any, rows: int) -> torch.Tensor:
    tokens, positions = torch.arange(rows)[None], torch.arange(rows)[None] + 7
    out: torch.Tensor = model(tokens, position_ids=positions, attention_mask={"full_attention": None}).logits
    return out


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize(
    "config",
    [
        Qwen2Config(**SHAPE),
        Qwen3Config(**SHAPE),
        Qwen3Config(**SHAPE, attention_bias=True),
        LlamaConfig(**SHAPE),
        LlamaConfig(**SHAPE, attention_bias=True, mlp_bias=True),
    ],
    ids=["qwen2", "qwen3", "qwen3 with biases", "llama", "llama with biases"],
)
@torch.inference_mode()
def test_a_layer_computes_what_that_of_transformers_does(config: Any, rows: int) -> None:
    plain, replaced = model(config), model(config)
    replace_decoder_layers(replaced, attend)
    assert [type(layer) for layer in replaced.model.layers] == [DecoderLayer] * 3
    expected = scores(plain, rows)
    assert expected.std() > 0.5
    torch.testing.assert_close(scores(replaced, rows), expected, rtol=1e-4, atol=1e-4)


def test_layers_of_other_kinds_stay_as_they_are() -> None:
    other_activation = model(Qwen2Config(**SHAPE, hidden_act="gelu"))
    other_class = model(MistralConfig(**SHAPE))
    apart = random_model(Qwen2Config(**SHAPE))
    for kept in (other_activation, other_class, apart):
        replace_decoder_layers(kept, attend)
        assert not any(isinstance(module, DecoderLayer) for module in kept.modules())

"""A Qwen2 of random weights with a tokenizer of its own: a real model's folder, made in a second.

Knows nothing of fixtures, engines or Ray.
"""

import os
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

END_OF_TEXT, TURN, END_OF_TURN = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CORPUS = (
    "The user asks how many days there are in three weeks.",
    "There are seven days in a week, so the answer is 21.",
)
"""Without an angle bracket, so that every marker is spelled over several tokens."""

POSITIONS = 4096
DEVICE: Any = os.environ.get("ENGINE_DEVICE", "cpu")
"""The device of the tests of engines; `bench/gpu.py` names a GPU."""


def build(folder: Path) -> Path:
    """`folder`, which must exist, with the model in it as `model_folder` would give it: the same at each call.

    It decodes greedily and never ends a greedy request by itself.
    """
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=_byte_level(CORPUS), eos_token=END_OF_TURN, pad_token=END_OF_TEXT, chat_template=CHATML
    )
    tokenizer.save_pretrained(folder)
    ends: list[int] = tokenizer.convert_tokens_to_ids([END_OF_TURN, END_OF_TEXT])
    random_model(len(tokenizer), ends).save_pretrained(folder)
    return folder


def _byte_level(corpus: tuple[str, ...]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        special_tokens=[END_OF_TEXT, TURN, END_OF_TURN],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus * 2, trainer)
    return tokenizer


def random_model(vocabulary: int, ends: list[int]) -> Any:
    config = Qwen2Config(
        vocab_size=vocabulary,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=POSITIONS,
        # Far-apart scores: rounding that differs with the batch must not choose another token.
        initializer_range=0.3,
        eos_token_id=ends,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: Any = Qwen2ForCausalLM(config)
    # The end tokens never have the best score: how long a greedy request gets is up to the test.
    model.lm_head.weight.data[ends] = 0.0
    return model.bfloat16()

"""Parts of transformers and torch that the engine uses although they are not documented: an upgrade may change them.

Each is used in one module only. If one of these tests fails after an upgrade, adapt the module that its message names.
"""

import importlib
import inspect
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, ContinuousBatchingConfig, GenerationConfig

BATCHING = "transformers.generation.continuous_batching"


@pytest.fixture(scope="module")
def manager(model: Path) -> Any:
    """A manager of transformers that has not been started."""
    loaded = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, attn_implementation="sdpa")
    return loaded.init_continuous_batching(
        generation_config=GenerationConfig(do_sample=False, eos_token_id=[-1]),  # type: ignore[no-untyped-call]
        continuous_batching_config=ContinuousBatchingConfig(),
    )


def find(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"{BATCHING}.{module}"), name)


def parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def state() -> Any:
    return find("requests", "RequestState")(
        request_id="1", initial_tokens=[1], logit_processor_kwargs={"sampling": "greedy"}
    )


def scheduled() -> Any:
    return find("requests", "FutureRequestState")(state(), has_new_token=True, complete_blocks={}, query_length=1)


def processors() -> Any:
    return find("cb_logits_processors", "ContinuousBatchingLogitsProcessorList")


@pytest.mark.parametrize(
    ("sentence", "check"),
    [
        (
            "the manager applies the object in its attribute `logit_processor` to the scores of each step",
            lambda manager: isinstance(manager.logit_processor, processors()),
        ),
        (
            "the generation thread calls `_generation_step` of the manager for each batch that is prepared",
            lambda manager: "self._generation_step()" in inspect.getsource(type(manager)._generation_loop_body),
        ),
        (
            "a step is `get_model_kwargs`, `compute_batch` and `retrieve_device_outputs`, in this order",
            lambda _: holds_in_order(
                find("continuous_api", "ContinuousBatchProcessor")._generation_step,
                "self.inputs_and_outputs.get_model_kwargs(use_padding=self.model_runner.pad_inputs)",
                "self.model_runner.compute_batch(model, batch_data)",
                "self.inputs_and_outputs.retrieve_device_outputs()",
            ),
        ),
        (
            "the tokens of a batch are read from its `output_ids`, in the order of its requests with new tokens",
            lambda _: "self.output_ids[0, :" in inspect.getsource(find("input_outputs", "ContinuousBatchingIOs")),
        ),
        (
            "the update of a batch passes over requests whose status is `FINISHED`",
            lambda _: (
                "(RequestStatus.FINISHED, RequestStatus.PENDING)"
                in inspect.getsource(find("continuous_api", "ContinuousBatchProcessor").update_batch)
            ),
        ),
        (
            "the generation thread has its batch processor from `_create_batch_processor`",
            lambda manager: "self._create_batch_processor()" in inspect.getsource(type(manager)._run_generation_loop),
        ),
        (
            "`schedule_batch` of a scheduler takes the most tokens of a step, and is given them again for each",
            lambda _: (
                parameters(find("scheduler", "FIFOScheduler").schedule_batch)
                == ["self", "token_budget", "cache_budget"]
                and "self.scheduler.schedule_batch(\n            self.max_batch_tokens"
                in inspect.getsource(find("continuous_api", "ContinuousBatchProcessor").prepare_next_batch)
            ),
        ),
        (
            "such an object has the attributes `do_processing` and `tensors_required`",
            lambda manager: (
                (manager.logit_processor.do_processing, manager.logit_processor.tensors_required) == (False, 0)
            ),
        ),
        (
            "`check_kwargs` of it takes the arguments of a request",
            lambda _: parameters(processors().check_kwargs) == ["self", "kwargs"],
        ),
        (
            "`fill_defaults` of it takes a tensor",
            lambda _: parameters(processors().fill_defaults) == ["self", "int32_tensor"],
        ),
        (
            "`prepare_tensor_args` of it takes the requests of a step and a tensor",
            lambda _: parameters(processors().prepare_tensor_args) == ["self", "requests_in_batch", "arg_storage"],
        ),
        (
            "it is called with the last tokens, the scores and a tensor",
            lambda _: parameters(processors().__call__) == ["self", "input_ids", "scores", "logits_processor_args"],
        ),
        (
            "a request of a step has the attributes `state` and `has_new_token`",
            lambda _: scheduled().has_new_token and scheduled().state.request_id == "1",
        ),
        (
            "`logit_processor_kwargs` of a state are the extra arguments of `add_request`",
            lambda _: state().logit_processor_kwargs == {"sampling": "greedy"},
        ),
        (
            "`current_len()` of a state is the length of its sequence so far",
            lambda _: state().current_len() == 0,
        ),
        (
            "`position_offset` of a state counts its tokens in the cache, and `query_length` those that a step adds",
            lambda _: (
                state().position_offset == 0 and "query_length" in find("requests", "FutureRequestState").__slots__
            ),
        ),
        (
            "the handlers of requests are in the dict `output_router.result_handlers` of the manager",
            lambda manager: manager.output_router.result_handlers == {},
        ),
        (
            "`update` of the paged cache takes keys, values, the layer's number and the attention's other arguments",
            lambda _: len(parameters(find("cache", "PagedAttentionCache").update)) == 5,
        ),
    ],
)
def test_transformers_is_as_the_batching_needs_it(manager: Any, sentence: str, check: Callable[[Any], bool]) -> None:
    assert holds(lambda: check(manager)), (
        f"engine/batching.py relies on this, which does not hold in transformers {version('transformers')}: {sentence}"
    )


@pytest.mark.parametrize(
    ("sentence", "check"),
    [
        (
            "`torch.ops.quantized.linear_prepack_fp16(weight, bias)` packs weights for FBGEMM",
            lambda: callable(torch.ops.quantized.linear_prepack_fp16),
        ),
        (
            "`torch.ops.quantized.linear_dynamic_fp16(x, packed)` multiplies by packed weights",
            lambda: callable(torch.ops.quantized.linear_dynamic_fp16),
        ),
        (
            "`torch.ops.quantized.linear_prepack(weight, bias)` packs quantized weights",
            lambda: callable(torch.ops.quantized.linear_prepack),
        ),
        (
            "`torch._make_per_channel_quantized_tensor(numbers, scales, zeros, axis)` makes a quantized tensor of int8",
            lambda: callable(torch._make_per_channel_quantized_tensor),
        ),
        (
            "`torch.ops.quantized.linear_dynamic(x, packed, reduce_range)` multiplies by packed weights",
            lambda: callable(torch.ops.quantized.linear_dynamic),
        ),
    ],
)
def test_torch_is_as_the_linear_layers_need_it(sentence: str, check: Callable[[], bool]) -> None:
    assert holds(check), (
        f"engine/linear/kernels.py relies on this, which does not hold in torch {torch.__version__}: {sentence}"
    )


def holds_in_order(function: Callable[..., Any], *calls: str) -> bool:
    places = [inspect.getsource(function).find(call) for call in calls]
    return places == sorted(places) and -1 not in places


def holds(check: Callable[[], bool]) -> bool:
    """A check that cannot even be made does not hold."""
    try:
        return check()
    except (AttributeError, ImportError, RuntimeError, TypeError):
        return False

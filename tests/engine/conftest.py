"""The tiny model and engines on it, made once a session for all tests and stopped at its end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from transformers import AutoTokenizer

from engine import batching
from engine import engine as engine_module
from engine.engine import Engine, EngineSettings
from engine.linear.choice import Choice
from engine.linear.kernels import BFloat16, Half
from tests.fakes.paged_attention import attend_pages
from tests.fakes.reference_model import ReferenceModel
from tests.fakes.tiny_model import DEVICE, build

# A second thread would wait for its core longer than so small a model works.
SETTINGS = EngineSettings(device=DEVICE, threads=1, context_tokens=256, kv_cache_tokens=4096, max_batch_tokens=64)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's folder."""
    return build(tmp_path_factory.mktemp("tiny-qwen2"))


@pytest.fixture(scope="session")
def tokenizer(model: Path) -> Any:
    return AutoTokenizer.from_pretrained(model)


@pytest.fixture(scope="session")
def reference(model: Path) -> ReferenceModel:
    return ReferenceModel(model)


BFLOAT16, HALF = BFloat16(), Half()
PLAIN = Choice(((inf, BFLOAT16),), BFLOAT16)
TWO_KINDS = Choice(((8, HALF), (inf, BFLOAT16)), HALF)


@pytest.fixture(scope="session")
def start(model: Path) -> Iterator[Callable[..., Engine]]:
    """Starts an engine with other settings than `SETTINGS`, and another choice of kernels than `PLAIN`."""
    with ExitStack() as engines:

        def start(folder: Path = model, *, choice: Choice = PLAIN, **changes: Any) -> Engine:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(engine_module, "choose", lambda *_, **__: choice)
                engine = Engine(folder, replace(SETTINGS, **changes))
            engines.callback(engine.stop)
            return engine

        yield start


@pytest.fixture(scope="session")
def engine(start: Callable[..., Engine]) -> Engine:
    return start()


@pytest.fixture(scope="session", params=["bfloat16", "two kinds of weights", "pages read in place"])
def each_engine(request: pytest.FixtureRequest, engine: Engine, start: Callable[..., Engine]) -> Iterator[Engine]:
    """An engine with one kind of weights, one with two, whatever this processor would be given, and one whose steps of
    one token a request are as on a GPU.

    Not int8, whose rounding makes this random model's scores as uncertain as another request's tokens are unlikely:
    tests/engine/test_linear_kernels.py has it.
    """
    if request.param == "bfloat16":
        yield engine
        return
    if request.param == "pages read in place":
        if DEVICE != "cpu":
            pytest.skip("any engine on a GPU reads pages in place")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(batching, "reads_pages", lambda _: True)
            read = mock.Mock(side_effect=attend_pages)
            patch.setattr(batching, "attend_pages", read)
            yield start()
            assert read.called
        return
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        pytest.skip("torch has no FBGEMM on this processor")
    engine = start(choice=TWO_KINDS)
    engine.wait_until_improved()
    yield engine

"""The tiny model and engines on it, made once a session for all tests and stopped at its end."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

from engine import linear
from engine.engine import Engine, EngineSettings
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


@pytest.fixture(scope="session")
def start(model: Path) -> Iterator[Callable[..., Engine]]:
    """Starts an engine with other settings than `SETTINGS`; in half precision if wanted and the CPU has FBGEMM."""
    with ExitStack() as engines:

        def start(folder: Path = model, *, half: bool = True, **changes: Any) -> Engine:
            with pytest.MonkeyPatch.context() as patch:
                supported = "fbgemm" in torch.backends.quantized.supported_engines
                patch.setattr(linear, "half_is_faster", lambda: half and supported)
                engine = Engine(folder, replace(SETTINGS, **changes))
            engines.callback(engine.stop)
            return engine

        yield start


@pytest.fixture(scope="session")
def engine(start: Callable[..., Engine]) -> Engine:
    return start()


@pytest.fixture(scope="session", params=["half precision", "bfloat16"])
def each_engine(request: pytest.FixtureRequest, engine: Engine, start: Callable[..., Engine]) -> Engine:
    """An engine in each of the precisions that processors are given, whatever this processor would be given."""
    return engine if request.param == "half precision" else start(half=False)

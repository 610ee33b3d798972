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
from tests.fakes.tiny_model import build

# A second thread would wait for its core longer than so small a model works.
SETTINGS = EngineSettings(threads=1, context_tokens=256, kv_cache_tokens=4096, max_batch_tokens=64)

Start = Callable[..., Engine]


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model's folder."""
    return build(tmp_path_factory.mktemp("tiny-qwen2"))


@pytest.fixture(scope="session")
def tokenizer(model: Path) -> Any:
    return AutoTokenizer.from_pretrained(model)


@pytest.fixture(scope="session")
def start(model: Path) -> Iterator[Start]:
    """Starts an engine with other settings than `SETTINGS`, in single precision wherever the CPU has FBGEMM."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as engines:
        patch.setattr(linear, "wanted", lambda: "fbgemm" in torch.backends.quantized.supported_engines)

        def start(folder: Path = model, **changes: Any) -> Engine:
            engine = Engine(folder, replace(SETTINGS, **changes))
            engines.callback(engine.stop)
            return engine

        yield start


@pytest.fixture(scope="session")
def engine(start: Start) -> Engine:
    return start()

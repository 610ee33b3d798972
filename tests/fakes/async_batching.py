"""Asynchronous batching of transformers on a CPU: each step is prepared before the tokens of the last one are read.

A CPU has no streams, so a step is over when it has been started; but the manager reads its tokens one step later, as it
does on a GPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from transformers.generation.continuous_batching import input_outputs


class _Stream:
    def record_event(self, event: Any) -> None: ...

    def wait_event(self, event: Any) -> None: ...

    def synchronize(self) -> None: ...


class _Event:
    def __init__(self, *_: Any, **__: Any) -> None: ...

    def synchronize(self) -> None: ...


@contextmanager
def async_batching_on_cpu() -> Iterator[None]:
    """Let managers that are made meanwhile batch asynchronously on a CPU, if their configuration says so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(input_outputs.ContinuousBatchingAsyncIOs, "_supported_device_types", ("cpu",))
        patch.setattr(input_outputs, "create_device_stream", lambda _: _Stream())
        patch.setattr(input_outputs, "stream_context", lambda _: _nothing())
        patch.setattr(torch, "Event", _Event)
        yield


@contextmanager
def _nothing() -> Iterator[None]:
    yield

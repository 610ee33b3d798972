"""Copies of small lists to the model's device that wait for nothing that runs there."""

from collections.abc import Sequence
from typing import Any

import torch


def to_device(values: Sequence[Any], device: torch.device, dtype: torch.dtype | None = None) -> torch.Tensor:
    """Return the numbers as a tensor on `device`, of torch's own choice of type if `dtype` is None."""
    return send(torch.tensor(values, dtype=dtype), device)


def send(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a copy of a tensor of the CPU. Only from pinned memory does a GPU copy without the CPU waiting for it."""
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor

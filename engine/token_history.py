"""The tokens before each step of the requests that need them, as one tensor on the model's device.

A request is copied there once, when it comes, and each step adds its last token, which is on the device already. One
that misses a step is copied anew. Knows nothing of what the tokens are needed for.
"""

from collections.abc import Hashable, Sequence
from itertools import chain, islice

import torch

from engine.transfer import to_device

FIRST_COLUMNS = 1024
"""Tokens of a request that there is room for at first."""


class TokenHistory:
    """Remembers the requests of the last step."""

    def __init__(self) -> None:
        self._slots: dict[tuple[Hashable, int], int] = {}
        self._table = torch.empty(0, 0, dtype=torch.long)

    def update(
        self, requests: Sequence[tuple[Hashable, int, Sequence[Sequence[int]]]], last: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the tokens of each request, (requests, longest), and how many these are, (requests, 1).

        A request is its key, the number of its tokens, and the parts of its sequence, one after another. The last token
        is not looked for there: it is in `last`, (requests,). In shorter rows any tokens follow.
        """
        slots = self._place([(key, length - 1) for key, length, _ in requests])
        longest = max(length for _, length, _ in requests)
        self._grow(max(slots) + 1, longest, last.device)
        for slot, (key, length, parts) in zip(slots, requests, strict=True):
            if (key, length - 1) not in self._slots:
                known = [*islice(chain(*parts), length - 1)]
                self._table[slot, : len(known)] = to_device(known, last.device, torch.long)
        self._slots = {(key, length): slot for slot, (key, length, _) in zip(slots, requests, strict=True)}
        at, lengths = to_device([slots, [length for _, length, _ in requests]], last.device)
        self._table[at, lengths - 1] = last.long()
        return self._table[at, :longest], lengths[:, None]

    def _place(self, keys: Sequence[tuple[Hashable, int]]) -> list[int]:
        """Return a row of the table for each key with the number of tokens that it had: its own, or one of nobody."""
        taken = {self._slots[key] for key in keys if key in self._slots}
        free = (slot for slot in range(len(keys)) if slot not in taken)
        return [self._slots[key] if key in self._slots else next(free) for key in keys]

    def _grow(self, rows: int, columns: int, device: torch.device) -> None:
        """Make room for so many requests and for so many tokens of each."""
        have_rows, have_columns = self._table.shape
        if rows <= have_rows and columns <= have_columns:
            return
        width = max(FIRST_COLUMNS, have_columns)
        while width < columns:
            width *= 2
        larger = torch.zeros(max(rows, have_rows), width, dtype=torch.long, device=device)
        larger[:have_rows, :have_columns] = self._table
        self._table = larger

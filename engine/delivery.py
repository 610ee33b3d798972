"""The tokens of one request, from the outputs of continuous batching into a mailbox."""

from collections.abc import Callable
from typing import Any

from gateway.errors import UpstreamError
from gateway.mailbox import Mailbox


def delivery_to(mailbox: Mailbox[int]) -> Callable[[Any], None]:
    """Return a result handler. The manager's outputs repeat all tokens so far; only new ones go into the mailbox."""
    delivered = 0

    def deliver(output: Any) -> None:
        nonlocal delivered
        if output.error is not None:
            mailbox.close(UpstreamError(f"the engine failed: {output.error}"))
            return
        new = output.generated_tokens[delivered:]
        delivered += len(new)
        mailbox.put(new)
        if output.is_finished():
            mailbox.close()

    return deliver

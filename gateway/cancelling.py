"""Cancellations: which of them are a task's own."""

import asyncio


def cancelling() -> bool:
    """Return whether this task is being cancelled.

    A CancelledError can also come from something that the task waits for, and is a failure like any other then.
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

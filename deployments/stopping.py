"""The end of all streams of an HTTP deployment, each with its last event, when the gateway is stopped for good.

What Ray adds here: `reasoning-gateway down` deploys the `user_config` STOPPING, which Serve passes to `reconfigure` of
each running replica. A redeployment, a downscale or the end of a node passes none, and lets streams finish.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

from deployments.rpc.handles import StreamHandle
from gateway.errors import Stopping
from gateway.keys import ConcurrencyLimiter

STOPPING: Final = {"stopping": True}
LAST_EVENT_SECONDS = 5.0
"""Seconds that clients have to read what waits for them and the last event."""


async def end_streams(answers: StreamHandle[Any], limiter: ConcurrencyLimiter) -> None:
    """Fail all calls of `answers`, and return once no stream runs, or after LAST_EVENT_SECONDS.

    The failure travels the way of any other: what has come is kept, a stream ends with its last event, and a request
    that has no answer yet is refused.
    """
    await answers.stop(Stopping("the gateway is being stopped; ask again once it is back"))
    with suppress(TimeoutError):
        async with asyncio.timeout(LAST_EVENT_SECONDS):
            await limiter.idle()

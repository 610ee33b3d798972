"""Autoscaling policy for deployments called over RPC.

What Ray adds here: Serve sees one request for each connection, so this policy uses the number of calls that each
replica reports (`RpcServer.record_autoscaling_stats`). Serve applies the delays and bounds of `autoscaling_config`.
"""

from typing import Any

from ray.serve.config import AutoscalingContext


def by_calls(context: AutoscalingContext) -> tuple[float, dict[str, Any]]:
    """Return the number of replicas at which each has `target_ongoing_requests` calls, and no state.

    The calls are means over `look_back_period_s`. Before any replica has reported, the number stays as it is.
    """
    calls = (context.aggregated_metrics or {}).get("calls", {})
    if not calls or context.config is None:
        return context.target_num_replicas, {}
    return sum(calls.values()) / context.config.get_target_ongoing_requests(), {}

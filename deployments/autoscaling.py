"""How many replicas a deployment should have that is called over links: Serve counts links where callers make calls.

What Ray adds here: it asks this policy, of `autoscaling_config`, with what replicas say of themselves
(`RpcServer.record_autoscaling_stats`), and adds delays and bounds to what it says.
"""

from typing import Any

from ray.serve.config import AutoscalingContext


def by_calls(context: AutoscalingContext) -> tuple[float, dict[str, Any]]:
    """As many as have `target_ongoing_requests` calls each, as a mean over `look_back_period_s`."""
    calls = (context.aggregated_metrics or {}).get("calls", {})
    if not calls or context.config is None:
        return context.target_num_replicas, {}
    return sum(calls.values()) / context.config.get_target_ongoing_requests(), {}

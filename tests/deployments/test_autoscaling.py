"""The number of replicas that the autoscaling policy asks for, given Serve's own context."""

from typing import Any

from ray.serve._private.common import DeploymentID, ReplicaID
from ray.serve.config import AutoscalingConfig, AutoscalingContext

from deployments.autoscaling import by_calls

PARSER = DeploymentID(name="StreamParser")


def context(**calls: float) -> AutoscalingContext:
    """Replicas with the calls that each has reported; the configuration wants four calls a replica."""
    reported: Any = {"calls": {ReplicaID(name, PARSER): number for name, number in calls.items()}} if calls else {}
    return AutoscalingContext(
        deployment_id=PARSER,
        deployment_name=PARSER.name,
        app_name=None,
        current_num_replicas=len(calls),
        target_num_replicas=2,
        running_replicas=[],
        total_num_requests=99,
        total_queued_requests=0,
        aggregated_metrics=reported,
        raw_metrics={},
        capacity_adjusted_min_replicas=1,
        capacity_adjusted_max_replicas=4,
        policy_state={},
        last_scale_up_time=None,
        last_scale_down_time=None,
        current_time=None,
        config=AutoscalingConfig(min_replicas=1, max_replicas=4, target_ongoing_requests=4),
    )


def test_the_policy_counts_calls_and_not_connections() -> None:
    assert by_calls(context(a=6, b=4)) == (2.5, {})
    assert by_calls(context(a=0, b=0)) == (0, {})


def test_the_number_of_replicas_stays_until_a_replica_has_reported() -> None:
    assert by_calls(context()) == (2, {})

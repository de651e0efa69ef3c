"""PodDisruptionBudgets."""

from app.api.kinds import DISRUPTION_BUDGET
from app.children.metadata import Child, Owner, child


def disruption_budget(owner: Owner, name: str) -> Child:
    """At most one pod at a time is evicted: enough for service and quorum, and never in the way of a drain for ever."""
    return child(DISRUPTION_BUDGET, owner, name, spec={"maxUnavailable": 1, "selector": {"matchLabels": owner.selector}})

"""The condition AdminSynced: what came of telling the registry. Nothing else in a status depends on it."""

from collections.abc import Iterable

from app.api.v1alpha1.common import Condition
from app.contract import Outcome
from app.status.conditions import Finding
from app.status.presence import seconds_between

ADMIN, NO_REGISTRY = "AdminSynced", "NoRegistry"
SOONEST_SECONDS, LATEST_SECONDS = 5, 300


def admin_synced(registry: str, outcome: Outcome | None, previous: Iterable[Condition]) -> Finding:
    """The condition; where nobody was asked this time, as it was."""
    if not registry:
        return Finding(ADMIN, "Unknown", NO_REGISTRY, "no registry is configured (PRISM_REGISTRY_URL)")
    if outcome is not None and outcome.state == "done":
        return Finding(ADMIN, "True", "Synced")
    if outcome is not None and outcome.state == "failed":
        return Finding(ADMIN, "False", outcome.reason, outcome.message)
    before = next((condition for condition in previous if condition.type == ADMIN), None)
    if before is None or before.reason == NO_REGISTRY:
        return Finding(ADMIN, "Unknown", "NotTold", "nothing has been told yet")
    return Finding(ADMIN, before.status, before.reason, before.message)  # type: ignore[arg-type]


def again(finding: Finding, previous: Iterable[Condition], now: str) -> int:
    """Seconds until the next try after a failure: twice as long each time, told from how long it has failed already."""
    if finding.status != "False":
        return 0
    since = next((c.last_transition_time for c in previous if c.type == ADMIN and c.status == "False"), "") or now
    return int(min(LATEST_SECONDS, max(SOONEST_SECONDS, seconds_between(since, now))))

"""Conditions that a machine can trust: every one complete, its time moving only when its status does."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from app.api.v1alpha1.common import Condition, Metadata
from app.backends.types import TYPES, is_known

MOST_LETTERS = 16_384  # the schema takes twice as many
Truth = Literal["True", "False", "Unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said of one condition type."""

    type: str
    status: Truth
    reason: str
    message: str = ""


def ready(reason: str, message: str = "") -> list[Finding]:
    """Ready, and nothing left to do."""
    return [Finding("Ready", "True", reason, message)]


def working(reason: str, message: str) -> list[Finding]:
    """Not ready, and time may help."""
    return [Finding("Ready", "False", reason, message), Finding("Reconciling", "True", reason, message)]


def stalled(reason: str, message: str) -> list[Finding]:
    """Not ready, and only a change will help."""
    return [Finding("Ready", "False", reason, message), Finding("Stalled", "True", reason, message)]


def unknown_type(kind: str) -> list[Finding]:
    """A warning, most likely of a misspelled type: it is served all the same, by its address alone."""
    if not kind or is_known(kind):
        return []
    why = f"spec.type: {kind} is none of {', '.join(TYPES)}; it has no default port, and its address is passed on as it is"
    return [Finding("TypeKnown", "False", "UnknownType", why)]


def written(findings: Iterable[Finding], previous: Iterable[Condition], parent: Metadata, now: str) -> list[dict[str, Any]]:
    """Findings as status.conditions, sorted by type.

    lastTransitionTime is kept from ``previous`` while the status stays the same, else it is ``now``.
    """
    before = {condition.type: condition for condition in previous}
    return [
        {
            "type": finding.type,
            "status": finding.status,
            "reason": finding.reason,
            "message": finding.message[:MOST_LETTERS],
            "lastTransitionTime": _since(before.get(finding.type), finding, now),
            "observedGeneration": parent.generation,
        }
        for finding in sorted(findings, key=lambda finding: finding.type)
    ]


def _since(before: Condition | None, finding: Finding, now: str) -> str:
    kept = before is not None and before.status == finding.status and before.last_transition_time
    return before.last_transition_time if before is not None and kept else now

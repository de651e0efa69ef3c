"""The status of a runner, from what is observed and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.api.kinds import Kind
from app.api.v1alpha1.patternrunner import PatternRunner
from app.backends.patterns import PATTERNS, pattern_of
from app.bindings.slots import Answer
from app.contract import Context, Object, read
from app.status.conditions import Finding, ready, stalled, working, written
from app.status.ownership import conflict_message
from app.status.readiness import Rollout, rollout

PATIENCE_SECONDS = 10
CHILDREN = "ChildrenExist"
MISTAKES = {"CrossNamespaceReference", "InvalidAddress", "SlotNotGiven"}


@dataclass(frozen=True, slots=True)
class State:
    """What a sync found out: ``template`` is the hash of the template that was asked for, empty while none is."""

    conflicts: list[tuple[Kind, str]]
    answers: tuple[Answer, ...]
    deployment: Object | None
    template: str
    replicas: int | None
    autoscaler: Object | None
    pods: tuple[Object, ...]
    missing: tuple[str, ...]
    immutable: bool
    selector: dict[str, str]


def status(parent: PatternRunner, state: State, context: Context) -> dict[str, Any]:
    """The whole status. Numbers are those of the observed Deployment."""
    progress = rollout(state.deployment, state.template, state.replicas, state.pods)
    late = _late(parent, state, context.now)
    findings = [
        *_overall(state, progress, late),
        *_bound(state),
        *_available(state, progress),
        *_scaling(parent, state),
        *_absent(state, late),
        *_strange(parent),
    ]
    previous = parent.status.conditions if parent.status else ()
    return {
        "phase": _phase(state, findings),
        "replicas": progress.replicas,
        "readyReplicas": progress.ready,
        "updatedReplicas": progress.updated,
        "availableReplicas": progress.available,
        "selector": ",".join(f"{key}={value}" for key, value in sorted(state.selector.items())),
        "conditions": written(findings, previous, parent.metadata, context.now),
    }


def _overall(state: State, progress: Rollout, late: bool) -> list[Finding]:
    """Ready with its companions, by the gravest thing first."""
    problems = [found.problem for found in state.answers if found.problem]
    mistake = next((problem for problem in problems if problem[0] in MISTAKES), None)
    if state.conflicts:
        return stalled("NameConflict", conflict_message(state.conflicts))
    if state.immutable:
        return stalled("ImmutableField", "Deployment: spec.selector cannot change; the present one stays until it is deleted")
    if mistake:
        return stalled(*mistake)
    waited = next((found.problem for found in state.answers if found.problem and found.ask.required), None)
    if waited:
        return working(*waited)
    if late:
        return working("ChildMissing", _missing(state))
    if state.missing:
        return working("Progressing", "the children are being created")
    if not progress.done:
        return working(progress.reason, progress.message)
    return ready(progress.reason, progress.message)


def _late(parent: PatternRunner, state: State, now: str) -> bool:
    """Whether a child has been missing for longer than creating one takes."""
    previous = parent.status.conditions if parent.status else ()
    since = next((c.last_transition_time for c in previous if c.type == CHILDREN), "")
    return bool(state.missing and since) and seconds_between(since, now) >= PATIENCE_SECONDS


def _missing(state: State) -> str:
    return f"{', '.join(state.missing)}: asked for, but not there; the events of this object tell why"


def _absent(state: State, late: bool) -> Iterator[Finding]:
    """While a child is not there: its time tells since when."""
    if state.missing:
        yield Finding(CHILDREN, "False", "ChildMissing" if late else "Progressing", _missing(state) if late else "")


def _strange(parent: PatternRunner) -> Iterator[Finding]:
    """A warning: slots that a known pattern does not have, most likely misspelled."""
    pattern = pattern_of(parent.spec.pattern)
    slots = sorted(set(parent.spec.backend_bindings) - {slot.name for slot in pattern.slots}) if pattern.name in PATTERNS else []
    if slots:
        has = ", ".join(slot.name for slot in pattern.slots)
        yield Finding("SlotsKnown", "False", "UnknownSlot", f"spec.backendBindings: {', '.join(slots)}: {pattern.name} has {has}")


def seconds_between(earlier: str, later: str) -> float:
    """Seconds from one RFC 3339 time to another."""
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def _bound(state: State) -> Iterator[Finding]:
    asked = [found for found in state.answers if not found.ask.builtin]
    problems = [found for found in asked if found.problem]
    if problems:
        held = any(found.values is not None for found in problems)
        note = "; the last values stay in use" if held else ""
        messages = "; ".join(found.problem[1] for found in problems if found.problem)
        yield Finding("BackendsBound", "False", problems[0].problem[0] if problems[0].problem else "", messages + note)
    elif asked:
        yield Finding("BackendsBound", "True", "Bound", "bound: " + ", ".join(found.ask.slot for found in asked))


def _available(state: State, progress: Rollout) -> Iterator[Finding]:
    if state.deployment is not None:
        some = progress.available > 0 or progress.done
        yield Finding("Available", "True" if some else "False", "PodsAvailable" if some else "NoPodAvailable")


def _scaling(parent: PatternRunner, state: State) -> Iterator[Finding]:
    scaling = parent.spec.autoscaling
    if not scaling or not scaling.enabled:
        return
    if scaling.scaler == "keda":
        yield Finding(
            "AutoscalingActive", "False", "KedaNotInstalled", "KEDA is not connected; the number of pods is minReplicas"
        )
        return
    conditions = read(state.autoscaler.status).get("conditions") or [] if state.autoscaler else []
    active = next((c for c in conditions if c.get("type") == "ScalingActive"), None)
    if active is None:
        yield Finding("AutoscalingActive", "Unknown", "Progressing", "the HorizontalPodAutoscaler has not looked yet")
    else:
        yield Finding("AutoscalingActive", active["status"], active.get("reason") or "ScalingActive")


def _phase(state: State, findings: list[Finding]) -> str:
    """Running, Degraded (pods serve, but not as asked for), Progressing, Pending (nothing runs yet) or Failed."""
    truth = {finding.type: finding.status for finding in findings}
    if truth["Ready"] == "True":
        return "Running"
    if truth.get("BackendsBound") == "False" and truth.get("Available") == "True":
        return "Degraded"
    if truth.get("Stalled") == "True":
        return "Failed"
    return "Progressing" if state.template else "Pending"

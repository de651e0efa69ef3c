"""The status of a runner, from what is observed and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.api.kinds import Kind
from app.api.v1alpha1.prismpattern import Runner
from app.backends.patterns import pattern_of
from app.bindings.answers import Answer
from app.bindings.slots import strange_slots
from app.bindings.values import capabilities
from app.contract import Context, Object
from app.status.conditions import Finding, ready, stalled, working, written
from app.status.ownership import conflict_message
from app.status.presence import absence, late, presence
from app.status.readiness import Rollout, rollout
from app.status.scaling import scaling

MISTAKES = {"CrossNamespaceReference", "InvalidAddress", "SlotNotGiven", "UnknownType"}


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


def status(parent: Runner, state: State, context: Context) -> dict[str, Any]:
    """The whole status. Numbers are those of the observed Deployment."""
    progress = rollout(state.deployment, state.template, state.replicas, state.pods)
    previous = parent.status.conditions if parent.status else ()
    overdue = late(state.missing, previous, context.now)
    findings = [
        *_overall(state, progress, overdue),
        *_bound(state),
        *_available(state, progress),
        *scaling(parent.spec.autoscaling, state.autoscaler),
        *presence(state.missing, previous, late=overdue),
        *_strange(parent),
        *_incapable(parent, state.answers),
    ]
    return {
        "phase": _phase(state, findings),
        "replicas": progress.replicas,
        "readyReplicas": progress.ready,
        "updatedReplicas": progress.updated,
        "availableReplicas": progress.available,
        "selector": ",".join(f"{key}={value}" for key, value in sorted(state.selector.items())),
        "conditions": written(findings, previous, parent.metadata, context.now),
    }


def _overall(state: State, progress: Rollout, overdue: bool) -> list[Finding]:
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
    if overdue:
        return working("ChildMissing", absence(state.missing))
    if not progress.done:
        return working(progress.reason, progress.message)
    if state.missing:
        return working("Progressing", "the children are being created")
    return ready(progress.reason, progress.message)


def _strange(parent: Runner) -> Iterator[Finding]:
    """A warning: slots that a known pattern does not have, most likely misspelled."""
    slots, pattern = strange_slots(parent.spec), pattern_of(parent.spec.pattern)
    if slots:
        has = ", ".join(slot.name for slot in pattern.slots)
        yield Finding("SlotsKnown", "False", "UnknownSlot", f"spec.backendBindings: {', '.join(slots)}: {pattern.name} has {has}")


def _incapable(parent: Runner, answers: tuple[Answer, ...]) -> Iterator[Finding]:
    """A warning: what a slot wants of its backend, and the backend does not say it can."""
    wanted = {slot.name: slot.interfaces for slot in pattern_of(parent.spec.pattern).slots}
    lacks = []
    for found in answers:
        has = capabilities(found.values) if found.values else []
        missing = [want for want in wanted.get(found.ask.slot, ()) if want not in has]
        if has and missing:
            lacks.append(f"slot {found.ask.slot}: {found.values['type'] if found.values else ''} lacks {', '.join(missing)}")
    if lacks:
        yield Finding("CapabilitiesMatched", "False", "CapabilityMissing", "; ".join(lacks))


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
    if state.template:
        some = progress.available > 0 or progress.done
        yield Finding("Available", "True" if some else "False", "PodsAvailable" if some else "NoPodAvailable")


def _phase(state: State, findings: list[Finding]) -> str:
    """Running, Degraded (pods serve, but not as asked for), Progressing, Pending (nothing runs yet) or Failed."""
    truth = {finding.type: finding.status for finding in findings}
    if truth["Ready"] == "True":
        return "Running"
    if truth.get("Available") == "True" and (truth.get("BackendsBound") == "False" or truth.get("Stalled") == "True"):
        return "Degraded"
    if truth.get("Stalled") == "True":
        return "Failed"
    return "Progressing" if state.template else "Pending"

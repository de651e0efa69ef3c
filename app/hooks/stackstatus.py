"""The status of a stack: every part and why it is not ready, from what is observed and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.api.kinds import AUTOSCALER, DEPLOYMENT, STATEFUL_SET, Kind
from app.api.v1alpha1.prismstack import PrismStack
from app.children.admin import GRPC, RAFT, odd
from app.children.metadata import Child
from app.children.proxy import PORT, metrics_port
from app.contract import Context, Observed
from app.hooks.stackcomponents import MOST_LETTERS, Component, component, part, summary, told, workload
from app.status.conditions import Finding, ready, stalled, working, written
from app.status.ownership import conflict_message
from app.status.presence import absence, late, presence
from app.status.scaling import scaling


@dataclass(frozen=True, slots=True)
class State:
    """What a sync found out. ``unheard`` says why the admin's replicas are not those asked for; ``secrets`` are
    reason and message for each that is missing or lacks a key."""

    conflicts: list[tuple[Kind, str]]
    proxy: Child
    admin: Child | None
    parts: list[Child]
    absent: tuple[str, ...]
    immutable: tuple[str, ...]
    unheard: str
    secrets: tuple[tuple[str, str], ...]


def status(parent: PrismStack, state: State, observed: Observed, context: Context) -> dict[str, Any]:
    """The whole status."""
    previous = parent.status.conditions if parent.status else ()
    overdue = late(state.absent, previous, context.now)
    proxy = workload(state.proxy, observed, DEPLOYMENT)
    components = [
        component("proxy", proxy),
        *([component("admin", workload(state.admin, observed, STATEFUL_SET))] if state.admin else []),
        *(part(child, observed) for child in state.parts),
    ]
    findings = [
        *_overall(state, components, overdue=overdue),
        Finding("Available", "True" if proxy.available else "False", "PodsAvailable" if proxy.available else "NoPodAvailable"),
        *_by_kind(components),
        *_warnings(parent, state),
        *scaling(
            parent.spec.proxy.autoscaling,
            observed.children.get(AUTOSCALER, parent.metadata.namespace, state.proxy["metadata"]["name"]),
        ),
        *presence(state.absent, previous, late=overdue),
    ]
    selector = state.proxy["spec"]["selector"]["matchLabels"]
    return {
        "phase": _phase(findings, components),
        "components": [
            {"name": each.name, "ready": each.ready, "desired": each.desired, "message": each.message[:MOST_LETTERS]}
            for each in components
        ],
        "summary": summary(components),
        "replicas": proxy.replicas,
        "readyReplicas": proxy.ready,
        "selector": ",".join(f"{key}={value}" for key, value in sorted(selector.items())),
        "conditions": written(findings, previous, parent.metadata, context.now),
    }


def _overall(state: State, components: list[Component], *, overdue: bool) -> list[Finding]:
    """Ready with its companions, by the gravest thing first."""
    if state.conflicts:
        return stalled("NameConflict", conflict_message(state.conflicts))
    if state.immutable:
        fields = ", ".join(state.immutable)
        return stalled("ImmutableField", f"{fields}: cannot change; the present value stays until the object is deleted")
    if state.unheard:
        return stalled("BelowQuorum", state.unheard)
    open_ones = [each for each in components if not each.done]
    stuck = [each for each in open_ones if each.stuck]
    if stuck:
        return stalled(stuck[0].reason, told(stuck))
    if state.secrets:
        return working(state.secrets[0][0], "; ".join(message for _, message in state.secrets))
    if overdue:
        return working("ChildMissing", absence(state.absent))
    wrong = [each for each in open_ones if each.reason != "Progressing"]
    if open_ones:
        return working((wrong or open_ones)[0].reason, told(wrong or open_ones))
    if state.absent:
        return working("Progressing", "the children are being created")
    return ready("StackReady", ", ".join(f"{name} {count}" for name, count in summary(components).items()))


def _by_kind(components: list[Component]) -> Iterator[Finding]:
    """AdminReady, PatternsReady and BackendsReady, where there are any."""
    for name, kind in (("AdminReady", "admin"), ("PatternsReady", "pattern"), ("BackendsReady", "backend")):
        mine = [each for each in components if each.kind == kind]
        open_ones = sorted((each for each in mine if not each.done), key=lambda each: each.reason == "Progressing")
        if open_ones:
            yield Finding(name, "False", open_ones[0].reason, told(open_ones))
        elif mine:
            yield Finding(name, "True", "AllReady", f"{len(mine)} of {len(mine)}")


def _warnings(parent: PrismStack, state: State) -> Iterator[Finding]:
    """What is not quite as it was asked for."""
    asked = parent.spec.admin.replicas if parent.spec.admin else 1
    if state.admin and not state.unheard and odd(asked) != asked:
        why = f"spec.admin.replicas: Raft takes odd numbers only; {odd(asked)} in the place of {asked}"
        yield Finding("AdminReplicasAsAsked", "False", "EvenNumber", why)
    observability = parent.spec.observability
    for role, taken in (("proxy", {PORT}), ("admin", {GRPC, RAFT} if state.admin else set())):
        port = metrics_port(observability, taken)
        if observability and port and port != observability.metrics.port:
            asked_port = observability.metrics.port
            why = f"spec.observability.metrics.port: {asked_port} is taken in the pods of the {role}; {port} instead"
            yield Finding("MetricsPortAsAsked", "False", "PortTaken", why)
            return


def _phase(findings: list[Finding], components: list[Component]) -> str:
    """Running, Failed (stuck), Degraded (the proxy serves and a part says what is wrong), Progressing, Pending (no pod yet)."""
    truth = {finding.type: finding.status for finding in findings}
    if truth["Ready"] == "True":
        return "Running"
    stuck = truth.get("Stalled") == "True"
    if truth["Available"] == "True":
        wrong = stuck or any(not each.done and each.reason != "Progressing" for each in components)
        return "Degraded" if wrong else "Progressing"
    if stuck:
        return "Failed"
    return "Progressing" if components[0].ready or any(each.ready for each in components) else "Pending"

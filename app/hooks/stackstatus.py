"""The status of a stack: every part and why it is not ready, from what is observed and nothing else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.api.kinds import AUTOSCALER, DEPLOYMENT, POD, RESOURCE_QUOTA, STATEFUL_SET, Kind
from app.api.v1alpha1.prismstack import PrismStack
from app.children.admin import GRPC, RAFT, odd
from app.children.metadata import Child
from app.children.parts import CONFIG, RUNNER, SPEC
from app.children.proxy import PORT, metrics_port
from app.children.workload import TEMPLATE
from app.contract import Context, Object, Observed, read
from app.status.conditions import Finding, ready, stalled, working, written
from app.status.ownership import conflict_message
from app.status.presence import absence, late, presence
from app.status.quota import exceeded, needs
from app.status.readiness import Rollout, rollout
from app.status.scaling import scaling

MOST_SHOWN, MOST_LETTERS = 5, 512


@dataclass(frozen=True, slots=True)
class State:
    """What a sync found out. ``unheard`` says why the admin's replicas are not those asked for; ``secrets`` are missing ones."""

    conflicts: list[tuple[Kind, str]]
    proxy: Child
    admin: Child | None
    parts: list[Child]
    absent: tuple[str, ...]
    immutable: tuple[str, ...]
    unheard: str
    secrets: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Component:
    """One part: how many of its pods are ready, and why not all. ``stuck`` is one that waiting cannot help."""

    name: str
    ready: int
    desired: int
    done: bool
    reason: str
    message: str
    stuck: bool = False

    @property
    def kind(self) -> str:
        return self.name.partition("/")[0]


def status(parent: PrismStack, state: State, observed: Observed, context: Context) -> dict[str, Any]:
    """The whole status."""
    previous = parent.status.conditions if parent.status else ()
    overdue = late(state.absent, previous, context.now)
    proxy = workload(state.proxy, observed, DEPLOYMENT)
    components = [
        _component("proxy", proxy),
        *([_component("admin", workload(state.admin, observed, STATEFUL_SET))] if state.admin else []),
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
        "summary": _summary(components),
        "replicas": proxy.replicas,
        "readyReplicas": proxy.ready,
        "selector": ",".join(f"{key}={value}" for key, value in sorted(selector.items())),
        "conditions": written(findings, previous, parent.metadata, context.now),
    }


def workload(child: Child, observed: Observed, kind: Kind) -> Rollout:
    """How far the proxy or the admin is."""
    metadata, spec = child["metadata"], child["spec"]
    live = observed.children.get(kind, metadata["namespace"], metadata["name"])
    labels = spec["selector"]["matchLabels"].items()
    pods = [pod for pod in observed.related.all(POD) if labels <= pod.metadata.labels.items()]
    found = rollout(live, metadata["annotations"][TEMPLATE], spec.get("replicas"), pods, kind.kind)
    if kind is STATEFUL_SET and live is not None and found.reason == "Progressing" and len(pods) < spec["replicas"]:
        quotas = observed.related.all(RESOURCE_QUOTA)
        why = exceeded(quotas, needs(spec["template"], spec.get("volumeClaimTemplates", ())))
        if why:
            counts = {name: getattr(found, name) for name in ("replicas", "ready", "updated", "available", "desired")}
            return Rollout(False, *why, **counts)
    return found


def _component(name: str, found: Rollout) -> Component:
    return Component(name, found.ready, found.desired, found.done, found.reason, found.message)


def part(child: Child, observed: Observed) -> Component:
    """How far a PatternRunner or BackendConfig of the stack is, by its own word, once that speaks of what is wanted now."""
    kind, name = (RUNNER, "pattern") if child["kind"] == RUNNER.kind else (CONFIG, "backend")
    metadata, spec = child["metadata"], child["spec"]
    name = f"{name}/{metadata['name']}"
    live = observed.children.get(kind, metadata["namespace"], metadata["name"])
    said = read(live.status) if live is not None else {}
    desired = spec.get("replicas", said.get("replicas") or 1) if kind is RUNNER else 1
    if not _current(live, said, metadata["annotations"][SPEC]):
        return Component(name, _counted(kind, said, done=False), desired, False, "Progressing", "waiting for its own status")
    conditions = {each.get("type"): each for each in said.get("conditions") or []}
    own = conditions.get("Ready", {})
    done = own.get("status") == "True"
    stuck = conditions.get("Stalled", {}).get("status") == "True"
    reason, message = own.get("reason") or "Progressing", own.get("message", "")
    return Component(name, _counted(kind, said, done=done), desired, done, reason, message, stuck)


def _current(live: Object | None, said: dict[str, Any], spec_hash: str) -> bool:
    if live is None or live.metadata.annotations.get(SPEC) != spec_hash:
        return False
    return bool(said.get("observedGeneration", -1) >= live.metadata.generation)


def _counted(kind: Kind, said: dict[str, Any], *, done: bool) -> int:
    return int(said.get("readyReplicas") or 0) if kind is RUNNER else int(done)


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
        return working("SecretNotFound", "; ".join(f"{field}: Secret {name} does not exist" for field, name in state.secrets))
    if overdue:
        return working("ChildMissing", absence(state.absent))
    wrong = [each for each in open_ones if each.reason != "Progressing"]
    if open_ones:
        return working((wrong or open_ones)[0].reason, told(wrong or open_ones))
    if state.absent:
        return working("Progressing", "the children are being created")
    return ready("StackReady", ", ".join(f"{name} {count}" for name, count in _summary(components).items()))


def told(components: list[Component]) -> str:
    """What the first of these say, and how many more there are."""
    shown = "; ".join(f"{each.name}: {each.message}"[:MOST_LETTERS] for each in components[:MOST_SHOWN])
    more = len(components) - MOST_SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown


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


def _summary(components: Iterable[Component]) -> dict[str, str]:
    """Ready of wanted, as text: pods of the proxy and the admin, numbers of patterns and backends."""
    out: dict[str, str] = {}
    mine = list(components)
    for kind, name in (("proxy", "proxy"), ("admin", "admin"), ("pattern", "patterns"), ("backend", "backends")):
        found = [each for each in mine if each.kind == kind]
        if kind in ("proxy", "admin") and found:
            out[name] = f"{found[0].ready}/{found[0].desired}"
        elif found:
            out[name] = f"{sum(each.done for each in found)}/{len(found)}"
    return out


def _phase(findings: list[Finding], components: list[Component]) -> str:
    """Running, Failed (stuck), Degraded (the proxy serves and a part says what is wrong), Progressing, Pending (no pod yet)."""
    truth = {finding.type: finding.status for finding in findings}
    if truth["Ready"] == "True":
        return "Running"
    if truth["Available"] == "True":
        return "Degraded" if any(not each.done and each.reason != "Progressing" for each in components) else "Progressing"
    if truth.get("Stalled") == "True":
        return "Failed"
    return "Progressing" if components[0].ready or any(each.ready for each in components) else "Pending"

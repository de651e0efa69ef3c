"""The parts of a stack, each with what is ready of it and why not all: its own workloads, and the parents it made."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from app.api.kinds import POD, RESOURCE_QUOTA, STATEFUL_SET, Kind
from app.children.metadata import Child
from app.children.parts import CONFIG, RUNNER, SPEC
from app.children.workload import TEMPLATE
from app.contract import Object, Observed, read
from app.status.quota import exceeded, needs
from app.status.readiness import Rollout, rollout

MOST_SHOWN, MOST_LETTERS = 5, 512


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


def component(name: str, found: Rollout) -> Component:
    return Component(name, found.ready, found.desired, found.done, found.reason, found.message)


def part(child: Child, observed: Observed) -> Component:
    """How far a PatternRunner or BackendConfig of the stack is, by its own word, once that speaks of what is wanted now."""
    kind, name = (RUNNER, "pattern") if child["kind"] == RUNNER.kind else (CONFIG, "backend")
    metadata, spec = child["metadata"], child["spec"]
    name = f"{name}/{metadata['name']}"
    live = observed.children.get(kind, metadata["namespace"], metadata["name"])
    said = read(live.status) if live is not None else {}
    scaled = spec.get("autoscaling", {}).get("enabled")
    wanted = said.get("replicas", 1) if scaled or "replicas" not in spec else spec["replicas"]
    desired = wanted if kind is RUNNER else 1
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


def told(components: list[Component]) -> str:
    """What the first of these say, and how many more there are."""
    shown = "; ".join(f"{each.name}: {each.message}"[:MOST_LETTERS] for each in components[:MOST_SHOWN])
    more = len(components) - MOST_SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown


def summary(components: Iterable[Component]) -> dict[str, str]:
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

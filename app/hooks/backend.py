"""PrismBackend: found in the cluster, published as a binding Secret, made known to the registry."""

from collections import defaultdict

from app.api.kinds import ENDPOINT_SLICE, SECRET, Kind
from app.api.v1alpha1.prismbackend import PrismBackend
from app.bindings.discovered import Found
from app.bindings.record import record, source
from app.bindings.slots import backend_secret
from app.children.workload import digest
from app.contract import Context, Desired, Observed, Related, Wish
from app.hooks.backendstate import State
from app.status.admin import ADMIN, admin_synced, again
from app.status.conditions import Finding, written
from app.status.presence import seconds_between

GIVE_UP_SECONDS = 300
GIVEN_UP = "DeregistrationGivenUp"
SERVICE_LABEL = "kubernetes.io/service-name"


def customize(parent: PrismBackend, context: Context) -> tuple[Related, ...]:
    """What its spec names, the endpoints of its Service, and the name that its own Secret would have."""
    found = Found(parent, Observed())
    names: dict[tuple[Kind, str], set[str]] = defaultdict(set)
    names[SECRET, context.settings.operator_namespace].add(backend_secret(parent.metadata.name))
    for _, kind, namespace, name in found.named():
        if namespace:
            names[kind, namespace].add(name)
    out = [Related(kind, at, tuple(sorted(wanted))) for (kind, at), wanted in names.items()]
    service = found.discovery.service
    if service and (service.namespace or found.home):
        out.append(Related(ENDPOINT_SLICE, service.namespace or found.home, labels={SERVICE_LABEL: service.name}))
    return tuple(out)


def wish(parent: PrismBackend, observed: Observed, context: Context) -> Wish | None:
    """The record that the registry should hold; None while there is nothing new to say, or nobody to tell."""
    if not context.settings.registry_url:
        return None
    told = source(parent, context.settings)
    if observed.finalizing:
        return Wish(parent.metadata.name, told)
    state = State(parent, observed, context)
    if parent.metadata.deletion_timestamp or state.fresh is None or state.place is None or state.taken:
        return None
    said = record(parent, state.place, state.fresh, context.settings)
    known = parent.status.admin.hash if parent.status and parent.status.admin else ""
    synced = any(c.type == ADMIN and c.status == "True" for c in (parent.status.conditions if parent.status else ()))
    return Wish(parent.metadata.name, told, said, digest(said), digest(said) != known or not synced)


def sync(parent: PrismBackend, observed: Observed, context: Context) -> Desired:
    """The binding Secret, and the status with what came of telling the registry."""
    return State(parent, observed, context).desired()


def finalize(parent: PrismBackend, observed: Observed, context: Context) -> Desired:
    """Deregisters. A registry that does not answer blocks the deletion for a bounded time, then a condition says so."""
    previous = parent.status.conditions if parent.status else ()
    status = parent.status.model_dump(by_alias=True, exclude_none=True) if parent.status else {}
    given_up = any(c.type == ADMIN and c.reason == GIVEN_UP for c in previous)
    done = context.outcome is None or context.outcome.state == "done" or given_up
    finding = Finding(ADMIN, "False", "Deregistered", "the registry has no record of it any more")
    if context.outcome is not None and context.outcome.reason:
        finding = Finding(ADMIN, "False", context.outcome.reason, context.outcome.message)
    if given_up:
        finding = next(Finding(ADMIN, "False", c.reason, c.message) for c in previous if c.type == ADMIN)
    if not done and context.outcome is not None:
        finding = admin_synced(context.settings.registry_url, context.outcome, previous)
        if seconds_between(parent.metadata.deletion_timestamp or context.now, context.now) >= GIVE_UP_SECONDS:
            finding = Finding(ADMIN, "False", GIVEN_UP, f"{finding.message}; its record may be left in the registry")
    kept = [Finding(c.type, c.status, c.reason, c.message) for c in previous if c.type != ADMIN]  # type: ignore[arg-type]
    status["conditions"] = written([*kept, finding], previous, parent.metadata, context.now)
    retry = 0 if done else again(finding, previous, context.now)
    wait = 1 if finding.reason == GIVEN_UP else retry
    return Desired([], status, wait, finalized=done and not observed.children)

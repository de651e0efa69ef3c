"""PrismBackend: found in the cluster, published as a binding Secret, made known to the registry."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.api.kinds import ENDPOINT_SLICE, SECRET, Kind
from app.api.v1alpha1.prismbackend import PrismBackend
from app.backends.address import Values, shown_endpoint
from app.bindings.discovered import Found
from app.bindings.record import record, source
from app.bindings.secretkeys import Unresolved
from app.bindings.slots import backend_secret
from app.bindings.values import decode
from app.children import secret
from app.children.metadata import Child, Owner, label_value
from app.children.workload import digest
from app.contract import Context, Desired, Object, Observed, Related, Wish
from app.status.admin import ADMIN, admin_synced, again
from app.status.conditions import Finding, ready, stalled, working, written
from app.status.ownership import conflict_message, conflicts
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
    if not done and context.outcome is not None:
        finding = admin_synced(context.settings.registry_url, context.outcome, previous)
        if seconds_between(parent.metadata.deletion_timestamp or context.now, context.now) >= GIVE_UP_SECONDS:
            finding = Finding(ADMIN, "False", GIVEN_UP, f"{finding.message}; its record may be left in the registry")
    kept = [Finding(c.type, c.status, c.reason, c.message) for c in previous if c.type != ADMIN]  # type: ignore[arg-type]
    status["conditions"] = written([*kept, finding], previous, parent.metadata, context.now)
    retry = 0 if done else again(finding, previous, context.now)
    wait = 1 if finding.reason == GIVEN_UP else retry
    return Desired([], status, wait, finalized=done and not observed.children)


@dataclass(frozen=True)
class State:
    """One sync; each property is one thing that is found out once."""

    parent: PrismBackend
    observed: Observed
    context: Context

    @property
    def found(self) -> Found:
        return Found(self.parent, self.observed)

    @property
    def namespace(self) -> str:
        return self.context.settings.operator_namespace

    @property
    def name(self) -> str:
        return backend_secret(self.parent.metadata.name)

    @cached_property
    def taken(self) -> list[tuple[Kind, str]]:
        return conflicts([(SECRET, self.name)], self.namespace, self.parent.metadata.uid, self.observed)

    @property
    def there(self) -> Object | None:
        return self.observed.children.get(SECRET, self.namespace, self.name)

    @cached_property
    def _place(self) -> tuple[Values | None, Unresolved | None]:
        try:
            return self.found.place, None
        except Unresolved as problem:
            return None, problem

    @property
    def place(self) -> Values | None:
        return self._place[0]

    @cached_property
    def _credentials(self) -> tuple[Values | None, Unresolved | None]:
        try:
            return self.found.credentials(), None
        except Unresolved as problem:
            return None, problem

    def still_complete(self, values: Values) -> Values:
        """A Secret that is being rewritten, and for a moment lacks its password, takes none away from those that run.

        An edit of the spec may.
        """
        before = decode(self.there.data) if self.there else {}
        seen = self.parent.status.observed_generation if self.parent.status else None
        if "password" in before and "password" not in values and seen == self.parent.metadata.generation:
            why = "the Secret no longer holds a password; name none in the spec if there is to be none"
            raise Unresolved("SecretKeyMissing", why, waiting=True)
        return values

    @cached_property
    def _fresh(self) -> tuple[Values | None, Unresolved | None]:
        place, credentials = self._place[0], self._credentials[0]
        if place is None or credentials is None:
            return None, self._place[1] or self._credentials[1]
        try:
            return self.still_complete(self.found.values(place, credentials)), None
        except Unresolved as problem:
            return None, problem

    @property
    def fresh(self) -> Values | None:
        """The values as the cluster says them now."""
        return self._fresh[0]

    def desired(self) -> Desired:
        values, there = self.fresh, self.there
        if values is None and there is not None and "type" in (held := decode(there.data)):
            values = held
        children: list[Child] = []
        if values is not None and not self.taken:
            wanted = secret.binding(self.owner, self.name, values)
            children = [] if secret.replaced(wanted, there) else [wanted]
        published = there is not None and bool(children) and there.data == children[0]["data"]
        previous = self.parent.status.conditions if self.parent.status else ()
        admin = admin_synced(self.context.settings.registry_url, self.context.outcome, previous)
        overall = self.overall(published=published)
        findings = [*overall, *self.resolved(), admin]
        status: dict[str, Any] = {
            "phase": self.phase(overall),
            "conditions": written(findings, previous, self.parent.metadata, self.context.now),
        }
        endpoint = shown_endpoint(values["type"], self.place or {}, values) if values else ""
        if endpoint:
            status["resolvedEndpoint"] = endpoint
        told = self.told()
        if told:
            status["admin"] = told
        return Desired(children, status, again(admin, previous, self.context.now))

    @property
    def owner(self) -> Owner:
        labels = {"prism.io/backend": label_value(self.parent.metadata.name)}
        service = self.found.discovery.service
        if service:
            labels["prism.io/service"] = label_value(service.name)
            labels["prism.io/service-namespace"] = label_value(service.namespace or self.found.home)
        return Owner(label_value(self.parent.metadata.name), self.namespace, "backend", labels)

    def overall(self, *, published: bool) -> list[Finding]:
        problem = self._fresh[1]
        if self.taken:
            return stalled("NameConflict", conflict_message(self.taken))
        if problem:
            return (working if problem.waiting else stalled)(problem.reason, problem.message)
        if self.found.serving() is False:
            return working("NoReadyEndpoint", "no endpoint of the Service is ready")
        if not published:
            return working("Progressing", f"Secret {self.name} is being written")
        return ready("Discovered", f"Secret {self.name} of namespace {self.namespace} holds the connection")

    def resolved(self) -> list[Finding]:
        """ServiceResolved and CredentialsResolved."""
        pairs = (("ServiceResolved", self._place[1]), ("CredentialsResolved", self._credentials[1]))
        return [
            Finding(kind, "False", problem.reason, problem.message) if problem else Finding(kind, "True", "Resolved")
            for kind, problem in pairs
        ]

    def phase(self, overall: list[Finding]) -> str:
        if any(finding.type == "Stalled" for finding in overall):
            return "Error"
        return "Discovered" if self.fresh is not None else "Pending"

    def told(self) -> dict[str, str] | None:
        """What the registry has been told, with the time when that was new."""
        before = self.parent.status.admin if self.parent.status else None
        now = self.context.outcome.hash if self.context.outcome else ""
        if now and (before is None or before.hash != now):
            return {"hash": now, "syncedAt": self.context.now}
        return {"hash": before.hash, "syncedAt": before.synced_at} if before else None

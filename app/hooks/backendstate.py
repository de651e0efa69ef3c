"""What is found out about a PrismBackend: its address, its credentials, what of it is published and said."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from app.api.kinds import CONFIG_MAP, SECRET, Kind
from app.api.v1alpha1.prismbackend import PrismBackend
from app.backends.address import Values, shown_endpoint
from app.bindings.discovered import Found
from app.bindings.secretkeys import Unresolved, generation_of, still_complete
from app.bindings.slots import backend_secret
from app.bindings.values import decode
from app.children import secret
from app.children.metadata import Child, Owner, label_value
from app.contract import Context, Desired, Object, Observed
from app.status.admin import admin_synced, again
from app.status.conditions import Finding, ready, stalled, unknown_type, working, written
from app.status.ownership import conflict_message, conflicts


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

    @cached_property
    def _fresh(self) -> tuple[Values | None, Unresolved | None]:
        place, credentials = self._place[0], self._credentials[0]
        if place is None or credentials is None:
            return None, self._place[1] or self._credentials[1]
        try:
            named = (f"{field} ({name})" for field, kind, _, name in self.found.named() if kind in (SECRET, CONFIG_MAP))
            said = {**self.found.outside, **credentials}
            values = self.found.values(place, credentials)
            return still_complete(values, said, self.there, self.parent.metadata.generation, " and ".join(named)), None
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
            generation = generation_of(there) if self.fresh is None else str(self.parent.metadata.generation)
            wanted = secret.binding(self.owner, self.name, values, generation)
            children = [] if secret.replaced(wanted, there) else [wanted]
        published = there is not None and bool(children) and there.data == children[0]["data"]
        previous = self.parent.status.conditions if self.parent.status else ()
        admin = admin_synced(self.context.settings.registry_url, self.context.outcome, previous)
        overall = self.overall(published=published)
        findings = [*overall, *self.resolved(), admin, *unknown_type(values["type"] if values else "")]
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

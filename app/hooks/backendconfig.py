"""BackendConfig: an address, a Secret or both, normalized into the binding Secret that workloads use."""

from dataclasses import dataclass
from functools import cached_property

from app.api.kinds import SECRET
from app.api.v1alpha1.backendconfig import BackendConfig
from app.backends.address import Values, shown_endpoint
from app.bindings.connection import Source, references
from app.bindings.secretkeys import Unresolved, generation_of
from app.bindings.slots import binding_name
from app.bindings.values import decode
from app.children import secret
from app.children.metadata import Owner, label_value
from app.contract import Context, Desired, Observed, Related
from app.status.conditions import Finding, ready, stalled, unknown_type, working, written
from app.status.ownership import conflict_message, conflicts


def customize(parent: BackendConfig, context: Context) -> tuple[Related, ...]:  # noqa: ARG001
    """The Secrets it names, and the name that its own would have."""
    meta = parent.metadata
    wanted = {(meta.namespace, binding_name(meta.name))}
    wanted |= {(ref.namespace or meta.namespace, ref.name) for _, ref in references(parent)}
    namespaces = sorted({namespace for namespace, _ in wanted})
    return tuple(Related(SECRET, ns, tuple(sorted(name for at, name in wanted if at == ns))) for ns in namespaces)


def sync(parent: BackendConfig, observed: Observed, context: Context) -> Desired:
    """The binding Secret and the status of a BackendConfig."""
    return Sync(parent, observed, context).desired()


@dataclass(frozen=True)
class Sync:
    parent: BackendConfig
    observed: Observed
    context: Context

    def desired(self) -> Desired:
        meta = self.parent.metadata
        name = binding_name(meta.name)
        there = self.observed.children.get(SECRET, meta.namespace, name)
        values, problem = self.resolved
        generation = generation_of(there) if values is None else str(meta.generation)
        if values is None and there is not None and "type" in (held := decode(there.data)):
            values = held
        taken = conflicts([(SECRET, name)], meta.namespace, meta.uid, self.observed)
        owner = Owner(meta.name, meta.namespace, "backend", {"prism.io/backend": label_value(meta.name)})
        wanted = secret.binding(owner, name, values, generation) if values is not None and not taken else None
        children = [wanted] if wanted is not None and not secret.replaced(wanted, there) else []
        if taken:
            overall = stalled("NameConflict", conflict_message(taken))
        elif problem:
            overall = (working if problem.waiting else stalled)(problem.reason, problem.message)
        elif there is None or not children or there.data != children[0]["data"]:
            overall = working("Progressing", f"Secret {name} is being written")
        else:
            overall = ready("Bound", f"Secret {name} holds the connection")
        return Desired(children, self.status(overall, values, problem, published=bool(children and there)))

    def status(
        self, overall: list[Finding], values: Values | None, problem: Unresolved | None, *, published: bool
    ) -> dict[str, object]:
        meta, previous = self.parent.metadata, self.parent.status
        found = "False" if problem else "True"
        reason, message = (problem.reason, problem.message) if problem else ("Resolved", "")
        findings = [*overall, Finding("CredentialsResolved", found, reason, message)]  # type: ignore[arg-type]
        if self.parent.spec.health_check is None or self.parent.spec.health_check.enabled:
            findings.append(Finding("Healthy", "Unknown", "NotChecked", "nobody has looked whether the backend answers"))
        findings += unknown_type(values["type"]) if values else []
        phases = {"True": "Ready", "False": "Pending"}
        stuck = any(finding.type == "Stalled" for finding in overall)
        out: dict[str, object] = {
            "phase": "Error" if stuck else phases[overall[0].status],
            "message": overall[0].message,
            "conditions": written(findings, previous.conditions if previous else (), meta, self.context.now),
        }
        if values:
            out["type"] = values["type"]
            endpoint = shown_endpoint(values["type"], self.said, values)
            if endpoint:
                out["endpoint"] = endpoint
        if published:
            out["binding"] = {"name": binding_name(meta.name)}
        return out

    @property
    def source(self) -> Source:
        return Source(self.parent, self.observed)

    @property
    def said(self) -> Values:
        """What the spec itself says: what a Secret says may be anything, and is not shown."""
        try:
            return self.source.from_spec()
        except Unresolved:
            return {}

    @cached_property
    def resolved(self) -> tuple[Values | None, Unresolved | None]:
        try:
            return self.source.values(), None
        except Unresolved as problem:
            return None, problem

"""BackendConfig: an address, a Secret or both, normalized into the binding Secret that workloads use."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from app.api.kinds import SECRET
from app.api.v1alpha1.backendconfig import BackendConfig, Connection, KeyedSecretReference, Keys, SecretReference
from app.backends.address import Values, complete, endpoint_of, parts, recognized
from app.backends.types import known
from app.bindings.slots import binding_name
from app.bindings.values import decode
from app.children import secret
from app.children.metadata import Owner, label_value
from app.contract import Context, Desired, Object, Observed, Related
from app.status.conditions import Finding, ready, stalled, working, written
from app.status.ownership import conflict_message, conflicts

SHARED = "prism.io/shared-with"
USUAL = {
    "url": ("url", "uri", "connectionString", "connection-string"),
    "host": ("host",),
    "port": ("port",),
    "username": ("username", "user"),
    "password": ("password",),
    "database": ("database", "dbname"),
}
TLS_FILES = {"ca.crt": "certificates", "tls.crt": "client-certificate", "tls.key": "private-key"}


class Unresolved(Exception):
    """Why there are no values: a condition reason, a message that names the field, and whether waiting may help."""

    def __init__(self, reason: str, message: str, *, waiting: bool) -> None:
        super().__init__(message)
        self.reason, self.message, self.waiting = reason, message, waiting


def customize(parent: BackendConfig, context: Context) -> tuple[Related, ...]:  # noqa: ARG001
    """The Secrets it names, and the name that its own would have."""
    meta = parent.metadata
    wanted = {(meta.namespace, binding_name(meta.name))}
    wanted |= {(ref.namespace or meta.namespace, ref.name) for _, ref in references(parent)}
    namespaces = sorted({namespace for namespace, _ in wanted})
    return tuple(Related(SECRET, ns, tuple(sorted(name for at, name in wanted if at == ns))) for ns in namespaces)


def references(parent: BackendConfig) -> Iterator[tuple[str, SecretReference]]:
    """The Secrets that a spec names, each with the field that does."""
    spec = parent.spec
    if spec.connection and spec.connection.secret_ref:
        yield "spec.connection.secretRef", spec.connection.secret_ref
    elif spec.secret_ref:
        yield "spec.secretRef", spec.secret_ref
    if spec.tls and spec.tls.enabled and spec.tls.secret_ref:
        yield "spec.tls.secretRef", spec.tls.secret_ref


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
        if values is None and there is not None and "type" in (held := decode(there.data)):
            values = held
        taken = conflicts([(SECRET, name)], meta.namespace, meta.uid, self.observed)
        owner = Owner(meta.name, meta.namespace, "backend", {"prism.io/backend": label_value(meta.name)})
        wanted = secret.binding(owner, name, values) if values is not None and not taken else None
        children = [wanted] if wanted is not None and not secret.replaced(wanted, there) else []
        if taken:
            overall = stalled("NameConflict", conflict_message(taken))
        elif problem:
            overall = (working if problem.waiting else stalled)(problem.reason, problem.message)
        elif there is None or not children:
            overall = working("Progressing", f"Secret {name} is being created")
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
        phases = {"True": "Ready", "False": "Pending"}
        stuck = any(finding.type == "Stalled" for finding in overall)
        out: dict[str, object] = {
            "phase": "Error" if stuck else phases[overall[0].status],
            "message": overall[0].message,
            "conditions": written(findings, previous.conditions if previous else (), meta, self.context.now),
        }
        if values:
            out |= {"type": values["type"], **({"endpoint": endpoint_of(values)} if "host" in values else {})}
        if published:
            out["binding"] = {"name": binding_name(meta.name)}
        return out

    @cached_property
    def resolved(self) -> tuple[Values | None, Unresolved | None]:
        try:
            return self.values(), None
        except Unresolved as problem:
            return None, problem

    def values(self) -> Values:
        """Everything that is said of the connection: the Secret wins over the address, the address over single fields."""
        spec = self.parent.spec
        connection = spec.connection or Connection()
        url = connection.url or spec.connection_string
        given: Values = {
            "host": connection.host or "",
            "port": str(connection.port or ""),
            "username": connection.username or "",
            "database": connection.database or "",
        }
        if url:
            given |= self.parsed(url, "spec.connection.url" if connection.url else "spec.connectionString")
        certificates: Values = {}
        for field, ref in references(self.parent):
            if isinstance(ref, KeyedSecretReference):
                told = self.from_secret(field, ref)
                if "host" in told:
                    given.pop("bootstrap-servers", None)  # all the servers of an address that no longer counts
                given |= told
            else:
                certificates = self.certificates(field, ref)
        tls = bool(spec.tls and spec.tls.enabled) or given.get("scheme") in ("rediss", "tls", "amqps", "https")
        kind = recognized(spec.type, spec.provider or "", given.get("scheme", ""))
        if not given.get("host") and not known(kind).builtin:
            raise Unresolved(
                "NoAddress", "spec.connection: neither url nor host is given, nor does a Secret hold one", waiting=False
            )
        provider = {"provider": spec.provider} if spec.provider else {}
        return complete(kind, {**given, **provider, **certificates}, tls=tls)

    def parsed(self, url: str, field: str) -> Values:
        try:
            return parts(url)
        except ValueError as error:
            raise Unresolved("InvalidAddress", f"{field}: {error}", waiting=False) from None

    def from_secret(self, field: str, ref: KeyedSecretReference) -> Values:
        """Values from a Secret's keys: the named ones, which must exist, else the usual ones."""
        held = decode(self.secret(field, ref).data)
        out: Values = {}
        for name in Keys.model_fields:
            named = getattr(ref.keys, name)
            if named and not held.get(named):
                raise Unresolved("SecretKeyMissing", f"{field}.keys.{name}: Secret {ref.name} has no key {named}", waiting=True)
            value = held.get(named) if named else next((held[key] for key in USUAL[name] if held.get(key)), None)
            if value:
                out |= self.parsed(value.strip(), f"{field}.keys.url") if name == "url" else {name: value.strip()}
        return out

    def certificates(self, field: str, ref: SecretReference) -> Values:
        held = decode(self.secret(field, ref).data)
        found = {name: held[key] for key, name in TLS_FILES.items() if held.get(key)}
        if not found:
            raise Unresolved("SecretKeyMissing", f"{field}: Secret {ref.name} has none of {', '.join(TLS_FILES)}", waiting=True)
        return found

    def secret(self, field: str, ref: SecretReference) -> Object:
        """The Secret that a reference names; one of another namespace only where its owner shares it with this one."""
        own = self.parent.metadata.namespace
        namespace = ref.namespace or own
        found = self.observed.related.get(SECRET, namespace, ref.name)
        if namespace != own and not (found and shared(found, own)):
            consent = f"annotation {SHARED} on that Secret"
            why = f"{field}: Secret {ref.name} of namespace {namespace} is not shared with {own} ({consent})"
            raise Unresolved("SecretNotShared", why, waiting=True)
        if found is None:
            raise Unresolved(
                "SecretNotFound", f"{field}: Secret {ref.name} does not exist in namespace {namespace}", waiting=True
            )
        return found


def shared(found: Object, namespace: str) -> bool:
    """Whether a Secret's owner lets another namespace read it."""
    allowed = [entry.strip() for entry in found.metadata.annotations.get(SHARED, "").split(",")]
    return "*" in allowed or namespace in allowed

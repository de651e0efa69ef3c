"""From what a BackendConfig says, and the Secrets that it names, to connection values."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.api.kinds import SECRET
from app.api.v1alpha1.backendconfig import BackendConfig, Connection, KeyedSecretReference, Keys, SecretReference
from app.backends.address import TLS_SCHEMES, Values, complete, recognized
from app.backends.types import known
from app.bindings.grants import SHARED, shared
from app.bindings.secretkeys import Unresolved, checked_scheme, nothing_told, parsed, still_complete, told
from app.bindings.secretkeys import certificates as files
from app.bindings.slots import binding_name
from app.bindings.values import decode
from app.contract import Object, Observed

MAX_BINDING = 64 * 1024


def references(parent: BackendConfig) -> Iterator[tuple[str, SecretReference]]:
    """The Secrets that a spec names, each with the field that does."""
    spec = parent.spec
    if spec.connection and spec.connection.secret_ref:
        yield "spec.connection.secretRef", spec.connection.secret_ref
    elif spec.secret_ref:
        yield "spec.secretRef", spec.secret_ref
    if spec.tls and spec.tls.enabled and spec.tls.secret_ref:
        yield "spec.tls.secretRef", spec.tls.secret_ref


@dataclass(frozen=True)
class Source:
    """One look at what a BackendConfig says."""

    parent: BackendConfig
    observed: Observed

    def values(self) -> Values:
        """Everything that is said of the connection: the Secret wins over the address, the address over single fields."""
        spec = self.parent.spec
        given, certificates, said = self.from_spec(), Values(), Values()
        for field, ref in references(self.parent):
            if isinstance(ref, KeyedSecretReference):
                said = self.from_secret(field, ref)
                given = said if "scheme" in said else {**without_replaced(given, said), **said}
            else:
                certificates = files(decode(self.secret(field, ref).data), field, f"Secret {ref.name}")
        tls = bool(spec.tls and spec.tls.enabled) or given.get("scheme") in TLS_SCHEMES
        kind = recognized(spec.type, spec.provider or "", given.get("scheme", ""))
        checked_scheme(kind, given, "spec.connection")
        if not given.get("host") and not known(kind).builtin:
            raise Unresolved(
                "NoAddress", "spec.connection: neither url nor host is given, nor does a Secret hold one", waiting=bool(said)
            )
        provider = {"provider": spec.provider} if spec.provider else {}
        found = complete(kind, {**given, **provider, **certificates}, tls=tls)
        if sum(map(len, found.values())) > MAX_BINDING:
            raise Unresolved(
                "BindingTooLarge", f"the connection is over {MAX_BINDING} bytes, most likely its certificates", waiting=False
            )
        meta, what = self.parent.metadata, " and ".join(f"{field} ({ref.name})" for field, ref in references(self.parent))
        there = self.observed.children.get(SECRET, meta.namespace, binding_name(meta.name))
        return still_complete(found, said, there, meta.generation, what)

    def from_spec(self) -> Values:
        """What the spec itself says. Its host and port may be shown; a Secret's may not, since they may be anything."""
        connection = self.parent.spec.connection or Connection()
        url = connection.url or self.parent.spec.connection_string
        given: Values = {
            "host": connection.host or "",
            "port": str(connection.port or ""),
            "username": connection.username or "",
            "database": connection.database or "",
        }
        if url:
            given |= parsed(url, "spec.connection.url" if connection.url else "spec.connectionString")
        return {key: value for key, value in given.items() if value}

    def from_secret(self, field: str, ref: KeyedSecretReference) -> Values:
        """Values from a Secret's keys: the named ones, which must exist, else the usual ones."""
        held, what = decode(self.secret(field, ref).data), f"Secret {ref.name}"
        kind = recognized(self.parent.spec.type, self.parent.spec.provider or "", "")
        named = {name: getattr(ref.keys, name) for name in Keys.model_fields}
        out = told(held, named, kind, field, what)
        if not out:
            raise nothing_told(field, what, kind)
        return out

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


def without_replaced(given: Values, said: Values) -> Values:
    """What the spec says besides what a Secret's own host puts out of force."""
    gone = {"port", "bootstrap-servers"} if "host" in said else set()
    return {key: value for key, value in given.items() if key not in gone}

"""From what a BackendConfig says, and the Secrets that it names, to connection values."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.api.kinds import SECRET
from app.api.v1alpha1.backendconfig import BackendConfig, Connection, KeyedSecretReference, Keys, SecretReference
from app.backends.address import TLS_SCHEMES, Values, complete, joined, parts, recognized, server
from app.backends.types import known
from app.bindings.slots import binding_name
from app.bindings.values import decode
from app.contract import Object, Observed

SHARED = "prism.io/shared-with"
MAX_BINDING = 64 * 1024
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
        given, certificates = self.from_spec(), {}
        for field, ref in references(self.parent):
            if isinstance(ref, KeyedSecretReference):
                told = self.from_secret(field, ref)
                given = told if "scheme" in told else {**_without(given, told), **told}
                self.still_complete(field, ref, given)
            else:
                certificates = self.certificates(field, ref)
        tls = bool(spec.tls and spec.tls.enabled) or given.get("scheme") in TLS_SCHEMES
        kind = recognized(spec.type, spec.provider or "", given.get("scheme", ""))
        if not given.get("host") and not known(kind).builtin:
            raise Unresolved(
                "NoAddress", "spec.connection: neither url nor host is given, nor does a Secret hold one", waiting=False
            )
        provider = {"provider": spec.provider} if spec.provider else {}
        found = complete(kind, {**given, **provider, **certificates}, tls=tls)
        if sum(map(len, found.values())) > MAX_BINDING:
            raise Unresolved(
                "BindingTooLarge", f"the connection is over {MAX_BINDING} bytes, most likely its certificates", waiting=False
            )
        return found

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
            given |= self.parsed(url, "spec.connection.url" if connection.url else "spec.connectionString")
        return {key: value for key, value in given.items() if value}

    def still_complete(self, field: str, ref: SecretReference, given: Values) -> None:
        """A Secret that is being rewritten, and for a moment lacks its password, takes none away from those that run."""
        there = self.observed.children.get(SECRET, self.parent.metadata.namespace, binding_name(self.parent.metadata.name))
        if there is not None and "password" in decode(there.data) and "password" not in given:
            why = f"{field}: Secret {ref.name} no longer holds a password; remove {field} if there is to be none"
            raise Unresolved("SecretKeyMissing", why, waiting=True)

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
        if not out:
            usual = ", ".join(key for keys in USUAL.values() for key in keys)
            raise Unresolved(
                "SecretKeyMissing", f"{field}: Secret {ref.name} has none of {usual}; name its keys in keys", waiting=True
            )
        if "host" in out:
            try:
                server(joined(out["host"], out.get("port", "")))
            except ValueError as error:
                raise Unresolved(
                    "InvalidAddress", f"{field}: host and port of Secret {ref.name}: {error}", waiting=True
                ) from None
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


def _without(given: Values, told: Values) -> Values:
    """What the spec says besides what a Secret's own host puts out of force."""
    gone = {"port", "bootstrap-servers"} if "host" in told else set()
    return {key: value for key, value in given.items() if key not in gone}


def shared(found: Object, namespace: str) -> bool:
    """Whether a Secret's owner lets another namespace read it."""
    allowed = [entry.strip() for entry in found.metadata.annotations.get(SHARED, "").split(",")]
    return "*" in allowed or namespace in allowed

"""From what a PrismBackend says, and what the cluster holds of it, to connection values."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from app.api.kinds import CONFIG_MAP, ENDPOINT_SLICE, SECRET, SERVICE, Kind
from app.api.v1alpha1.backendconfig import Keys
from app.api.v1alpha1.prismbackend import BackendSecret, BindingReference, Discovery, LiteralConnection, PrismBackend
from app.backends.address import TLS_SCHEMES, Values, complete, joined, recognized, server
from app.backends.types import known
from app.bindings.connection import MAX_BINDING, without_replaced
from app.bindings.secretkeys import Unresolved, certificates, checked_scheme, nothing_told, parsed, told
from app.bindings.services import port_of
from app.bindings.slots import binding_name
from app.bindings.values import decode
from app.contract import Object, Observed, read

DOMAIN = "svc.cluster.local"
PASSED_ON = ("tls", "certificates", "client-certificate", "private-key")
SECRET_OF = {"BackendConfig": binding_name, "RabbitmqCluster": "{}-default-user".format, "Cluster": "{}-app".format}


def secret_of(ref: BindingReference) -> str:
    """The Secret that a reference stands for."""
    return SECRET_OF.get(ref.kind, str)(ref.name)


@dataclass(frozen=True)
class Found:
    """One look at what a PrismBackend says."""

    parent: PrismBackend
    observed: Observed

    @property
    def discovery(self) -> Discovery:
        return self.parent.spec.discovery or Discovery()

    @property
    def home(self) -> str:
        """The namespace that a reference without one means."""
        spec = self.parent.spec
        named = (self.discovery.service, self.discovery.secret, spec.binding_ref, self.discovery.config_map)
        return next((each.namespace for each in named if each and each.namespace), "")

    def named(self) -> list[tuple[str, Kind, str, str]]:
        """Everything that the spec names: field, kind, namespace, name."""
        spec, found = self.parent.spec, self.discovery
        refs: list[tuple[str, Kind, str, str]] = []
        if found.service:
            refs.append(("spec.discovery.service", SERVICE, found.service.namespace or self.home, found.service.name))
        if found.config_map:
            refs.append(("spec.discovery.configMap", CONFIG_MAP, found.config_map.namespace or self.home, found.config_map.name))
        if spec.binding_ref:
            refs.append(("spec.bindingRef", SECRET, spec.binding_ref.namespace or self.home, secret_of(spec.binding_ref)))
        if found.secret:
            refs.append(("spec.discovery.secret", SECRET, found.secret.namespace or self.home, found.secret.name))
        if spec.tls and spec.tls.enabled and spec.tls.secret_ref:
            refs.append(("spec.tls.secretRef", SECRET, spec.tls.secret_ref.namespace or self.home, spec.tls.secret_ref.name))
        return refs

    def object(self, field: str) -> Object:
        """The object that a field names; raises Unresolved where it is not there."""
        _, kind, namespace, name = next(each for each in self.named() if each[0] == field)
        if not namespace:
            raise Unresolved(
                "NamespaceMissing", f"{field}.namespace: a PrismBackend has none of its own; give one", waiting=False
            )
        found = self.observed.related.get(kind, namespace, name)
        if found is None:
            raise Unresolved(
                f"{kind.kind}NotFound", f"{field}: {kind.kind} {name} does not exist in namespace {namespace}", waiting=True
            )
        return found

    @cached_property
    def place(self) -> Values:
        """Where the backend is, without anything secret: what the spec and the Service say."""
        return self.literal(self.parent.spec.connection or LiteralConnection()) | self.outside

    @cached_property
    def outside(self) -> Values:
        """What of that stands not in the spec, but in a ConfigMap and a Service."""
        given: Values = {}
        if self.discovery.config_map:
            ref = self.discovery.config_map
            held = self.object("spec.discovery.configMap").data or {}
            what = f"ConfigMap {ref.name}"
            given = told(held, {"url": ref.key}, self.kind, "spec.discovery.configMap", what, "key")
        return given | (self.service() if self.discovery.service else {})

    @property
    def kind(self) -> str:
        return recognized(self.parent.spec.type, self.parent.spec.provider or "", "")

    def literal(self, said: LiteralConnection) -> Values:
        given: Values = {
            "host": said.host or "",
            "port": str(said.port or ""),
            "username": said.username or "",
            "database": said.database or "",
        }
        if said.bootstrap_servers:
            given |= parsed(",".join(said.bootstrap_servers), "spec.connection.bootstrapServers")
        if said.uri:
            given |= parsed(said.uri, "spec.connection.uri")
        return {key: value for key, value in given.items() if value}

    def service(self) -> Values:
        """Host and port of the Service."""
        ref, found = self.discovery.service, self.object("spec.discovery.service")
        assert ref is not None  # noqa: S101  asked only where there is one
        port = port_of(found, ref.port, self.kind, "spec.discovery.service.port")
        spec = read(found.spec)
        host = spec.get("externalName") if spec.get("type") == "ExternalName" else ""
        return {"host": host or f"{ref.name}.{found.metadata.namespace}.{DOMAIN}", **({"port": port} if port else {})}

    def serving(self) -> bool | None:
        """Whether an endpoint of the Service is ready; None where nobody can tell (no Service, no selector)."""
        if not self.discovery.service:
            return None
        spec = read(self.object("spec.discovery.service").spec)
        slices = [read(each.endpoints) for each in self.observed.related.all(ENDPOINT_SLICE)]
        if not slices and (spec.get("type") == "ExternalName" or not spec.get("selector")):
            return None
        endpoints: list[dict[str, Any]] = [each for found in slices for each in found or ()]
        return any((each.get("conditions") or {}).get("ready") is not False for each in endpoints)

    def credentials(self) -> Values:
        """What the Secrets say: the binding's, then that with the credentials, then certificates."""
        spec, out = self.parent.spec, Values()
        if spec.binding_ref:
            ref = spec.binding_ref
            named = {name: getattr(ref.keys, name) for name in Keys.model_fields}
            found = self.keys_of("spec.bindingRef", named)
            if ref.kind == "KafkaUser":
                found.setdefault("username", ref.name)
            at = ref.namespace or self.home
            if "host" in found:
                found["host"] = _qualified(found["host"], at)
            if "bootstrap-servers" in found:
                servers = [server(each) for each in found["bootstrap-servers"].split(",")]
                found["bootstrap-servers"] = ",".join(joined(_qualified(host, at), port) for host, port in servers)
            held = decode(self.object("spec.bindingRef").data)
            out |= {**found, **{name: held[name] for name in PASSED_ON if held.get(name)}}
        if self.discovery.secret:
            out |= self.keys_of("spec.discovery.secret", _named(self.discovery.secret), "{}Key")
        if spec.tls and spec.tls.enabled and spec.tls.secret_ref:
            field, name = "spec.tls.secretRef", spec.tls.secret_ref.name
            out |= certificates(decode(self.object(field).data), field, f"Secret {name}")
        return out

    def keys_of(self, field: str, named: dict[str, str | None], fields: str = "keys.{}") -> Values:
        found = self.object(field)
        what = f"Secret {found.metadata.name}"
        said = told(decode(found.data), named, self.kind, field, what, fields)
        if not said:
            raise nothing_told(field, what, self.kind)
        return said

    def values(self, place: Values, credentials: Values) -> Values:
        """All of it as a binding: the Secrets win over the address."""
        spec = self.parent.spec
        given: Values = {**without_replaced(place, credentials), **credentials}
        if self.discovery.service and "host" in place:
            given |= {name: place[name] for name in place if name in ("host", "port")}
            given.pop("bootstrap-servers", None)
        tls = bool(spec.tls and spec.tls.enabled) or given.get("scheme") in TLS_SCHEMES or credentials.get("tls") == "true"
        kind = recognized(spec.type, spec.provider or "", given.get("scheme", ""))
        checked_scheme(kind, given, "spec.connection")
        if not given.get("host") and not known(kind).builtin:
            waiting = bool(spec.binding_ref or self.discovery.secret or self.discovery.config_map)
            raise Unresolved("NoAddress", "spec: neither a Service, an address nor a Secret says where it is", waiting=waiting)
        own = list(spec.capabilities) != list(known(kind).capabilities)  # those of its type need not be said again
        extra: dict[str, str] = {"provider": spec.provider or "", "capabilities": ",".join(spec.capabilities) if own else ""}
        if spec.config:
            extra["config"] = orjson.dumps(spec.config, option=orjson.OPT_SORT_KEYS).decode()
        found = complete(kind, {**given, **{key: text for key, text in extra.items() if text}}, tls=tls)
        if sum(map(len, found.values())) > MAX_BINDING:
            raise Unresolved("BindingTooLarge", f"the connection is over {MAX_BINDING} bytes", waiting=False)
        return found


def _qualified(host: str, namespace: str) -> str:
    """A name that only its own namespace resolves, as one that all do."""
    return host if "." in host or ":" in host else f"{host}.{namespace}.{DOMAIN}"


def _named(ref: BackendSecret) -> dict[str, str | None]:
    return {"username": ref.username_key, "password": ref.password_key}

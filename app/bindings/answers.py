"""What the cluster answers to each slot, and what served it last, which stays while there is nothing better."""

import json
from dataclasses import dataclass

from app.api.kinds import SECRET, SERVICE
from app.api.v1alpha1.backendbinding import InlineDiscovery
from app.backends.address import Values, complete
from app.backends.types import known
from app.bindings.grants import admits
from app.bindings.secretkeys import Unresolved, nothing_told, told
from app.bindings.services import port_of, type_of
from app.bindings.slots import BACKEND, BACKENDS_JSON, CONFIG, Ask, backend_secret, binding_name, service_of, slot_secret
from app.bindings.values import decode, values_of
from app.contract import Object, Observed, read

LOGIN = ("username", "password", "database")
Served = tuple[Values | None, tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What serves a slot now. ``values`` may be the last good ones; ``problem`` (reason, message) then says why."""

    ask: Ask
    values: Values | None
    problem: tuple[str, str] | None = None


def answer(ask: Ask, namespace: str, name: str, observed: Observed, operator_namespace: str) -> Answer:
    """What serves a slot: its source, or else the last values that served it (fail static)."""
    if ask.inline is not None:
        return Answer(ask, ask.inline)
    served: Served = (None, ask.problem)
    if ask.discover:
        before = remembered(ask.slot, namespace, name, observed) or {}
        served = _from_service(ask.slot, ask.discover, namespace, observed, before)
    elif not ask.problem:
        served = _from_source(ask, namespace, observed, operator_namespace)
    values, problem = served
    if values is None:
        values = remembered(ask.slot, namespace, name, observed)
    return Answer(ask, values, problem)


def _from_source(ask: Ask, namespace: str, observed: Observed, operator_namespace: str) -> Served:
    """From the BackendConfig of this namespace, else from the PrismBackend that admits this namespace."""
    what, at, name = f"BackendConfig {ask.ref}", namespace, binding_name(ask.ref)
    source = observed.related.get(CONFIG, namespace, ask.ref)
    if source is None:
        what, at, name = f"PrismBackend {ask.ref}", operator_namespace, backend_secret(ask.ref)
        source = observed.related.get(BACKEND, "", ask.ref)
    if source is None:
        why = f"BackendConfig {ask.ref} does not exist in namespace {namespace}, nor is there a PrismBackend of that name"
        return None, ("BackendNotFound", f"slot {ask.slot}: {why}")
    if what.startswith("PrismBackend") and not admits(source, namespace, observed):
        return None, ("BackendNotAllowed", f"slot {ask.slot}: {what} does not admit namespace {namespace} (allowedNamespaces)")
    secret = observed.related.get(SECRET, at, name)
    problem = _said(source, ask, what)
    if secret is None or not secret.owned_by(source.metadata.uid) or "type" not in (values := decode(secret.data)):
        return None, problem or ("BackendNotReady", f"slot {ask.slot}: {what} has not published its binding yet")
    return values, problem


def _from_service(slot: str, said: InlineDiscovery, namespace: str, observed: Observed, before: Values) -> Served:
    """From a Service by its name, with the credentials of a Secret of the own namespace; ``before`` is what served last."""
    field, (name, at) = f"spec.backendBindings.{slot}.discover", service_of(said, namespace)
    service = observed.related.get(SERVICE, at, name)
    if service is None:
        return None, ("ServiceNotFound", f"{field}.service: Service {name} does not exist in namespace {at}")
    kind = known(said.type or type_of(service, said.port))
    if not kind.name:
        return None, ("UnknownType", f"{field}: no port tells what it is; give type")
    try:
        port = port_of(service, said.port, kind.name, f"{field}.port")
        host = f"{name}.{at}.svc.cluster.local"
        last = before if before.get("host") == host else {}
        login = _login(said.secret, f"{field}.secret", kind.name, namespace, observed, last) if said.secret else {}
    except Unresolved as problem:
        return None, (problem.reason, problem.message)
    return complete(kind.name, {**login, "host": host, "port": port}, tls=False), None


def _login(name: str, field: str, kind: str, namespace: str, observed: Observed, before: Values) -> Values:
    """The credentials of a Secret of the own namespace. One that for a moment lacks some of them takes none away."""
    secret, what = observed.related.get(SECRET, namespace, name), f"Secret {name}"
    if secret is None:
        raise Unresolved("SecretNotFound", f"{field}: {what} does not exist in namespace {namespace}", waiting=True)
    found = told(decode(secret.data), {}, kind, field, what)
    login = {key: text for key, text in found.items() if key in LOGIN}
    if not login:
        raise nothing_told(field, what, kind)
    gone = [key for key in ("username", "password") if key in before and key not in login]
    if gone:
        raise Unresolved("SecretKeyMissing", f"{field}: {what} no longer holds {', '.join(gone)}", waiting=True)
    return login


def _said(source: Object, ask: Ask, what: str) -> tuple[str, str] | None:
    """What a BackendConfig or PrismBackend says against itself."""
    status = read(source.status)
    ready: dict[str, str] = next((c for c in status.get("conditions") or [] if c.get("type") == "Ready"), {})
    if ready.get("status") != "False":
        return None
    return "BackendNotReady", f"slot {ask.slot}: {what}: {ready.get('message', '')}"


def remembered(slot: str, namespace: str, name: str, observed: Observed) -> Values | None:
    """The last values that served a slot: from its own binding Secret, else from the observed ``backends.json``.

    A built-in that served it is no memory: it was a part of the runner, which may be another by now.
    """
    own = observed.children.get(SECRET, namespace, slot_secret(name, slot))
    if own is not None and "type" in (values := decode(own.data)):
        return values
    config = observed.children.get(SECRET, namespace, f"{name}-config")
    text = decode(config.data).get(BACKENDS_JSON, "{}") if config is not None else "{}"
    try:
        found = values_of(json.loads(text)[slot])
        return None if known(found["type"]).builtin else found
    except (AttributeError, KeyError, TypeError, ValueError):  # somebody else's hand
        return None

"""Which slots a runner has, what each asks for, and what the cluster answers."""

import json
from dataclasses import dataclass

from app.api.kinds import SECRET, SERVICE
from app.api.v1alpha1.backendbinding import InlineDiscovery
from app.api.v1alpha1.backendconfig import BackendConfig
from app.api.v1alpha1.patternrunner import RunnerSpec
from app.api.v1alpha1.prismbackend import PrismBackend
from app.backends.address import Values, complete
from app.backends.inline import inline
from app.backends.patterns import pattern_of
from app.backends.types import known
from app.bindings.grants import admits
from app.bindings.secretkeys import Unresolved, nothing_told, told
from app.bindings.services import port_of, type_of
from app.bindings.values import decode, values_of
from app.contract import Object, Observed, read

BACKENDS_JSON = "backends.json"
CONFIG = BackendConfig.definition.kind
BACKEND = PrismBackend.definition.kind
Served = tuple[Values | None, tuple[str, str] | None]


@dataclass(frozen=True, slots=True)
class Ask:
    """What one slot asks for: a backend by name, by its Service, values written in the spec, or a problem with the spec."""

    slot: str
    required: bool
    ref: str = ""
    discover: InlineDiscovery | None = None
    inline: Values | None = None
    problem: tuple[str, str] | None = None

    @property
    def builtin(self) -> bool:
        """Whether the runner serves the slot itself, so that there is nothing to bind."""
        return self.inline is not None and known(self.inline["type"]).builtin


@dataclass(frozen=True, slots=True)
class Answer:
    """What serves a slot now. ``values`` may be the last good ones; ``problem`` (reason, message) then says why."""

    ask: Ask
    values: Values | None
    problem: tuple[str, str] | None = None


def binding_name(backend_config: str) -> str:
    """Name of the Secret that a BackendConfig publishes."""
    return f"prism-backendconfig-{backend_config}"


def backend_secret(backend: str) -> str:
    """Name of the Secret that a PrismBackend publishes in the operator's namespace."""
    return f"prism-backend-{backend}"


def slot_secret(runner: str, slot: str) -> str:
    """Name of the Secret that carries a slot's values to a runner."""
    return f"{runner}-{slot.replace('_', '-')}-binding"


def asks(spec: RunnerSpec, namespace: str) -> tuple[Ask, ...]:
    """What the slots of a spec ask for, the pattern's own first. Depends on the spec alone."""
    pattern = pattern_of(spec.pattern)
    required = {slot.name for slot in pattern.slots if slot.required}
    bound = spec.backend_bindings
    out = [] if pattern.main.name in bound else [_main(spec, namespace, pattern.main.name)]
    out += [
        Ask(slot, slot in required, ref=bound[slot].backend_ref or "", discover=bound[slot].discover) for slot in sorted(bound)
    ]
    told = {ask.slot for ask in out}
    out += [
        Ask(
            slot.name,
            True,
            problem=_not_given(spec, slot.name),
        )
        for slot in pattern.slots
        if slot.required and slot.name not in told
    ]
    return tuple(out)


def _main(spec: RunnerSpec, namespace: str, slot: str) -> Ask:
    """The slot that a lone ``backend`` serves: a built-in, a named BackendConfig, an address in the spec, in this order."""
    reference = spec.backend_config
    backend = spec.backend or ""
    if known(backend).builtin:
        return Ask(slot, True, inline=_builtin(backend))
    if reference and reference.namespace not in ("", namespace):
        why = f"spec.backendConfig.namespace: a BackendConfig must lie in the namespace of its user, {namespace}"
        return Ask(slot, True, problem=("CrossNamespaceReference", why))
    if reference and reference.name:
        return Ask(slot, True, ref=reference.name)
    for field, said in (("config", spec.config), ("backendConfig", reference.model_extra if reference else None)):
        try:
            found = inline(backend, said or {})
        except ValueError as error:
            return Ask(slot, True, problem=("InvalidAddress", f"spec.{field}.{error}"))
        if found:
            return Ask(slot, True, inline=found)
    if backend:
        return Ask(slot, True, ref=backend.lower())
    if spec.backend_bindings:
        return Ask(slot, True, problem=_not_given(spec, slot))
    return Ask(slot, True, inline=_builtin("memstore"))


def _not_given(spec: RunnerSpec, slot: str) -> tuple[str, str]:
    return "SlotNotGiven", f"spec.backendBindings.{slot}: pattern {spec.pattern} needs it"


def _builtin(name: str) -> Values:
    return {"type": known(name).name, "provider": known(name).name}


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
        login = _login(said.secret, f"{field}.secret", kind.name, namespace, observed, before) if said.secret else {}
    except Unresolved as problem:
        return None, (problem.reason, problem.message)
    return complete(kind.name, {**login, "host": f"{name}.{at}.svc.cluster.local", "port": port}, tls=False), None


def _login(name: str, field: str, kind: str, namespace: str, observed: Observed, before: Values) -> Values:
    """The credentials of a Secret of the own namespace. One that for a moment lacks them takes none away."""
    secret, what = observed.related.get(SECRET, namespace, name), f"Secret {name}"
    if secret is None:
        raise Unresolved("SecretNotFound", f"{field}: {what} does not exist in namespace {namespace}", waiting=True)
    found = told(decode(secret.data), {}, kind, field, what)
    login = {key: text for key, text in found.items() if key in ("username", "password", "database")}
    if not login or ("password" in before and "password" not in login):
        raise nothing_told(field, what, kind)
    return login


def service_of(said: InlineDiscovery, namespace: str) -> tuple[str, str]:
    """Name and namespace of a Service by its name or DNS name."""
    name, _, rest = said.service.partition(".")
    return name, rest.partition(".")[0] or namespace


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
    except (KeyError, TypeError, ValueError):
        return None

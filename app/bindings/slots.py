"""Which slots a runner has, what each asks for, and what the cluster answers."""

import json
from dataclasses import dataclass

from app.api.kinds import SECRET
from app.api.v1alpha1.backendconfig import BackendConfig
from app.api.v1alpha1.patternrunner import RunnerSpec
from app.backends.address import Values
from app.backends.inline import inline
from app.backends.patterns import pattern_of
from app.backends.types import known
from app.bindings.values import decode, values_of
from app.contract import Object, Observed, read

BACKENDS_JSON = "backends.json"
CONFIG = BackendConfig.definition.kind


@dataclass(frozen=True, slots=True)
class Ask:
    """What one slot asks for: a BackendConfig by name, values written in the spec, or a problem with the spec itself."""

    slot: str
    required: bool
    ref: str = ""
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


def slot_secret(runner: str, slot: str) -> str:
    """Name of the Secret that carries a slot's values to a runner."""
    return f"{runner}-{slot.replace('_', '-')}-binding"


def asks(spec: RunnerSpec, namespace: str) -> tuple[Ask, ...]:
    """What the slots of a spec ask for, the pattern's own first. Depends on the spec alone."""
    pattern = pattern_of(spec.pattern)
    required = {slot.name for slot in pattern.slots if slot.required}
    bound = spec.backend_bindings
    out = [] if pattern.main.name in bound else [_main(spec, namespace, pattern.main.name)]
    out += [Ask(slot, slot in required, ref=bound[slot].backend_ref) for slot in sorted(bound)]
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


def answer(ask: Ask, namespace: str, name: str, observed: Observed) -> Answer:
    """What serves a slot: its source, or else the last values that served it (fail static)."""
    if ask.inline is not None:
        return Answer(ask, ask.inline)
    values, problem = (None, ask.problem) if ask.problem else _from_source(ask, namespace, observed)
    if values is None:
        values = remembered(ask.slot, namespace, name, observed)
    return Answer(ask, values, problem)


def _from_source(ask: Ask, namespace: str, observed: Observed) -> tuple[Values | None, tuple[str, str] | None]:
    config = observed.related.get(CONFIG, namespace, ask.ref)
    if config is None:
        return None, (
            "BackendNotFound",
            f"slot {ask.slot}: BackendConfig {ask.ref} does not exist in namespace {namespace}",
        )
    secret = observed.related.get(SECRET, namespace, binding_name(ask.ref))
    problem = _said(config, ask)
    if secret is None or not secret.owned_by(config.metadata.uid) or "type" not in (values := decode(secret.data)):
        waiting = ("BackendNotReady", f"slot {ask.slot}: BackendConfig {ask.ref} has not published its binding yet")
        return None, problem or waiting
    return values, problem


def _said(config: Object, ask: Ask) -> tuple[str, str] | None:
    """What a BackendConfig says against itself."""
    status = read(config.status)
    ready: dict[str, str] = next((c for c in status.get("conditions") or [] if c.get("type") == "Ready"), {})
    if ready.get("status") != "False":
        return None
    return "BackendNotReady", f"slot {ask.slot}: BackendConfig {ask.ref}: {ready.get('message', '')}"


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

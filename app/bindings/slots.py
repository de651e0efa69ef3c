"""Which slots a runner has, and what each asks for. Depends on the spec alone."""

from dataclasses import dataclass

from app.api.v1alpha1.backendbinding import InlineDiscovery
from app.api.v1alpha1.backendconfig import BackendConfig
from app.api.v1alpha1.patternrunner import RunnerSpec
from app.api.v1alpha1.prismbackend import PrismBackend
from app.backends.address import Values
from app.backends.inline import inline
from app.backends.patterns import PATTERNS, pattern_of
from app.backends.types import known

BACKENDS_JSON = "backends.json"
CONFIG = BackendConfig.definition.kind
BACKEND = PrismBackend.definition.kind


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
    others = ", ".join(strange_slots(spec))
    hint = f"; {others} is none of its slots" if others else ""
    return "SlotNotGiven", f"spec.backendBindings.{slot}: pattern {spec.pattern} needs it{hint}"


def strange_slots(spec: RunnerSpec) -> list[str]:
    """Slots that a known pattern does not have, most likely misspelled."""
    pattern = pattern_of(spec.pattern)
    return sorted(set(spec.backend_bindings) - {slot.name for slot in pattern.slots}) if pattern.name in PATTERNS else []


def _builtin(name: str) -> Values:
    return {"type": known(name).name, "provider": known(name).name}


def service_of(said: InlineDiscovery, namespace: str) -> tuple[str, str]:
    """Name and namespace of a Service by its name or DNS name."""
    name, _, rest = said.service.partition(".")
    return name, rest.partition(".")[0] or namespace

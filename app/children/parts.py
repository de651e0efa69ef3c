"""The parts of a stack that are parents themselves: a PatternRunner for each pattern, a BackendConfig for each backend."""

from collections.abc import Iterable
from typing import Any

from app.api.v1alpha1.backendconfig import BackendConfig
from app.api.v1alpha1.common import storable
from app.api.v1alpha1.patternrunner import PatternRunner
from app.api.v1alpha1.stackparts import StackBackend, StackPattern
from app.backends.types import is_known, known
from app.children.metadata import Child, Owner, child
from app.children.workload import digest

SPEC = "prism.io/spec-hash"
EXACT = 2**53  # beyond, a float is no exact integer, and stays what it is
RUNNER, CONFIG = PatternRunner.definition.kind, BackendConfig.definition.kind


def pattern_runner(
    owner: Owner, pattern: StackPattern, backends: Iterable[str], traces: dict[str, str], annotations: dict[str, str]
) -> Child:  # fmt: skip
    """The PatternRunner of a pattern. A backend of the stack that its ``backend`` names serves it, unless it names another
    or is served by the runner itself."""
    spec = given(pattern, "name", "type")
    spec["pattern"] = pattern.type
    backend = pattern.backend or ""
    chosen = pattern.backend_config or pattern.backend_bindings or known(backend).builtin
    if not chosen and backend in backends:
        spec["backendConfig"] = {"name": backend}
    if traces:
        template = spec.setdefault("podTemplate", {})
        own = {variable["name"] for variable in template.get("env", [])}
        added = [{"name": name, "value": value} for name, value in sorted(traces.items()) if name not in own]
        template["env"] = [*template.get("env", []), *added]
    return child(RUNNER, owner, pattern.name, {SPEC: digest([spec, annotations]), **annotations}, spec=spec)


def backend_config(owner: Owner, backend: StackBackend) -> Child:
    """The BackendConfig of a backend. Its name tells the provider where its type does not."""
    spec = given(backend, "name")
    if not backend.provider and not is_known(backend.type) and is_known(backend.name):
        spec["provider"] = known(backend.name).name
    return child(CONFIG, owner, backend.name, {SPEC: digest([spec, {}])}, spec=spec)


def given(part: StackPattern | StackBackend, *without: str) -> dict[str, Any]:
    """What the user wrote of a part, nothing that a default adds."""
    written: dict[str, Any] = _plain(storable(part.model_dump(by_alias=True, exclude_unset=True, exclude=set(without))))
    return written


def _plain(value: Any) -> Any:
    """A value without nulls, which an apply would take for a wish to delete, and with whole numbers as such."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value if item is not None]
    if isinstance(value, float) and value.is_integer() and abs(value) < EXACT:
        return int(value)
    return value
